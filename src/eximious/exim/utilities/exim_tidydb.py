"""``exim_tidydb``: remove what is old, or about messages that are gone, from a hints database."""

from __future__ import annotations

import contextlib
import time
from typing import Final, NoReturn

from eximious.config import numbers
from eximious.exim.utilities import complain, run
from eximious.exim.utilities.exim_dumpdb import NAMES, is_database, open_hints, records
from eximious.hints.record import Ehlo, Waiting
from eximious.hints.store import KINDS, WAIT_PREFIX, Hints, HintsError
from eximious.spool.layout import Layout
from eximious.spool.message_id import is_message_id

USAGE: Final = "Usage: exim_tidydb [-t <time>]  <spool-directory> <database-name>\n  <database-name> = " + NAMES
KEPT: Final = 30 * 24 * 3600  # seconds


def console() -> NoReturn:
    """The installed script."""
    run(main)


def main(arguments: list[str]) -> int:
    """Perhaps an age, then the spool directory and the database's name."""
    age = KEPT
    if arguments[:1] == ["-t"] and len(arguments) > 1:
        try:
            age = numbers.seconds(arguments[1])
        except ValueError:
            return complain(USAGE)
        arguments = arguments[2:]
    if len(arguments) != 2 or not is_database(arguments[1]):
        return complain(USAGE)
    spool, name = arguments
    print(f"Tidying Exim hints database {spool}/db/{name}")
    try:
        with contextlib.closing(open_hints(spool, name)) as hints:
            tidy(hints, name, time.time() - age, present_ids(spool))
    except HintsError as error:
        print(error)
        return 1
    print("Tidying complete")
    return 0


def present_ids(spool: str) -> frozenset[str]:
    """The ids of all messages in the default queue."""
    return frozenset(message_id for ids in Layout(spool).ids() for message_id in ids)


def tidy(hints: Hints, name: str, oldest: float, present: frozenset[str]) -> None:
    """Delete records that were written before `oldest`, or concern only messages that are not `present`."""
    for key, record in records(hints, name):
        table = hints.table("ehlo", Ehlo) if isinstance(record, Ehlo) else hints.table(name, _kind(name))
        if record.written_at < oldest:
            print(f"deleted {key} (too old)")
            table.delete(key)
        elif isinstance(record, Waiting):
            _tidy_waiting(hints, name, key, present)
        elif name == "retry" and (message_id := concerned(key)) is not None and message_id not in present:
            print(f"deleted {key} (no message)")
            table.delete(key)


def _kind(name: str) -> type:
    return Waiting if name.startswith(WAIT_PREFIX) else KINDS[name]


def concerned(key: str) -> str | None:
    """The message that a retry record is about, if it is about one: its key ends with the id."""
    last = key.rpartition(":")[2]
    return last if is_message_id(last) else None


def _tidy_waiting(hints: Hints, name: str, key: str, present: frozenset[str]) -> None:
    def without_absent(record: Waiting | None) -> Waiting | None:
        if record is None:
            return None
        record.message_ids = [message_id for message_id in record.message_ids if message_id in present]
        return record if record.message_ids else None

    if hints.table(name, Waiting).change(key, without_absent) is None:
        print(f"deleted {key} (empty)")
