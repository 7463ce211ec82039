"""A message as signatures see it: its header fields in their order, octets unchanged, and its body with CRLF line ends.

A mail server has parsed the message already and gives its fields to `Headers`; `split` is for a message in one piece.
There is one reader, so that all methods mean the same by "the header" (what stands between two fields and is not one,
ends it).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from eximious.mailauth.canonical import relaxed_value

HEADER_LIMIT: Final = 10_000  # fields that are looked at

_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")
_NEXT_FIELD: Final = re.compile(rb"\r\n(?![ \t])")
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")


class MessageError(ValueError):
    """What was given is no header field."""


class Field:
    """One header field. `raw` ends with CRLF; `name` is in lower case."""

    __slots__ = ("_relaxed", "name", "raw", "value_at")

    def __init__(self, raw: bytes, match: re.Match[bytes] | None = None) -> None:
        if match is None:
            match = _FIELD.match(raw)
            if match is None:
                raise MessageError(f"{raw[:40]!r} is not a header field")
        self.raw = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
        self.name = match[1].lower()
        self.value_at = match.end()
        self._relaxed: bytes | None = None

    def __repr__(self) -> str:
        return f"Field({self.raw!r})"

    @property
    def spelling(self) -> str:
        """The name as it is written."""
        return self.raw[: len(self.name)].decode("latin-1")

    @property
    def value(self) -> bytes:
        """What follows the colon, folds and all, without the final CRLF."""
        return self.raw[self.value_at : -2]

    @property
    def text(self) -> str:
        """The value, octets in str."""
        return self.value.decode("latin-1")

    @property
    def relaxed(self) -> bytes:
        """The field in relaxed canonicalization, with CRLF (RFC 6376 section 3.4.2)."""
        if self._relaxed is None:
            self._relaxed = b"%b:%b\r\n" % (self.name, relaxed_value(self.raw[self.value_at : -2]))
        return self._relaxed

    def canonical(self, is_relaxed: bool) -> bytes:
        """The field as it is hashed."""
        return self.relaxed if is_relaxed else self.raw


class Headers:
    """The header fields of a message, in their order."""

    __slots__ = ("_by_name", "fields")

    def __init__(self, fields: Iterable[Field | bytes] = ()) -> None:
        self.fields = [one if isinstance(one, Field) else Field(crlf(one)) for one in fields]
        self._by_name: dict[bytes, list[Field]] | None = None

    def all(self, name: bytes) -> list[Field]:
        """The fields of a name (in lower case), the topmost first."""
        return self._index().get(name, _NONE)

    def _index(self) -> dict[bytes, list[Field]]:
        if self._by_name is None:
            self._by_name = {}
            for field in self.fields:
                self._by_name.setdefault(field.name, []).append(field)
        return self._by_name

    def chosen(self, names: Iterable[bytes]) -> list[Field]:
        """The fields that a list of names means: each name takes the lowest one that is left (section 5.4.2)."""
        by_name = self._index()
        left: dict[bytes, int] = {}
        found = []
        for name in names:
            fields = by_name.get(name)
            if fields is not None:
                index = left.get(name, len(fields)) - 1
                if index >= 0:
                    left[name] = index
                    found.append(fields[index])
        return found


_NONE: Final[list[Field]] = []


def from_lines(lines: Iterable[bytes]) -> Headers:
    """The header of a message that somebody has taken apart; what is no field is left out."""
    fields = []
    for line in lines:
        try:
            fields.append(Field(crlf(line)))
        except MessageError:
            continue  # a lenient reader let it pass, but it is nothing that could be signed
    return Headers(fields)


def crlf(data: bytes) -> bytes:
    """The same with CRLF for line ends that are LF alone."""
    # Five times faster than counting.
    if b"\n" not in data.replace(b"\r\n", b""):
        return data
    if b"\r" not in data:
        return data.replace(b"\n", b"\r\n")
    return _BARE_LF.sub(b"\r\n", data)


def split(message: bytes) -> tuple[Headers, bytes]:
    """Header and body of a message, its lines ended by CRLF or LF. A first line as mailboxes have it is left out."""
    message = crlf(message)
    if message.startswith(b"From "):
        message = message.partition(b"\r\n")[2]
    if message.startswith(b"\r\n"):
        return Headers(), message[2:]
    block, blank, body = message.partition(b"\r\n\r\n")
    lines = _NEXT_FIELD.split(block)
    if lines and not lines[-1]:
        lines.pop()
    fields: list[Field] = []
    for at, line in enumerate(lines):
        match = _FIELD.match(line)
        if match is None or at >= HEADER_LIMIT:
            # No field: the header ends here, and the rest is body.
            return Headers(fields), b"\r\n".join(lines[at:]) + blank + body
        fields.append(Field(line + b"\r\n", match))
    return Headers(fields), body
