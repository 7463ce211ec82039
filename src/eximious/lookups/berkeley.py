"""Reading Berkeley DB files (hash and btree, versions 4 to 5.3), as Debian's Exim and many other programs write them.

Only what a lookup needs: one key, one datum, no duplicates, no encryption, no checksums. Layout: db_page.h and the
comments in hash_page.c of Berkeley DB 5.3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

HASH_MAGIC: Final = 0x061561
BTREE_MAGIC: Final = 0x053162
MAGIC_OFFSET: Final = 12
HEADER_SIZE: Final = 26  # of a page
MOST_PAGES: Final = 1_000_000  # followed in one chain; more are a loop

# Page types.
INTERNAL: Final = 3
LEAF: Final = 5
OVERFLOW: Final = 7
HASH_PAGES: Final = (2, 13)  # unsorted, sorted

# Item types.
HASH_KEYDATA: Final = 1
HASH_OFFPAGE: Final = 3
BTREE_KEYDATA: Final = 1
BTREE_OVERFLOW: Final = 3
DELETED: Final = 0x80


class DatabaseError(Exception):
    """The file is no Berkeley DB file, is damaged, or is of a kind that is not understood."""


class Page:
    """One page: its header, and where its items are."""

    __slots__ = ("data", "entries", "free", "next", "offset", "type")

    def __init__(self, file: Database, number: int) -> None:
        self.data = file.data
        self.offset = number * file.page_size
        if number < 0 or self.offset + file.page_size > len(self.data):
            raise DatabaseError(f"there is no page {number}")
        self.next, self.entries, self.free, _, self.type = file.header.unpack_from(self.data, self.offset + 16)

    def index(self, file: Database, item: int) -> int:
        """The offset of an item in the page."""
        (offset,) = file.short.unpack_from(self.data, self.offset + HEADER_SIZE + item * 2)
        if not HEADER_SIZE <= offset <= file.page_size:
            raise DatabaseError("an item is not in its page")
        return int(offset)


class Database:
    """An open file; `data` is all of it."""

    def __init__(self, data: Any) -> None:
        self.data = data
        if len(data) < 512:
            raise DatabaseError("the file is too short")
        for order in ("<", ">"):
            (magic,) = struct.unpack_from(f"{order}I", data, MAGIC_OFFSET)
            if magic in (HASH_MAGIC, BTREE_MAGIC):
                break
        else:
            raise DatabaseError("this is no Berkeley DB file")
        self.magic = magic
        self.order = order
        self.header = struct.Struct(f"{order}IHHBB")  # next page, entries, free space, level, type
        self.short = struct.Struct(f"{order}H")
        self.long = struct.Struct(f"{order}I")
        self.page_size = self._long(20)
        if self.page_size not in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536):
            raise DatabaseError(f"the page size is {self.page_size}")
        if data[24]:
            raise DatabaseError("the file is encrypted")

    def _long(self, offset: int) -> int:
        return int(self.long.unpack_from(self.data, offset)[0])

    def get(self, key: bytes) -> bytes | None:
        """The datum of the key, or None. Raises DatabaseError."""
        try:
            return self._hash_get(key) if self.magic == HASH_MAGIC else self._btree_get(key)
        except (struct.error, IndexError) as error:
            raise DatabaseError(f"the file is damaged: {error}") from None

    def items(self) -> list[tuple[bytes, bytes]]:
        """All keys and data. Raises DatabaseError."""
        found: list[tuple[bytes, bytes]] = []
        try:
            for number in range(1, len(self.data) // self.page_size):
                page = Page(self, number)
                if page.type in HASH_PAGES or page.type == LEAF:
                    for item in range(0, page.entries - 1, 2):
                        found.append((self._any_item(page, item), self._any_item(page, item + 1)))
        except (struct.error, IndexError) as error:
            raise DatabaseError(f"the file is damaged: {error}") from None
        return found

    def _any_item(self, page: Page, item: int) -> bytes:
        return self._btree_item(page, item) if page.type == LEAF else self._hash_item(page, item, None) or b""

    # Hash -------------------------------------------------------------------------------------------------------------

    def _hash_get(self, key: bytes) -> bytes | None:
        number = self._bucket(key)
        for page in self._chain(number + self._long(96 + 4 * number.bit_length())):
            if page.type not in HASH_PAGES:
                raise DatabaseError(f"a page of a bucket is of type {page.type}")
            for item in range(0, page.entries - 1, 2):
                if self._hash_item(page, item, len(key)) == key:
                    return self._hash_item(page, item + 1, None)
        return None

    def _bucket(self, key: bytes) -> int:
        max_bucket, high_mask, low_mask = (self._long(offset) for offset in (72, 76, 80))
        bucket = _fowler(key) & high_mask
        return bucket & low_mask if bucket > max_bucket else bucket

    def _hash_item(self, page: Page, item: int, wanted: int | None) -> bytes | None:
        """The octets of an item; None if its length is not the wanted one."""
        start = page.index(self, item)
        end = self.page_size if item == 0 else page.index(self, item - 1)
        kind = self.data[page.offset + start]
        if kind == HASH_KEYDATA:
            if wanted is not None and end - start - 1 != wanted:
                return None
            return bytes(self.data[page.offset + start + 1 : page.offset + end])
        if kind == HASH_OFFPAGE:
            number, length = self._long(page.offset + start + 4), self._long(page.offset + start + 8)
            return None if wanted is not None and length != wanted else self._overflow(number, length)
        raise DatabaseError("duplicate items are not supported")

    # Btree ------------------------------------------------------------------------------------------------------------

    def _btree_get(self, key: bytes) -> bytes | None:
        page = Page(self, self._long(88))
        for _ in range(64):
            if page.type == LEAF:
                return self._in_leaf(page, key)
            if page.type != INTERNAL:
                break
            page = Page(self, self._child(page, key))
        raise DatabaseError(f"a page of the tree is of type {page.type}")

    def _child(self, page: Page, key: bytes) -> int:
        """The page below that may have the key: that of the last item whose key is not larger."""
        low, high = 0, page.entries
        while high - low > 1:
            middle = (low + high) // 2
            if self._internal_key(page, middle) <= key:
                low = middle
            else:
                high = middle
        return self._long(page.offset + page.index(self, low) + 4)

    def _internal_key(self, page: Page, item: int) -> bytes:
        start = page.offset + page.index(self, item)
        (length,) = self.short.unpack_from(self.data, start)
        if self.data[start + 2] & ~DELETED == BTREE_OVERFLOW:
            return self._overflow(self._long(start + 12 + 4), self._long(start + 12 + 8))
        return bytes(self.data[start + 12 : start + 12 + length])

    def _in_leaf(self, page: Page, key: bytes) -> bytes | None:
        low, high = 0, page.entries // 2
        while low < high:
            middle = (low + high) // 2
            if self._btree_item(page, middle * 2) < key:
                low = middle + 1
            else:
                high = middle
        if low * 2 + 1 >= page.entries or self._btree_item(page, low * 2) != key:
            return None
        if self.data[page.offset + page.index(self, low * 2 + 1) + 2] & DELETED:
            return None
        return self._btree_item(page, low * 2 + 1)

    def _btree_item(self, page: Page, item: int) -> bytes:
        start = page.offset + page.index(self, item)
        kind = self.data[start + 2] & ~DELETED
        if kind == BTREE_KEYDATA:
            (length,) = self.short.unpack_from(self.data, start)
            return bytes(self.data[start + 3 : start + 3 + length])
        if kind == BTREE_OVERFLOW:
            return self._overflow(self._long(start + 4), self._long(start + 8))
        raise DatabaseError("duplicate items are not supported")

    # Both -------------------------------------------------------------------------------------------------------------

    def _chain(self, number: int) -> Iterator[Page]:
        """A page and those that follow it."""
        for _ in range(MOST_PAGES):
            page = Page(self, number)
            yield page
            number = page.next
            if number == 0:
                return
        raise DatabaseError("pages follow each other for ever")

    def _overflow(self, number: int, length: int) -> bytes:
        """An item that is too long for a page: it has pages of its own."""
        if length > len(self.data):
            raise DatabaseError("an item is longer than the file")
        parts: list[bytes] = []
        size = 0
        for page in self._chain(number):
            if page.type != OVERFLOW:
                raise DatabaseError(f"an overflow page is of type {page.type}")
            start = page.offset + HEADER_SIZE
            parts.append(bytes(self.data[start : start + page.free]))
            size += page.free
            if size > length:
                raise DatabaseError("an item is longer than it says")
        return b"".join(parts)


def _fowler(key: bytes) -> int:
    """The hash function of Berkeley DB since version 3: Fowler, Noll and Vo's with 0 to begin with."""
    number = 0
    for octet in key:
        number = (number * 16777619 & 0xFFFFFFFF) ^ octet
    return number
