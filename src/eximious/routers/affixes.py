"""Prefixes and suffixes of local parts: ``real-user``, ``user+anything``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.routers.base import Router


def remove_affixes(router: Router, address: Address) -> bool:
    """Take the router's prefix and suffix off the address's local part; False if a mandatory one is missing.

    What was removed, and what a ``*`` in it stood for, is left in the address; all of it is empty if there was none.
    """
    address.local_part_prefix = address.local_part_prefix_v = ""
    address.local_part_suffix = address.local_part_suffix_v = ""
    if router.local_part_prefix is not None:
        found = match_prefix(address.local_part, list(router.local_part_prefix))
        if found is None and not router.local_part_prefix_optional:
            return False
        length, wild = found or (0, "")
        address.local_part_prefix = address.local_part[:length]
        address.local_part_prefix_v = wild
        address.local_part = address.local_part[length:]
    if router.local_part_suffix is not None:
        found = match_suffix(address.local_part, list(router.local_part_suffix))
        if found is None and not router.local_part_suffix_optional:
            return False
        length, wild = found or (0, "")
        start = len(address.local_part) - length
        address.local_part_suffix = address.local_part[start:]
        address.local_part_suffix_v = wild
        address.local_part = address.local_part[:start]
    return True


def match_prefix(local_part: str, prefixes: list[str]) -> tuple[int, str] | None:
    """Length of the first prefix in the list that matches, and what its ``*`` stands for; None if none does.

    Letters match in either case. ``*`` stands for as much as possible, and something must be left of the local part
    behind the prefix.
    """
    lowered = local_part.lower()
    for prefix in prefixes:
        wanted = prefix.lower()
        if not wanted.startswith("*"):
            if lowered.startswith(wanted):
                return len(wanted), ""
            continue
        at = lowered.rfind(wanted[1:], 0, len(lowered))
        if at >= 0:
            return at + len(wanted) - 1, local_part[:at]
    return None


def match_suffix(local_part: str, suffixes: list[str]) -> tuple[int, str] | None:
    """The same for suffixes, whose ``*`` stands at the end."""
    lowered = local_part.lower()
    for suffix in suffixes:
        wanted = suffix.lower()
        if not wanted.endswith("*"):
            if lowered.endswith(wanted):
                return len(wanted), ""
            continue
        at = lowered.find(wanted[:-1])
        if at >= 0:
            return len(lowered) - at, local_part[at + len(wanted) - 1 :]
    return None
