"""Which addresses of a message are done with, under what names that is remembered, and when their parents are.

A redirected address is done when all that it was redirected to is. So that another attempt does not deliver again what
has been delivered, each finished address is recorded under its unique name. An address that was redirected to itself
(to a mailbox and a copy elsewhere, say) has a name of its own at each level: ``\\0\\user@example.org``, ``\\1\\...``;
deliveries to it are remembered together with their transport. These names are Exim's: either program finishes what the
other began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.spool.claimed import Claimed

MARK = "\\"


class Done:
    """The finished addresses of one message."""

    def __init__(self, claimed: Claimed) -> None:
        self._claimed = claimed
        self._names = claimed.message.nonrecipients
        self.duplicates: dict[str, list[Address]] = {}  # addresses that were left out, by the name of the first
        self.is_left_out: set[int] = set()  # their id()

    def has(self, name: str) -> bool:
        """True if this is done already."""
        return name in self._names

    def was_transported(self, address: Address) -> bool:
        """True if an earlier attempt delivered to this address by its transport."""
        if f"{plain(address.unique)}/{address.transport.name}" in self._names:
            return True
        return not is_homonym(address) and address.unique in self._names

    def add(self, address: Address) -> list[Address]:
        """Record that an address is done; the parents that thereby are done too, the nearest first.

        Raises SpoolError if it cannot be stored.
        """
        if is_homonym(address):
            if address.transport is not None:
                self._record(f"{plain(address.unique)}/{address.transport.name}")
        else:
            self._record(address.unique)
        finished = self._parents(address)
        for duplicate in self.duplicates.pop(address.unique, ()):
            if not is_homonym(duplicate):
                self._record(duplicate.unique)
            finished += self._parents(duplicate)
        return finished

    def _record(self, name: str) -> None:
        if name not in self._names:
            self._claimed.record_done(name)

    def _parents(self, address: Address) -> list[Address]:
        finished = []
        parent = address.parent
        while parent is not None:
            parent.child_count -= 1
            if parent.child_count > 0:
                break
            if not is_homonym(parent):
                self._record(parent.unique)
            finished.append(parent)
            parent = parent.parent
        return finished

    def originals(self, addresses: list[Address]) -> list[str]:
        """The recipients of the message that the addresses stem from; those of duplicates that were left out first.

        A recipient that the message has twice is named twice.
        """
        seen: set[int] = set()
        named: dict[int, str] = {}

        def visit(address: Address) -> None:
            if id(address) in seen:
                return
            seen.add(id(address))
            top = node = address
            while node is not None:
                if id(node) not in self.is_left_out:
                    for duplicate in reversed(self.duplicates.get(node.unique, ())):
                        visit(duplicate)
                top, node = node, node.parent  # type: ignore[assignment]
            named.setdefault(id(top), top.address)

        for address in addresses:
            visit(address)
        return list(named.values())

    def add_duplicate(self, address: Address) -> None:
        """The address is left out, since another of that name is delivered to; it is done when that is."""
        self.is_left_out.add(id(address))
        self.duplicates.setdefault(address.unique, []).append(address)


def is_homonym(address: Address) -> bool:
    """True if the address was generated from one that is the same."""
    return address.unique.startswith(MARK)


def plain(unique: str) -> str:
    """The address in a unique name."""
    return unique[3:] if unique.startswith(MARK) else unique


def name_child(address: Address) -> None:
    """Give an address that was generated from another its unique name."""
    parent = address.parent
    if parent is None:
        return
    if address.redirected_file:
        address.unique = f"{address.redirected_file}:{plain(parent.unique)}"
    elif _is_same(address.address, parent.address):
        level = chr(ord(parent.unique[1]) + 1) if is_homonym(parent) else "0"
        address.unique = f"{MARK}{level}{MARK}{_lower_domain(address.address)}"


def _lower_domain(text: str) -> str:
    local_part, at, domain = text.rpartition("@")
    return f"{local_part}{at}{domain.lower()}"


def _is_same(one: str, other: str) -> bool:
    return one.lower() == other.lower()
