"""Reading LMDB files (data version 1, as versions 0.9 of the library write it on 64-bit machines).

Pages are read, not mapped, and every number in them is checked: a file that is damaged, cut short or made by somebody
with bad intentions is an error, where the library would end the process. Nothing is locked, so a file on a read-only
file system will do. A writer may be at work: what was found holds if no more than one transaction has been completed
meanwhile, because only then are pages used again. Layout: mdb.c of LMDB 0.9.
"""

from __future__ import annotations

import os
import struct
from typing import Final

MAGIC: Final = 0xBEEFC0DE
VERSION: Final = 1
PAGE_SIZES: Final = frozenset(2**power for power in range(9, 17))
NO_PAGE: Final = 2**64 - 1
HEADER_SIZE: Final = 16  # of a page
NODE_SIZE: Final = 8  # of what stands before a key
META_SIZE: Final = 152  # header and contents of the two pages that a file begins with
DEEPEST: Final = 64  # pages from the root to a leaf; more are a loop
LARGEST: Final = 64 * 1024 * 1024  # octets of one datum
MOST_TRIES: Final = 20  # while a writer is at work

# Page types.
BRANCH: Final = 0x01
LEAF: Final = 0x02
OVERFLOW: Final = 0x04
LEAF2: Final = 0x20  # keys of one length, without data
SUBPAGE: Final = 0x40  # in the place of a datum: several data for one key

# Kinds of nodes in a leaf.
BIG: Final = 0x01  # the datum has pages of its own
SUBDATABASE: Final = 0x02
DUPLICATES: Final = 0x04

# Orders of keys that need another comparison.
REVERSE_KEY: Final = 0x02
INTEGER_KEY: Final = 0x08

_META: Final = struct.Struct("<IIQQ")  # magic, version, address, size of the map
_TREE: Final = struct.Struct("<IHHQQQQQ")  # pad (of the first: the page size), flags, depth, four numbers, root
_TREES_OFFSET: Final = 40
_TRANSACTION_OFFSET: Final = 144
_HEADER: Final = struct.Struct("<QHHHH")  # number, pad, flags, lower, upper
_NODE: Final = struct.Struct("<HHHH")  # number or size in three parts (a leaf: two, and flags), length of the key
_SHORT: Final = struct.Struct("<H")
_LONG: Final = struct.Struct("<Q")


class DatabaseError(Exception):
    """The file is not LMDB's, is damaged, or is of a kind that is not understood."""


class Snapshot:
    """The state after one transaction."""

    __slots__ = ("flags", "page_size", "root", "transaction")

    def __init__(self, page_size: int, flags: int, root: int, transaction: int) -> None:
        self.page_size = page_size
        self.flags = flags  # of the main database
        self.root = root  # page of the main database
        self.transaction = transaction


class LmdbFile:
    """An open file. The descriptor is duplicated, and closed with the object."""

    def __init__(self, fd: int) -> None:
        self._fd = os.dup(fd)
        self._page_size = 0

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    __del__ = close

    def get(self, key: bytes, name: bytes = b"") -> bytes | None:
        """The datum of the key (the first if there are several) in the main database, or in the one of that name.

        None if there is no such key. Raises DatabaseError, or OSError if the file cannot be read.
        """
        for _ in range(MOST_TRIES):
            snapshot = self._snapshot()
            try:
                found = self._get(snapshot, key, name)
            except DatabaseError:
                if not self._has_moved_on(snapshot):
                    raise
                continue
            if not self._has_moved_on(snapshot):
                return found
        raise DatabaseError("the file changes faster than it can be read")

    def _has_moved_on(self, snapshot: Snapshot) -> bool:
        return self._snapshot().transaction > snapshot.transaction + 1

    def _snapshot(self) -> Snapshot:
        """The newer of the two states that the file has."""
        first = self._meta(0)
        self._page_size = self._page_size or first.page_size
        second = self._meta(self._page_size)
        return first if first.transaction >= second.transaction else second

    def _meta(self, offset: int) -> Snapshot:
        octets = os.pread(self._fd, META_SIZE, offset)
        if len(octets) < META_SIZE:
            raise DatabaseError("the file is too short")
        magic, version, _, _ = _META.unpack_from(octets, HEADER_SIZE)
        if magic != MAGIC:
            raise DatabaseError("the file is not an LMDB file")
        if version & 0xFFFF != VERSION:
            raise DatabaseError(f"the file has version {version & 0xFFFF} of LMDB's format, and {VERSION} is wanted")
        page_size = _TREE.unpack_from(octets, _TREES_OFFSET)[0]
        if page_size not in PAGE_SIZES:
            raise DatabaseError(f"the file has pages of {page_size} octets")
        tree = _TREE.unpack_from(octets, _TREES_OFFSET + _TREE.size)
        return Snapshot(page_size, tree[1], tree[7], _LONG.unpack_from(octets, _TRANSACTION_OFFSET)[0])

    def _get(self, snapshot: Snapshot, key: bytes, name: bytes) -> bytes | None:
        flags, root = snapshot.flags, snapshot.root
        if name:
            kind, datum = self._find(snapshot, flags, root, name)
            if datum is None or kind != SUBDATABASE or len(datum) != _TREE.size:
                raise DatabaseError(f'there is no database "{name.decode("latin-1")}" in the file')
            tree = _TREE.unpack(datum)
            flags, root = tree[1], tree[7]
        kind, datum = self._find(snapshot, flags, root, key)
        if datum is None or kind == SUBDATABASE:
            return None
        return self._first(snapshot, kind, datum) if kind & DUPLICATES else datum

    def _find(self, snapshot: Snapshot, flags: int, root: int, key: bytes) -> tuple[int, bytes | None]:
        """The kind of the node with that key, and its datum."""
        if flags & (REVERSE_KEY | INTEGER_KEY):
            raise DatabaseError("the keys of the database are in an order that is not supported")
        number = root
        for _ in range(DEEPEST):
            if number == NO_PAGE:
                return 0, None
            page = self._page(snapshot, number)
            if page.type & LEAF:
                return self._in_leaf(snapshot, page, key)
            number = page.child(key)
        raise DatabaseError("the tree has a loop")

    def _in_leaf(self, snapshot: Snapshot, page: Page, key: bytes) -> tuple[int, bytes | None]:
        index = page.place(key, 0)
        if index >= page.count or page.key(index) != key:
            return 0, None
        kind, size, at = page.datum(index)
        if not kind & BIG:
            return kind, page.octets[at : at + size]
        (number,) = _LONG.unpack_from(page.octets, at)
        return kind & ~BIG, self._overflow(snapshot, number, size)

    def _overflow(self, snapshot: Snapshot, number: int, size: int) -> bytes:
        if size > LARGEST:
            raise DatabaseError(f"a datum of {size} octets is too long")
        octets = self._read(number * snapshot.page_size, HEADER_SIZE + size)
        found, _, kind, _, _ = _HEADER.unpack_from(octets)
        if found != number or not kind & OVERFLOW:
            raise DatabaseError(f"page {number} is not one of a long datum")
        return octets[HEADER_SIZE:]

    def _first(self, snapshot: Snapshot, kind: int, datum: bytes) -> bytes:
        """The first of several data: they are the keys of a page within the leaf, or of a tree of their own."""
        if not kind & SUBDATABASE:
            return Page(datum, SUBPAGE).first_key()
        if len(datum) != _TREE.size:
            raise DatabaseError("a tree of data is damaged")
        number = _TREE.unpack(datum)[7]
        for _ in range(DEEPEST):
            page = self._page(snapshot, number)
            if page.type & LEAF:
                return page.first_key()
            number = page.number(0)
        raise DatabaseError("the tree has a loop")

    def _page(self, snapshot: Snapshot, number: int) -> Page:
        octets = self._read(number * snapshot.page_size, snapshot.page_size)
        if _LONG.unpack_from(octets)[0] != number:
            raise DatabaseError(f"page {number} is not where it should be")
        return Page(octets, BRANCH | LEAF)

    def _read(self, offset: int, size: int) -> bytes:
        if offset >= 2**62:
            raise DatabaseError("the file refers to a page that cannot be")
        octets = os.pread(self._fd, size, offset)
        if len(octets) < size:
            raise DatabaseError("the file has been cut short")
        return octets


class Page:
    """One page of a tree: nodes in the order of their keys."""

    __slots__ = ("_pad", "count", "octets", "type")

    def __init__(self, octets: bytes, types: int) -> None:
        """Read the header; raises DatabaseError if the page is of none of those types."""
        if len(octets) < HEADER_SIZE:
            raise DatabaseError("a page is cut short")
        self.octets = octets
        _, self._pad, self.type, lower, _ = _HEADER.unpack_from(octets)
        size = self._pad if self.type & LEAF2 else 2
        self.count = (lower - HEADER_SIZE) // 2  # of nodes; a page without pointers counts as if it had them
        if not self.type & types or lower < HEADER_SIZE or HEADER_SIZE + self.count * size > len(octets):
            raise DatabaseError("a page is damaged")

    def place(self, key: bytes, start: int) -> int:
        """The number of the first node from `start` on whose key is not less than that."""
        low, high = start, self.count
        while low < high:
            middle = (low + high) // 2
            if self.key(middle) < key:
                low = middle + 1
            else:
                high = middle
        return low

    def child(self, key: bytes) -> int:
        """The page below this branch that may have the key."""
        if not self.count:
            raise DatabaseError("a branch is empty")
        index = self.place(key, 1)  # the first node has no key: it is for all that is less than the second
        if index >= self.count or self.key(index) != key:
            index -= 1
        return self.number(index)

    def number(self, index: int) -> int:
        """The page that a node of a branch leads to."""
        low, middle, high, _ = _NODE.unpack_from(self.octets, self._node(index))
        return int(low | middle << 16 | high << 32)

    def key(self, index: int) -> bytes:
        """The key of a node."""
        if self.type & LEAF2:
            start = HEADER_SIZE + index * self._pad
            return self.octets[start : start + self._pad]
        node = self._node(index)
        length = _SHORT.unpack_from(self.octets, node + 6)[0]
        start = node + NODE_SIZE
        if start + length > len(self.octets):
            raise DatabaseError("a key is not in its page")
        return self.octets[start : start + length]

    def first_key(self) -> bytes:
        """The key of the first node."""
        if not self.count:
            raise DatabaseError("a page is empty")
        return self.key(0)

    def datum(self, index: int) -> tuple[int, int, int]:
        """Kind, size and offset of a datum in a leaf; of a long one the offset is that of its page's number."""
        node = self._node(index)
        low, high, kind, length = _NODE.unpack_from(self.octets, node)
        size = low | high << 16
        start = node + NODE_SIZE + length
        if self.type & LEAF2 or start + (_LONG.size if kind & BIG else size) > len(self.octets):
            raise DatabaseError("a datum is not in its page")
        return kind, size, start

    def _node(self, index: int) -> int:
        """The offset of a node."""
        offset: int = _SHORT.unpack_from(self.octets, HEADER_SIZE + index * 2)[0]
        if not HEADER_SIZE <= offset <= len(self.octets) - NODE_SIZE:
            raise DatabaseError("a node is not in its page")
        return offset
