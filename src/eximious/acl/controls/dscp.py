"""The control ``dscp``: how packets to the client are marked."""

from __future__ import annotations

from typing import Final

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE, NOT_SMTP_START, NOTQUIT

# The values of the byte that holds the code point (RFC 2474, 2597, 3246; the older TOS words of RFC 1349).
VALUES: Final = {
    "ef": 0xB8,
    "lowdelay": 0x10,
    "throughput": 0x08,
    "reliability": 0x04,
    "mincost": 0x02,
} | {f"af{c}{d}": (8 * c + 2 * d) << 2 for c in range(1, 5) for d in range(1, 4)}


@control("dscp", EVERYWHERE - {NOTQUIT, NOT_SMTP_START}, has_options=True)
def dscp(options: str, run: Run) -> None:
    """A name, or a number up to 0x3F. What is neither changes nothing, as in Exim."""
    value = VALUES.get(options.lower())
    if value is None:
        try:
            number = int(options, 0)
        except ValueError:
            return
        if not 0 <= number <= 0x3F:
            return
        value = number << 2
    if run.session is not None:
        run.session.mark_packets(value)
