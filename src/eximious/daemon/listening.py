"""Where the daemon listens: from options to sockets, and to the words of the log line about it.

Exim specification, chapter "Starting the daemon and the use of network interfaces".
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from eximious.config import lists
from eximious.config.numbers import show_seconds
from eximious.errors import EximiousError

if TYPE_CHECKING:
    from eximious.config.main import MainOptions

ANY_IPV4: Final = "0.0.0.0"
ANY_IPV6: Final = "::"


class ListeningError(EximiousError):
    """The daemon cannot listen where it should."""


class Interface:
    """One address and port to listen on."""

    __slots__ = ("address", "port", "tls_on_connect")

    def __init__(self, address: str, port: int, *, tls_on_connect: bool = False) -> None:
        self.address = address
        self.port = port
        self.tls_on_connect = tls_on_connect

    @property
    def family(self) -> socket.AddressFamily:
        """Of the address."""
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET

    @property
    def is_any(self) -> bool:
        """True for all addresses of a family."""
        return self.address in (ANY_IPV4, ANY_IPV6)

    @property
    def key(self) -> tuple[str, int]:
        """What makes two of them the same socket."""
        return self.address, self.port

    def __repr__(self) -> str:
        return f"[{self.address}]:{self.port}"


def interfaces(main: MainOptions, listen_on: str = "", *, all_tls: bool = False) -> list[Interface]:
    """Everything to listen on: what the options say, with what ``-oX`` puts in their place. Raises ListeningError."""
    ports = list(main.daemon_smtp_ports)
    addresses = list(main.local_interfaces)
    if listen_on:
        given = lists.split(listen_on)
        own_ports = [item for item in given if "." not in item and ":" not in item]
        own_addresses = [item for item in given if "." in item or ":" in item]
        ports = [port_number(item) for item in own_ports] or ports
        addresses = own_addresses or addresses
    found: dict[tuple[str, int], Interface] = {}
    for item in addresses:
        address, own_port = split_port(item)
        if ":" in address and main.disable_ipv6:
            continue
        for port in [own_port] if own_port else ports:
            is_tls = all_tls or port in main.tls_on_connect_ports
            found.setdefault((address, port), Interface(address, port, tls_on_connect=is_tls))
    if not found:
        raise ListeningError("no value set for daemon_smtp_port")
    return list(found.values())


def split_port(item: str) -> tuple[str, int]:
    """``192.0.2.1``, ``192.0.2.1.25``, ``[192.0.2.1]:25``: address and port, 0 if none is given.

    Raises ListeningError.
    """
    if item.startswith("["):
        address, bracket, rest = item[1:].partition("]")
        if bracket and (not rest or (rest.startswith(":") and rest[1:].isdigit())):
            return canonical(address, item), int(rest[1:] or 0)
    elif is_address(item):
        return canonical(item, item), 0
    else:
        address, dot, port = item.rpartition(".")
        if dot and port.isdigit():
            return canonical(address, item), int(port)
    raise ListeningError(f'malformed IP address "{item}" in local_interfaces')


def is_address(text: str) -> bool:
    """True if the text is an IP address of either kind; a zone may follow."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text.partition("%")[0])
        except (OSError, ValueError):
            continue
        return True
    return False


def canonical(address: str, shown: str) -> str:
    """The address in its usual form: ``::0`` is ``::``. Raises ListeningError if it is none."""
    if not is_address(address):
        raise ListeningError(f'malformed IP address "{shown}" in local_interfaces')
    if ":" not in address:
        return address
    plain, percent, zone = address.partition("%")
    return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, plain)) + percent + zone


def port_number(text: str) -> int:
    """A port given by number or by service name. Raises ListeningError."""
    if text.isascii() and text.isdigit() and int(text[:6]) < 65536:
        return int(text)
    try:
        return socket.getservbyname(text, "tcp")
    except OSError:
        raise ListeningError(f"TCP port '{text}' not found") from None


# Sockets.


def listen(interface: Interface, backlog: int) -> socket.socket:
    """A listening socket. OSError."""
    sock = socket.socket(interface.family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if interface.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(_socket_address(interface))
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def _socket_address(interface: Interface) -> tuple[str, int] | tuple[str, int, int, int]:
    address, _, zone = interface.address.partition("%")
    if not zone:
        return address, interface.port
    return address, interface.port, 0, int(zone) if zone.isdigit() else socket.if_nametoindex(zone)


def open_all(
    wanted: Iterable[Interface],
    main: MainOptions,
    log: Callable[[str], None],
    *,
    existing: dict[tuple[str, int], socket.socket] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[tuple[str, int], socket.socket]:
    """Sockets for all interfaces, of which `existing` ones are used again. Raises ListeningError.

    A port that is in use is tried again as `daemon_startup_retries` says. Without IPv6 in the kernel, IPv4 has to do.
    """
    interfaces = list(wanted)
    sockets: dict[tuple[str, int], socket.socket] = {}
    try:
        for interface in interfaces:
            kept = (existing or {}).get(interface.key)
            sock = kept if kept is not None else _open(interface, interfaces, main, log, sleep)
            if sock is not None:
                sockets[interface.key] = sock
    except ListeningError:
        for key, sock in sockets.items():
            if existing is None or existing.get(key) is not sock:
                sock.close()
        raise
    return sockets


def _open(
    interface: Interface,
    others: list[Interface],
    main: MainOptions,
    log: Callable[[str], None],
    sleep: Callable[[float], None],
) -> socket.socket | None:
    tries = max(main.daemon_startup_retries, 0)
    while True:
        try:
            return listen(interface, main.smtp_connect_backlog)
        except OSError as error:
            if _can_do_without(interface, others, error):
                log(f"Failed to create IPv6 socket for wildcard listening ({error.strerror}): will use IPv4")
                return None
            shown = "(any IPv6)" if interface.address == ANY_IPV6 else interface.address
            shown = "(any IPv4)" if interface.address == ANY_IPV4 else shown
            what = f"socket bind() to port {interface.port} for address {shown} failed: {error.strerror}"
            if error.errno != errno.EADDRINUSE or tries <= 0:
                raise ListeningError(f"{what}: daemon abandoned") from error
            log(f"{what}: waiting {show_seconds(main.daemon_startup_sleep)} before trying again ({tries} more tries)")
            tries -= 1
            sleep(main.daemon_startup_sleep)


def _can_do_without(interface: Interface, others: list[Interface], error: OSError) -> bool:
    """True if the kernel has no IPv6 and IPv4 is listened on as well."""
    return (
        interface.address == ANY_IPV6
        and error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
        and any(other.address == ANY_IPV4 and other.port == interface.port for other in others)
    )


def inherited() -> socket.socket:
    """The listening socket that inetd hands over as standard input (``-bw``). Raises ListeningError."""
    try:
        sock = socket.socket(fileno=os.dup(0))
        if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            raise ListeningError("-bw needs a listening socket as standard input")
    except OSError as error:
        raise ListeningError(f"-bw needs a listening socket as standard input: {error.strerror}") from error
    sock.setblocking(False)
    return sock


# Words for the log.


def describe(listening: list[Interface]) -> str:
    """``listening for SMTP on port 25 (IPv6 and IPv4) and for SMTPS on port 465 (IPv4)``."""
    if not listening:
        return "not listening for SMTP"
    plain = _places([interface for interface in listening if not interface.tls_on_connect])
    secure = _places([interface for interface in listening if interface.tls_on_connect])
    parts = [f"for SMTP on {plain}"] if plain else []
    if secure:
        parts.append(f"for SMTPS on {secure}")
    return "listening " + " and ".join(parts)


def _places(listening: list[Interface]) -> str:
    words: list[str] = []
    addresses: dict[str, list[str]] = {}
    families: dict[int, list[str]] = {}
    for interface in listening:
        if interface.is_any:
            families.setdefault(interface.port, []).append("IPv6" if interface.address == ANY_IPV6 else "IPv4")
        else:
            addresses.setdefault(interface.address, []).append(str(interface.port))
    words += [f"port {port} ({' and '.join(sorted(kinds, reverse=True))})" for port, kinds in families.items()]
    for address, ports in addresses.items():
        words.append(f"[{address}]:{ports[0] if len(ports) == 1 else '{' + ','.join(ports) + '}'}")
    return " ".join(words)
