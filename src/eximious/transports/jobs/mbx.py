"""The MBX mailbox format of c-client programs: a header of fixed size, then messages that state their length."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Final

# The first 2048 octets of a mailbox; a 32 bit number in hexadecimal follows the marker: the time, as a unique id.
HEADER_SIZE: Final = 2048
KEYWORDS: Final = "\r\n" * 31  # none: the end of the line, and an empty line for each of the 30


def write_message(descriptor: int, size: int, content: Iterable[bytes]) -> int:
    """Append a message (with CRLF line ends) to an MBX mailbox that has `size` octets; octets written."""
    from eximious.transports.jobs.append import write_all

    pieces = []
    if size == 0:
        pieces.append(f"*mbx*\r\n{int(time.time()):08x}00000000{KEYWORDS}".encode().ljust(HEADER_SIZE, b"\0"))
    body = b"".join(content).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    stamp = time.strftime("%d-%b-%Y %H:%M:%S %z", time.localtime())
    pieces.append(f"{stamp},{len(body)};{0:08x}{0:04x}-{0:08x}\r\n".encode("latin-1"))
    pieces.append(body)
    os.lseek(descriptor, 0, os.SEEK_END)
    return write_all(descriptor, pieces)
