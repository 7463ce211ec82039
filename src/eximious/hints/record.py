"""The records of the hints databases, and their form on disk.

Each record knows when it was written, for tidying. On disk a record is a version, its fields in order, and nothing
more; whatever does not decode is as good as absent, for hints are expendable.
"""

from __future__ import annotations

import math
import struct
from typing import Any, ClassVar, Final, TypeVar

VERSION: Final = 1

_NUMBER: Final = struct.Struct("<q")
_FLOAT: Final = struct.Struct("<d")
_LENGTH: Final = struct.Struct("<I")

R = TypeVar("R", bound="Record")


class Record:
    """Base of all records. `FIELDS` names the fields and their kinds: int, float, text, bytes, texts (a list)."""

    __slots__ = ("written_at",)

    FIELDS: ClassVar[tuple[tuple[str, str], ...]] = ()

    written_at: float  # UNIX time, set whenever the record is stored

    def __init__(self) -> None:
        self.written_at = 0.0

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(getattr(self, f) == getattr(other, f) for f, _ in self.all_fields())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{f}={getattr(self, f)!r}' for f, _ in self.all_fields())})"

    @classmethod
    def all_fields(cls) -> tuple[tuple[str, str], ...]:
        """The fields, with the time of writing first."""
        return (("written_at", "float"), *cls.FIELDS)


class Stamp(Record):
    """Only the fact that something was seen, and when: the databases ``seen`` and parts of ``misc``."""

    __slots__ = ()


class Retry(Record):
    """A host or an address that did not work: the database ``retry``.

    Keys begin with ``R:`` (routing) or ``T:`` (transport). Times are UNIX times in seconds.
    """

    __slots__ = ("errno", "expired", "first_failed", "last_try", "more_errno", "next_try", "text")
    FIELDS = (
        ("errno", "int"),
        ("more_errno", "int"),
        ("first_failed", "float"),
        ("last_try", "float"),
        ("next_try", "float"),
        ("expired", "int"),
        ("text", "text"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.errno = 0
        self.more_errno = 0
        self.first_failed = 0.0
        self.last_try = 0.0
        self.next_try = 0.0
        self.expired = 0  # 1 once the last retry rule has run out
        self.text = ""


class Waiting(Record):
    """Messages that wait for a host: the databases ``wait-TRANSPORT``, keyed by host name."""

    __slots__ = ("message_ids", "sequence")
    FIELDS = (("sequence", "int"), ("message_ids", "texts"))

    def __init__(self) -> None:
        super().__init__()
        self.sequence = 0
        self.message_ids: list[str] = []


class Callout(Record):
    """What a callout said about an address or a domain: the database ``callout``.

    Results are ``accept``, ``reject``, ``reject_mfnull`` (the null sender was refused) or "" for not known; what is
    said of postmaster and of a random local part has its own time.
    """

    __slots__ = ("postmaster_at", "postmaster_result", "random_at", "random_result", "result")
    FIELDS = (
        ("result", "text"),
        ("postmaster_at", "float"),
        ("postmaster_result", "text"),
        ("random_at", "float"),
        ("random_result", "text"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.result = ""
        self.postmaster_at = 0.0
        self.postmaster_result = ""
        self.random_at = 0.0
        self.random_result = ""


class Rate(Record):
    """A measured rate: the database ``ratelimit``. With ``unique=``, a Bloom filter of what was counted already."""

    __slots__ = ("bloom", "bloom_epoch", "rate")
    FIELDS = (("rate", "float"), ("bloom_epoch", "float"), ("bloom", "bytes"))

    def __init__(self) -> None:
        super().__init__()
        self.rate = 0.0
        self.bloom_epoch = 0.0  # when the filter was begun
        self.bloom = b""


class Serialize(Record):
    """How many connections there are to a host, or that an ETRN is at work: the database ``misc``."""

    __slots__ = ("count",)
    FIELDS = (("count", "int"),)

    def __init__(self) -> None:
        super().__init__()
        self.count = 0


class Ehlo(Record):
    """What a host answered to EHLO, for pipelining before it does: the database ``misc``."""

    __slots__ = ("cleartext", "encrypted")
    FIELDS = (("cleartext", "texts"), ("encrypted", "texts"))

    def __init__(self) -> None:
        super().__init__()
        self.cleartext: list[str] = []  # lines of the reply
        self.encrypted: list[str] = []


class TlsSession(Record):
    """A TLS session to resume: the database ``tls``."""

    __slots__ = ("data", "ocsp", "verify_override")
    FIELDS = (("verify_override", "int"), ("ocsp", "int"), ("data", "bytes"))

    def __init__(self) -> None:
        super().__init__()
        self.verify_override = 0
        self.ocsp = 0
        self.data = b""


def encode(record: Record) -> bytes:
    """The record as octets."""
    parts = [bytes((VERSION,))]
    for name, kind in record.all_fields():
        _ENCODE[kind](getattr(record, name), parts)
    return b"".join(parts)


def decode(data: bytes, kind: type[R]) -> R | None:
    """The record, or None if the octets are not one of that kind."""
    record = kind()
    if not data or data[0] != VERSION:
        return None
    position = 1
    try:
        for name, field in record.all_fields():
            value, position = _DECODE[field](data, position)
            setattr(record, name, value)
    except (struct.error, IndexError):
        return None
    return record if position == len(data) else None


def _put_bytes(value: bytes, parts: list[bytes]) -> None:
    parts.append(_LENGTH.pack(len(value)))
    parts.append(value)


def _put_texts(value: list[str], parts: list[bytes]) -> None:
    parts.append(_LENGTH.pack(len(value)))
    for text in value:
        _put_bytes(text.encode("latin-1", "replace"), parts)


def _get_bytes(data: bytes, position: int) -> tuple[bytes, int]:
    (length,) = _LENGTH.unpack_from(data, position)
    end = position + 4 + length
    if end > len(data):
        raise IndexError(end)
    return data[position + 4 : end], end


def _get_float(data: bytes, position: int) -> tuple[float, int]:
    (value,) = _FLOAT.unpack_from(data, position)
    if not math.isfinite(value):  # nothing that is compared with it would be larger, or smaller
        raise IndexError(position)
    return value, position + 8


def _get_text(data: bytes, position: int) -> tuple[str, int]:
    value, end = _get_bytes(data, position)
    return value.decode("latin-1"), end


def _get_texts(data: bytes, position: int) -> tuple[list[str], int]:
    (count,) = _LENGTH.unpack_from(data, position)
    position += 4
    texts = []
    for _ in range(count):
        text, position = _get_text(data, position)
        texts.append(text)
    return texts, position


_ENCODE: Final[dict[str, Any]] = {
    "int": lambda value, parts: parts.append(_NUMBER.pack(value)),
    "float": lambda value, parts: parts.append(_FLOAT.pack(value)),
    "bytes": _put_bytes,
    "text": lambda value, parts: _put_bytes(value.encode("latin-1", "replace"), parts),
    "texts": _put_texts,
}
_DECODE: Final[dict[str, Any]] = {
    "int": lambda data, position: (_NUMBER.unpack_from(data, position)[0], position + 8),
    "float": _get_float,
    "bytes": _get_bytes,
    "text": _get_text,
    "texts": _get_texts,
}
