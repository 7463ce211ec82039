"""Lists of hosts as routers are given them: ``h1:h2::26:+:[10.0.0.3]::27:example.org/mx``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eximious.address.delivery import Host
from eximious.config.lists import split

if TYPE_CHECKING:
    from random import Random

MOST_HOSTS: Final = 1000  # more in one list are a mistake
BRACKETED: Final = re.compile(r"\[([^\]]*)\](?:[:.](\d{1,5}))")
NAMED: Final = re.compile(r"([^:]*):(\d{1,5})")


def parse_hosts(text: str, *, randomize: bool, random: Random) -> list[Host]:
    """The hosts of a list, each with its port; in random order within the groups that ``+`` delimits, if asked for."""
    hosts: list[Host] = []
    group = 0
    for item in split(text)[:MOST_HOSTS]:
        if item == "+":
            group += 1000
        elif item:
            host = parse_host(item)
            host.sort_key = group + random.randrange(1000) if randomize else 0
            hosts.append(host)
    if randomize:
        hosts.sort(key=lambda host: host.sort_key)
    return hosts


def parse_host(item: str) -> Host:
    """One host with its port, if it has one."""
    name, port = split_port(item)
    return Host(name, port=port)


def split_port(item: str) -> tuple[str, int]:
    """Name or address, and port; 0 if there is none. Only an address with a port may stand in brackets."""
    for pattern in (BRACKETED, NAMED):
        found = pattern.fullmatch(item)
        if found is not None and int(found[2]) < 65536:
            return found[1], int(found[2])
    return item, 0
