"""``exim_dumpdb``: everything in a hints database, as text."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Final, NoReturn

from eximious.exim.utilities import complain, run
from eximious.hints.record import Callout, Ehlo, Rate, Record, Retry, Serialize, Stamp, TlsSession, Waiting
from eximious.hints.store import KINDS, WAIT_PREFIX, Hints, HintsError

NAMES: Final = "retry | misc | wait-<transport-name> | callout | ratelimit | tls | seen"
USAGE: Final = "Usage: {program} [-z] [-k]  <spool-directory> <database-name>\n  <database-name> = " + NAMES
DATABASES: Final = frozenset({"retry", "misc", "callout", "ratelimit", "tls", "seen"})

Format = Callable[[float], str]


def console() -> NoReturn:
    """The installed script."""
    run(main)


def main(arguments: list[str]) -> int:
    """Options, the spool directory, the database's name."""
    flags = [word for word in arguments if word in ("-z", "-k", "-L")]
    words = [word for word in arguments if word not in ("-z", "-k", "-L")]
    if "-L" in flags and len(words) == 1:
        return dump_dbm(words[0], only_keys="-k" in flags)
    if len(words) != 2 or not is_database(words[1]):
        return complain(USAGE.format(program="exim_dumpdb"))
    spool, name = words
    try:
        hints = open_hints(spool, name)
    except HintsError as error:
        print(error)
        return 1
    show_time = utc if "-z" in flags else local
    with contextlib.closing(hints):
        for key, record in records(hints, name):
            sys.stdout.write(f"  {key}\n" if "-k" in flags else SHOW[type(record)](key, record, show_time))
    return 0


def dump_dbm(path: str, *, only_keys: bool) -> int:
    """Show a file for dbm lookups: keys and data with a tab between."""
    from eximious.lookups.berkeley import Database, DatabaseError

    try:
        with open(path.encode("latin-1"), "rb") as file:
            items = Database(file.read()).items()
    except (OSError, DatabaseError) as error:
        print(f"** Failed to open hintsdb {path}: {getattr(error, 'strerror', None) or error}")
        return 1
    for key, data in items:
        shown = key.rstrip(b"\0").decode("latin-1")
        sys.stdout.write(f"{shown}\n" if only_keys else f"{shown}\t{data.rstrip(bytes(1)).decode('latin-1')}\n")
    return 0


def is_database(name: str) -> bool:
    """True for the name of a hints database."""
    return name in DATABASES or name.startswith(WAIT_PREFIX)


def open_hints(spool: str, name: str) -> Hints:
    """The hints of a spool, among which there is the database of that name. Raises HintsError."""
    missing = f"** Failed to open hintsdb {spool}/db/{name}: No such file or directory"
    if not os.path.isdir(f"{spool}/db"):
        raise HintsError(missing)
    hints = hints_in(f"{spool}/db")
    if name not in hints.names():
        raise HintsError(missing)
    return hints


def hints_in(directory: str) -> Hints:
    """The hints in a directory."""
    from eximious.hints.lmdb_hints import LmdbHints

    return LmdbHints(directory)


def records(hints: Hints, name: str) -> list[tuple[str, Any]]:
    """All of a database; that of misc has EHLO answers too."""
    kind: type[Record] = Waiting if name.startswith(WAIT_PREFIX) else KINDS[name]
    found: list[tuple[str, Any]] = list(hints.table(name, kind).items())
    if name == "misc" and "ehlo" in hints.names():
        found += hints.table("ehlo", Ehlo).items()
    return found


# How times and records look.


def local(seconds: float) -> str:
    """In the local time zone: ``02-Nov-1995 12:21:39``."""
    return time.strftime("%d-%b-%Y %H:%M:%S", time.localtime(seconds))


def utc(seconds: float) -> str:
    """The same in UTC."""
    return time.strftime("%d-%b-%Y %H:%M:%S", time.gmtime(seconds))


def _retry(key: str, record: Retry, show: Format) -> str:
    times = "  ".join(show(moment) for moment in (record.first_failed, record.last_try, record.next_try))
    mark = "*" if record.expired else ""
    return f"  {key} {record.errno} {record.more_errno} {record.text}\n{times} {mark}\n"


def _waiting(key: str, record: Waiting, show: Format) -> str:
    return f"{key} {''.join(f'{message_id} ' for message_id in record.message_ids)}\n"


def _callout(key: str, record: Callout, show: Format) -> str:
    line = f"{show(record.written_at)} {key} callout={record.result or 'unknown'}"
    if "@" in key:
        return line + "\n"
    for name in ("postmaster", "random"):
        result, moment = getattr(record, f"{name}_result"), getattr(record, f"{name}_at")
        line += f" {name}={result or 'unknown'}"
        if result:
            line += f" ({show(moment)})"
    return line + "\n"


def _rate(key: str, record: Rate, show: Format) -> str:
    part = f"{record.written_at % 1:.6f}"[1:]
    line = f"{show(record.written_at)}{part} rate: {record.rate:10.3f} key: {key}\n"
    if record.bloom:
        bits = sum(octet.bit_count() for octet in record.bloom)
        line += f"{show(record.bloom_epoch)} filter size {len(record.bloom)}, bits set {bits}\n"
    return line


def _stamp(key: str, record: Record, show: Format) -> str:
    return f"{key}\t{show(record.written_at)}\n"


def _serialize(key: str, record: Serialize, show: Format) -> str:
    return f"{key} {record.count}\n"


def _ehlo(key: str, record: Ehlo, show: Format) -> str:
    shown = ", ".join(record.cleartext)
    encrypted = ", ".join(record.encrypted)
    return f"{key} {{{shown}}} {{{encrypted}}}\n"


def _tls(key: str, record: TlsSession, show: Format) -> str:
    return f"  {key}, {len(record.data)} octets, {show(record.written_at)}\n"


SHOW: Final[dict[type, Callable[..., str]]] = {
    Retry: _retry,
    Waiting: _waiting,
    Callout: _callout,
    Rate: _rate,
    Stamp: _stamp,
    Serialize: _serialize,
    Ehlo: _ehlo,
    TlsSession: _tls,
}
