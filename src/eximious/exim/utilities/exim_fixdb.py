"""``exim_fixdb``: look at single records of a hints database, change or delete them, by dialogue."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Final, NoReturn

from eximious.exim.utilities import complain, run
from eximious.exim.utilities.exim_dumpdb import NAMES, SHOW, Format, is_database, local, open_hints, records, utc
from eximious.hints.record import Retry
from eximious.hints.store import KINDS, WAIT_PREFIX, Hints, HintsError

USAGE: Final = "Usage: exim_fixdb [-z]  <spool-directory> <database-name>\n  <database-name> = " + NAMES
# The fields of a retry record that can be changed, by the numbers that they are shown with.
FIELDS: Final = {
    "0": ("errno", "error number"),
    "1": ("more_errno", "extra data"),
    "2": ("first_failed", "first failed"),
    "3": ("last_try", "last try"),
    "4": ("next_try", "next try"),
    "5": ("expired", "expired"),
}
TIMES: Final = frozenset({"2", "3", "4"})


def console() -> NoReturn:
    """The installed script."""
    run(main)


def main(arguments: list[str]) -> int:
    """Perhaps -z, then the spool directory and the database's name."""
    show_time: Format = utc if "-z" in arguments else local
    words = [word for word in arguments if word != "-z"]
    if len(words) != 2 or not is_database(words[1]):
        return complain(USAGE)
    spool, name = words
    print(f"Modifying Exim hints database {spool}/db/{name}")
    try:
        with contextlib.closing(open_hints(spool, name)) as hints:
            Dialogue(hints, name, show_time).hold()
    except HintsError as error:
        return complain(str(error))
    return 0


class Dialogue:
    """The present record, and what is said about it."""

    def __init__(self, hints: Hints, name: str, show_time: Format) -> None:
        self._hints = hints
        self._name = name
        self._show_time = show_time
        self._key = ""  # of the record that is looked at

    def hold(self) -> None:
        """Until the input ends."""
        while True:
            sys.stdout.write("> ")
            sys.stdout.flush()
            line = sys.stdin.readline()
            if not line:
                print()
                return
            word, _, rest = line.strip().partition(" ")
            if word in ("q", "quit"):
                return
            if self._key and word == "d":
                self._delete()
            elif self._key and word in FIELDS and rest and self._name == "retry":
                self._change(word, rest.strip())
            elif word:
                self._look_at(line.strip())

    def _look_at(self, key: str) -> None:
        record = dict(records(self._hints, self._name)).get(key)
        self._key = key if record is not None else ""
        if record is None:
            print(f"record {key} not found")
        elif isinstance(record, Retry):
            for number, (field, label) in FIELDS.items():
                value = getattr(record, field)
                print(f"{number} {label:14}{self._show_time(value) if number in TIMES else value}")
            print(f"  {'text':14}{record.text}")
        else:
            sys.stdout.write(SHOW[type(record)](key, record, self._show_time))

    def _delete(self) -> None:
        kind = KINDS["retry"] if self._name.startswith(WAIT_PREFIX) else KINDS[self._name]
        self._hints.table(self._name, kind).delete(self._key)
        print("deleted")
        self._key = ""

    def _change(self, number: str, text: str) -> None:
        try:
            value = read_time(text) if number in TIMES else int(text)
        except ValueError:
            print("bad value")
            return

        def changed(record: Retry | None) -> Retry | None:
            if record is not None:
                setattr(record, FIELDS[number][0], value)
            return record

        self._hints.table("retry", Retry).change(self._key, changed)
        self._look_at(self._key)


def read_time(text: str) -> float:
    """``951102:1000`` or ``9511021000``: pairs of digits for year, month, day, hour, minute, second. ValueError."""
    digits = text.replace(":", "").replace("-", "").replace(" ", "")
    if not digits.isdigit() or len(digits) not in (10, 12):
        raise ValueError("bad time")
    return time.mktime(time.strptime(digits.ljust(12, "0"), "%y%m%d%H%M%S"))
