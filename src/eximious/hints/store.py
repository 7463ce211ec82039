"""Hints: what one delivery, verification or client may tell the next, and what may be lost without harm.

Each of Exim's hints databases is a table of typed records. Who stores a record need not set its time: it is set here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from eximious.errors import Defer
from eximious.hints.dmarc_record import DmarcDomain, DmarcFailure, DmarcRow
from eximious.hints.record import (
    Callout,
    Ehlo,
    Rate,
    Record,
    Retry,
    Serialize,
    Stamp,
    TlsSession,
    Waiting,
    encode,
)

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration

R = TypeVar("R", bound=Record)

WAIT_PREFIX: Final = "wait-"

# The databases by Exim's names, and what they hold. ``misc`` has records of two kinds: its tables are told apart here.
KINDS: Final[dict[str, type[Record]]] = {
    "retry": Retry,
    "callout": Callout,
    "ratelimit": Rate,
    "seen": Stamp,
    "misc": Serialize,
    "ehlo": Ehlo,
    "tls": TlsSession,
    "dmarc-domain": DmarcDomain,
    "dmarc-row": DmarcRow,
    "dmarc-failure": DmarcFailure,
}


class HintsError(Defer):
    """The hints cannot be used now. Only `Table.change`, `Hints.names` and `Hints.sync` raise it: whoever looks for a
    hint that cannot be read finds none, and a hint that cannot be stored is lost, after a line in the panic log.
    """


class Table(ABC, Generic[R]):
    """The records of one database, by their keys."""

    @abstractmethod
    def get(self, key: str) -> R | None:
        """The record, or None."""

    @abstractmethod
    def put(self, key: str, record: R) -> None:
        """Store a record; its `written_at` becomes the present."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Forget a record, if there is one."""

    @abstractmethod
    def change(self, key: str, function: Callable[[R | None], R | None]) -> R | None:
        """Replace a record by what the function makes of it (None: no record), with nobody coming in between.

        The function is short, does not wait, and must not use hints. If it gives the record back unchanged, nothing is
        stored; if it sets `written_at`, that stays; otherwise `written_at` becomes the present. Gives what the function
        gave. Raises HintsError.
        """

    @abstractmethod
    def items(self, prefix: str = "") -> Iterator[tuple[str, R]]:
        """Keys and records, in the order of the keys, of all keys that begin so."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """The keys that begin so, in order."""
        for key, _ in self.items(prefix):
            yield key


def changed(old: R | None, function: Callable[[R | None], R | None], now: float) -> tuple[R | None, bytes | None]:
    """What `Table.change` does with a record: the new one, and its octets if it is to be stored."""
    before, written_at = (None, 0.0) if old is None else (encode(old), old.written_at)
    new = function(old)
    if new is None or (new is old and encode(new) == before):
        return new, None
    if new.written_at == (written_at if new is old else 0.0):
        new.written_at = now
    return new, encode(new)


class Hints(ABC):
    """All hints databases."""

    report: Callable[[str], None] | None = None  # told what goes wrong where nobody else is: lines for the panic log

    @classmethod
    def from_config(cls, config: Configuration, report: Callable[[str], None] | None = None) -> Hints:
        """The hints in the spool directory of a configuration."""
        from eximious.hints.lmdb_hints import LmdbHints

        main: Any = config.main
        hints = LmdbHints.shared(f"{main.spool_directory}/db", main.exim_user, main.exim_group)
        if report is not None:
            hints.report = report
        return hints

    @abstractmethod
    def table(self, name: str, kind: type[R]) -> Table[R]:
        """The database of that name, whose records are of that kind."""

    @abstractmethod
    def names(self) -> list[str]:
        """The names of the databases that exist."""

    @abstractmethod
    def sync(self) -> None:
        """Make everything durable. To be called now and then, off the event loop."""

    @abstractmethod
    def close(self) -> None:
        """Nothing is asked any more."""

    def by_name(self, name: str) -> Table[Any] | None:
        """The database of a name as in Exim's utilities (``retry``, ``wait-smtp``), or None if there is no such."""
        if name.startswith(WAIT_PREFIX):
            return self.table(name, Waiting)
        kind = KINDS.get(name)
        return None if kind is None else self.table(name, kind)

    @property
    def retry(self) -> Table[Retry]:
        """Hosts and addresses that are not to be tried before a time."""
        return self.table("retry", Retry)

    def wait(self, transport: str) -> Table[Waiting]:
        """Messages that wait for a host that a transport could not reach."""
        return self.table(WAIT_PREFIX + transport, Waiting)

    @property
    def callout(self) -> Table[Callout]:
        """What other hosts said of addresses."""
        return self.table("callout", Callout)

    @property
    def ratelimit(self) -> Table[Rate]:
        """Rates that ACLs measure."""
        return self.table("ratelimit", Rate)

    @property
    def seen(self) -> Table[Stamp]:
        """What the ACL condition ``seen`` has seen."""
        return self.table("seen", Stamp)

    @property
    def misc(self) -> Table[Serialize]:
        """Connections that are counted for serialization, and ETRN."""
        return self.table("misc", Serialize)

    @property
    def ehlo(self) -> Table[Ehlo]:
        """What hosts answered to EHLO."""
        return self.table("ehlo", Ehlo)

    @property
    def dmarc_domains(self) -> Table[DmarcDomain]:
        """Domains that want aggregate reports."""
        return self.table("dmarc-domain", DmarcDomain)

    @property
    def dmarc_rows(self) -> Table[DmarcRow]:
        """What aggregate reports will say."""
        return self.table("dmarc-row", DmarcRow)

    @property
    def dmarc_failures(self) -> Table[DmarcFailure]:
        """Failure reports that have been sent."""
        return self.table("dmarc-failure", DmarcFailure)

    @property
    def tls(self) -> Table[TlsSession]:
        """TLS sessions to resume."""
        return self.table("tls", TlsSession)
