"""The ACL modifier ``udpsend``: a UDP packet, for statistics or monitoring."""

from __future__ import annotations

import socket

from eximious.acl.declare import TEXT, modifier
from eximious.acl.run import Run
from eximious.acl.verdict import AclError
from eximious.acl.where import EVERYWHERE
from eximious.config.lists import separator
from eximious.errors import Defer
from eximious.waiting import in_thread


@modifier("udpsend", TEXT, EVERYWHERE)
def udpsend(text: str, run: Run) -> None:
    """A list of host, port, and what to send."""
    host, port, packet = _parse(text)
    if run.session is not None and run.session.is_checking:
        return
    try:
        family = in_thread(_send, host, port, packet)
    except OSError as error:
        raise Defer(f'failed to send "udpsend" packet to {host}:{port}: {error.strerror or error}') from error
    if run.trace is not None:
        run.trace.acl(f"udpsend {len(packet)} bytes to {host}:{port} ({family})")


def _parse(text: str) -> tuple[str, int, str]:
    mark, start = separator(text)
    items = text[start:].split(mark, 2)  # the packet is taken as it is
    if not items[0].strip():
        raise AclError('missing destination host in "udpsend" modifier')
    if len(items) < 2:
        raise AclError('missing destination port in "udpsend" modifier')
    port = items[1].strip()
    if not port.isdigit():
        raise AclError('bad destination port in "udpsend" modifier')
    if len(items) < 3:
        raise AclError('missing datagram payload in "udpsend" modifier')
    return items[0].strip(), int(port) & 0xFFFF, items[2]


def _send(host: str, port: int, packet: str) -> str:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as plain:
        plain.sendto(packet.encode("latin-1", "replace"), address)
    return family.name
