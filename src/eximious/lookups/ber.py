"""BER, as far as LDAP needs it: tags of one octet, definite lengths. (X.690)"""

from __future__ import annotations

from typing import Final

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
ENUMERATED: Final = 0x0A
SEQUENCE: Final = 0x30
SET: Final = 0x31
BOOLEAN: Final = 0x01

MOST_LENGTH_OCTETS: Final = 4


class BerError(ValueError):
    """The octets are not BER, or not what was expected."""


def encode(tag: int, content: bytes) -> bytes:
    """One element."""
    length = len(content)
    if length < 128:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 128 | len(octets))) + octets + content


def integer(number: int, tag: int = INTEGER) -> bytes:
    """A number that is not negative."""
    return encode(tag, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def string(octets: bytes, tag: int = OCTET_STRING) -> bytes:
    """A string of octets."""
    return encode(tag, octets)


def boolean(value: bool) -> bytes:
    """True or false."""
    return encode(BOOLEAN, b"\xff" if value else b"\0")


def complete_length(buffer: bytes | bytearray) -> int:
    """How long the element is that begins the buffer, header and all; 0 if that cannot be seen yet."""
    if len(buffer) < 2:
        return 0
    first = buffer[1]
    if first < 128:
        return 2 + first
    count = first & 127
    if not 0 < count <= MOST_LENGTH_OCTETS:
        raise BerError("length is not in the definite form, or too long")
    if len(buffer) < 2 + count:
        return 0
    return 2 + count + int.from_bytes(buffer[2 : 2 + count], "big")


class Reader:
    """Elements one after the other."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        """True if there is nothing more."""
        return self._at >= len(self._octets)

    def next(self) -> tuple[int, bytes]:
        """Tag and content of the next element. Raises BerError."""
        rest = self._octets[self._at :]
        length = complete_length(rest)
        if length == 0 or length > len(rest):
            raise BerError("element is not complete")
        self._at += length
        header = 2 if rest[1] < 128 else 2 + (rest[1] & 127)
        return rest[0], rest[header:length]

    def expect(self, tag: int) -> bytes:
        """The content of the next element, which must have that tag."""
        found, content = self.next()
        if found != tag:
            raise BerError(f"element has tag {found:#x}, not {tag:#x}")
        return content

    def integer(self, tag: int = INTEGER) -> int:
        """The next element as a number."""
        return int.from_bytes(self.expect(tag), "big", signed=True)
