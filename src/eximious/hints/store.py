"""Hints: what one delivery, verification or client may tell the next, and what may be lost without harm.

Each of Exim's hints databases is a table of typed records. Who stores a record need not set its time: it is set here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from eximious.errors import EximiousError
from eximious.hints.record import Callout, Ehlo, Rate, Record, Retry, Serialize, Stamp, TlsSession, Waiting

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
}


class HintsError(EximiousError):
    """The hints cannot be used at all; whoever asked goes on as if there were none."""


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

        The function is short, does not wait, and must not use hints. Gives what it gave.
        """

    @abstractmethod
    def items(self, prefix: str = "") -> Iterator[tuple[str, R]]:
        """Keys and records, in the order of the keys, of all keys that begin so."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """The keys that begin so, in order."""
        for key, _ in self.items(prefix):
            yield key


class Hints(ABC):
    """All hints databases."""

    @classmethod
    def from_config(cls, config: Configuration) -> Hints:
        """The hints in the spool directory of a configuration."""
        from eximious.hints.lmdb_hints import LmdbHints

        main: Any = config.main
        return LmdbHints.shared(f"{main.spool_directory}/db", main.exim_user, main.exim_group)

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
    def tls(self) -> Table[TlsSession]:
        """TLS sessions to resume."""
        return self.table("tls", TlsSession)
