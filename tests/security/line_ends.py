"""What may be taken for the end of a message, and for commands after it: CVE-2023-51764, -51765, -51766."""

from __future__ import annotations

import itertools

ENDS = {
    "CRLF": b"\r\n",
    "LF": b"\n",
    "CR": b"\r",
    "CRCRLF": b"\r\r\n",
    "LFCR": b"\n\r",
    "NUL": b"\0",
    "CRLFNUL": b"\r\n\0",
    "nothing": b"",
}
PAIRS = list(itertools.product(ENDS, ENDS))
# CR CR LF has CRLF at its end, and so is before the dot what it must be; after it, it is not. What begins with CRLF
# is one after the dot.
NO_END = [
    (before, after) for before, after in PAIRS if before not in ("CRLF", "CRCRLF") or after not in ("CRLF", "CRLFNUL")
]
COMMANDS = b"MAIL FROM:<evil@b.test>\r\nRCPT TO:<a@test.ex>\r\nDATA\r\nSubject: smuggled\r\n\r\nhello"


def text(before: str, after: str) -> bytes:
    """A message with what may be taken for its end, and what may then be taken for commands; it has no end itself."""
    return b"Subject: one\r\n\r\nfirst" + ENDS[before] + b"." + ENDS[after] + COMMANDS


# The same for what is in a spool, where lines end with LF: everything in one body.
EVERYTHING = b"".join(
    b"x" + ENDS[before] + b"." + ENDS[after] + b"MAIL FROM:<evil@b.test>\n" for before, after in PAIRS
)
