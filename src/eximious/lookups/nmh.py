"""nmh: is the key a member of a set that a server keeps? (Exim 4.99, where it is built in as an experiment)

A question is one datagram: the name of a table, a zero octet, what to do, and the key. The answer is one octet.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from eximious.errors import Defer
from eximious.lookups.base import Found, Options, Passing, SingleKeyLookup, lookups

if TYPE_CHECKING:
    import socket

    from eximious.context import Context

Address = str | tuple[str, int]  # path of a socket, or IP address and port

ASK: Final = "?"
ADD: Final = "+"
REMOVE: Final = "-"
DEFAULT_TABLE: Final = "default"
TIMEOUT: Final = 5.0  # seconds for the answer

ABSENT: Final = b"0"
IN_PART: Final = b"1"
PRESENT: Final = b"2"


class NmhLookup(SingleKeyLookup):
    """``yes`` if the key is in the server's table. The server is a socket (``@name`` for an abstract one), or a host.

    ``port=N`` asks the host over UDP, ``table=NAME`` another table than ``default``, ``add`` and ``sub`` put the key in
    and take it out, ``partial`` takes part of an answer for one, ``tmo=N`` waits so many seconds.
    """

    name = "nmh"
    options = ("unix", "udp", "tcp", "port", "add", "sub", "partial", "table", "tmo")

    def find(self, context: Context, path: str, key: str, options: Options) -> Found:
        mode = ADD if "add" in options else REMOVE if "sub" in options else ASK
        question = f"{options.get('table', DEFAULT_TABLE)}\0{mode}{key}".encode("latin-1")
        limit = float(_number(options, "tmo", "missing value in timeout spec") or TIMEOUT)
        address = _address(path, options, context)
        answer = context.services.lookups.in_thread(_ask, address, question, limit)
        if answer not in (ABSENT, IN_PART, PRESENT):
            raise Defer("bad response value")
        found = "yes" if answer == PRESENT or (answer == IN_PART and "partial" in options) else None
        return found if mode == ASK else Passing(found)


def _number(options: Options, name: str, fault: str) -> int:
    """A number among the options; 0 if it is not there. Raises Defer if it is none."""
    if name not in options:
        return 0
    text = options[name]
    if not text.isdecimal() or not text.isascii() or not int(text[:6]):
        raise Defer(fault)
    return int(text[:6])


def _address(server: str, options: Options, context: Context) -> Address:
    """What to connect to: a path, or address and port. Raises Defer."""
    port = _number(options, "port", "missing port in server spec")
    if "tcp" in options and not port:
        raise Defer("tcp is not supported for nmh at this time")
    if "udp" not in options and not port:
        return "\0" + server[1:] if server.startswith("@") else server
    if not 0 < port < 65536:
        raise Defer("bad port number")
    from eximious.lookups.servers import Server, addresses_of

    asked = Server("")
    asked.host = server
    return addresses_of(asked, context)[0], port


def _ask(address: Address, question: bytes, limit: float) -> bytes:
    """The octet that the server answers. Raises Defer."""
    import socket

    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        connection.settimeout(limit)
        try:
            _connect(connection, address)
            connection.send(question)
            return connection.recv(1)
        except TimeoutError:
            raise Defer("read timed out") from None
        except (OSError, ValueError) as error:
            number = getattr(error, "errno", None)
            shown = address.replace("\0", "@") if isinstance(address, str) else address[0]
            raise Defer(f"connect '{shown}': {os.strerror(number) if number else error}") from None


def _connect(connection: socket.socket, address: Address) -> None:
    if isinstance(address, str):
        connection.bind("")  # an address of our own, without which there can be no answer; the system chooses it
        connection.connect(address.encode("latin-1"))
    else:
        connection.connect(address)


lookups.register("nmh")(NmhLookup())
