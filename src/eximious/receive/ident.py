"""Asking the client's host who owns the connection. (RFC 1413.)"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eximious.net.connect import connect
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.spool.message import Client

LIMIT: Final = 1000  # octets of an answer
ANSWER: Final = re.compile(r"\s*(\d+)\s*,\s*(\d+)\s*:\s*USERID\s*:\s*[^:]*:\s*(.*?)\s*\r?\n", re.IGNORECASE)
LONGEST: Final = 127  # characters of an ident


def ask(client: Client, timeout: float, port: int) -> str:
    """The answer; "" if there is none in time. `timeout` is in seconds."""
    try:
        with connect(client.host_address, port, interface=client.interface_address, timeout=timeout) as stream:
            stream.write(f"{client.host_port},{client.interface_port}\r\n".encode("ascii"))
            text = ""
            while "\n" not in text and len(text) < LIMIT:
                data = stream.read()
                if not data:
                    break
                text += data.decode("latin-1")
    except OSError:
        return ""
    found = ANSWER.match(text)
    if found is None or (int(found[1]), int(found[2])) != (client.host_port, client.interface_port):
        return ""
    printable = "".join(character for character in found[3] if " " <= character <= "~")
    return Tainted(printable[:LONGEST])
