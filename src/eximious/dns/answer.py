"""What a DNS question may come to."""

from __future__ import annotations

import enum
from typing import Any, Final


class Status(enum.Enum):
    """The five outcomes. NODATA is a name that exists without records of the type; AGAIN may be different later."""

    FOUND = "found"
    NODATA = "no data"
    NOMATCH = "no such name"
    AGAIN = "try again"
    FAIL = "failed"


class Record:
    """One resource record. What `data` is depends on the type.

    A, AAAA: the address. CNAME, DNAME, NS, PTR: a name. MX: (preference, name). SRV: (priority, weight, port, name).
    TXT, SPF: a tuple of byte strings. SOA: (mname, rname, serial, refresh, retry, expire, minimum). TLSA: (usage,
    selector, matching type, bytes). CAA: (flags, tag, value). Others: bytes.
    """

    __slots__ = ("data", "name", "ttl", "type")

    def __init__(self, name: str, type: str, ttl: int, data: Any) -> None:
        self.name = name
        self.type = type
        self.ttl = ttl
        self.data = data

    def __repr__(self) -> str:
        return f"Record({self.name!r}, {self.type}, {self.ttl}, {self.data!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and (self.name.lower(), self.type, self.data) == (
            other.name.lower(),
            other.type,
            other.data,
        )

    __hash__ = None  # type: ignore[assignment]


NO_RECORDS: Final[list[Record]] = []


class Answer:
    """The outcome of one question, with the records of the type that was asked for (empty unless FOUND).

    `name` is the name that the records belong to, in full: after search lists and CNAMEs. `is_secure` says that the
    answer was validated by DNSSEC (and that whoever validated it is trusted), also for an absence.
    """

    __slots__ = (
        "aliases",
        "is_authoritative",
        "is_secure",
        "memo",
        "name",
        "rcode",
        "records",
        "status",
        "ttl",
        "why",
        "zone",
    )

    def __init__(self, status: Status, name: str, records: list[Record] | None = None, *, ttl: int = 0) -> None:
        self.status = status
        self.name = name
        self.records = NO_RECORDS if records is None else records
        self.aliases: list[str] = []  # names that were CNAMEs on the way
        self.is_secure = False
        self.is_authoritative = False
        self.zone = ""  # owner of the first NS or SOA record of the authority section
        self.ttl = ttl  # seconds that it may be kept, also for an absence
        self.rcode = 0
        self.why = ""  # for AGAIN and FAIL: what happened
        self.memo: object = None  # what a user of the answer made of it, so that it lives as long

    def __bool__(self) -> bool:
        return self.status is Status.FOUND

    def __repr__(self) -> str:
        return f"Answer({self.status.name}, {self.name!r}, {self.records!r})"

    @property
    def is_absent(self) -> bool:
        """It is certain that there is no such record."""
        return self.status is Status.NODATA or self.status is Status.NOMATCH

    def data(self) -> list[Any]:
        """The data of each record."""
        return [record.data for record in self.records]

    def texts(self) -> list[str]:
        """For TXT: the strings of each record joined, octets in str."""
        return [b"".join(record.data).decode("latin-1") for record in self.records]
