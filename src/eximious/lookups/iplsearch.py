"""iplsearch: a text file with IP addresses and networks at the start of its lines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.errors import Defer
from eximious.expand.ip import mask, pack, without_mapping
from eximious.lookups.base import Options, SingleKeyLookup, lookups
from eximious.lookups.linear_file import Entry, entries
from eximious.lookups.lsearch import PURPOSE, answer, read_text

if TYPE_CHECKING:
    from eximious.context import Context

Network = tuple[bytes, int, Entry]  # the network's address, its length in bits, the line


class AddressSearch(SingleKeyLookup):
    """The first line whose address or network contains the key."""

    name = "iplsearch"
    options = ("ret",)

    def find(self, context: Context, path: str, key: str, options: Options) -> str | None:
        networks: list[Network] = context.services.lookups.files.get(path, self.name, PURPOSE, _read_networks)
        wanted = pack(key)
        if wanted is None:
            if key.startswith("*"):
                return None  # looked for by default, and never found
            raise Defer(
                f'"{key}" is not a valid iplsearch key (an IP address, with optional CIDR mask, is wanted): '
                "in a host list, use net-iplsearch as the search type"
            )
        wanted = without_mapping(wanted)
        for octets, bits, entry in networks:
            if len(octets) == len(wanted) and mask(wanted, bits) == octets:
                return answer(entry, options)
        return None


def _read_networks(fd: int, status: os.stat_result) -> tuple[list[Network], int]:
    networks: list[Network] = []
    for key, rest in entries(read_text(fd, status)):
        address, slash, bits = key.partition("/")
        octets = pack(address)
        if octets is None or (slash and not bits.isdecimal()):
            continue
        length = min(int(bits), len(octets) * 8) if slash else len(octets) * 8
        networks.append((mask(octets, length), length, (key, rest)))
    return networks, status.st_size * 4


lookups.register("iplsearch")(AddressSearch())
