"""Who sent a message, as far as its own header tells.

The fields on top were written by one's own host, so they can be believed if the message was taken from a mailbox there.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from eximious.mailauth.message import Headers

RECEIVED_LIMIT: Final = 50  # Received fields that are looked at

_FROM: Final = re.compile(r"\s*from\s+(\S+)(.*?)(?:\sby\s|\Z)", re.DOTALL | re.IGNORECASE)
_BRACKETED: Final = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]", re.IGNORECASE)
_BARE: Final = re.compile(r"(?<![\w.:@-])((?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)(?![\w.:-])")
_HELO: Final = re.compile(r"\b(?:helo=|(?:EHLO|HELO)\s+)([^\s()]+)", re.IGNORECASE)
_INSIDE: Final = tuple(
    map(ipaddress.ip_network, ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"))
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The client's address, the name that it gave, and MAIL FROM (None: unknown; empty: the null sender).

    `notes` say where each came from.
    """

    ip: str = ""
    helo: str = ""
    sender: str | None = None
    notes: tuple[str, ...] = ()


def envelope(headers: Headers, *, ip: str = "", helo: str = "", sender: str | None = None) -> Envelope:
    """What is known, completed from Received and Return-Path fields."""
    notes = []
    if not ip or not helo:
        found = _client(headers)
        if found is not None:
            number, their_ip, their_helo = found
            of = "the topmost Received field" if number == 1 else f"Received field {number}, the first from outside"
            if not ip:
                ip = their_ip
                notes.append(f"client {ip}: from {of}")
            if not helo and their_ip == ip and their_helo:
                helo = their_helo
                notes.append(f"HELO {helo}: from {of}")
    if not ip:
        notes.append("client: unknown, no Received field tells it; give it with --ip")
    if sender is None:
        paths = headers.all(b"return-path")
        if paths:
            sender = paths[0].text.strip().strip("<>").strip()
            notes.append(f"sender <{sender}>: from the topmost Return-Path field")
        else:
            notes.append("sender: unknown, there is no Return-Path field; give it with --from")
    return Envelope(ip, helo, sender, tuple(notes))


def _client(headers: Headers) -> tuple[int, str, str] | None:
    """The topmost Received field with a client from outside, else the topmost with any: its number, address, HELO."""
    first = None
    for number, field in enumerate(headers.all(b"received")[:RECEIVED_LIMIT], 1):
        found = client_of(field.text[:4000])
        if found is None:
            continue
        if not any(ipaddress.ip_address(found[0]) in network for network in _INSIDE):
            return number, *found
        first = first or (number, *found)
    return first


def client_of(received: str) -> tuple[str, str] | None:
    """Address and HELO name in a Received field, in the forms that common servers write; None without an address."""
    match = _FROM.match(received)
    if match is None:
        return None
    name, rest = match[1], match[2]
    for candidate in (*_BRACKETED.findall(name + rest), *_BARE.findall(name + rest)):
        try:
            ip = str(ipaddress.ip_address(candidate))
        except ValueError:
            continue
        given = _HELO.search(rest)
        helo = given[1] if given is not None else "" if name.startswith("[") else name
        return ip, helo.strip("[]") if helo.startswith("[") and not given else helo
    return None
