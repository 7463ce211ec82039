"""``exiqgrep``: messages of the queue that match."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Final, NoReturn

from eximious.exim.utilities import complain, program, run
from eximious.exim.utilities.listing import Entry, read
from eximious.spool.message_id import received_seconds

HELP: Final = """\
Exim message queue display utility.

	-h		This help message.
	-C		Specify which exim.conf to use.
	-E		Specify exim binary to use.

Selection criteria:
	-f <regexp>	Match sender address sender (field is "< >" wrapped)
	-r <regexp>	Match recipient address
	-s <regexp>	Match against the size field from long output
	-y <seconds>	Message younger than
	-o <seconds>	Message older than
	-z		Frozen messages only (exclude non-frozen)
	-x		Non-frozen messages only (exclude frozen)
	-G <queuename>	Match in given queue only

[ NB: for regexps, provided string sits in /<string>/ ]

Display options:
	-c		Display match count
	-l		Long Format [Default]
	-i		Message IDs only
	-b		Brief Format
	-R		Reverse order
	-a		All recipients (including delivered)
"""
WITH_VALUE: Final = "CEfrsyoG"
ALONE: Final = "hzxclibRa"


def console() -> NoReturn:
    """The installed script."""
    run(main)


def main(arguments: list[str]) -> int:
    """Options only."""
    try:
        given = parse(arguments)
        tests = selections(given)
    except ValueError as error:
        return complain(f"exiqgrep: {error}")
    if "h" in given or not (tests or "c" in given):
        sys.stdout.write(HELP)
        return 0 if "h" in given else 1
    everything = list(read(program.output(listing_command(given)).splitlines()))
    chosen = [entry for entry in everything if all(test(entry) for test in tests)]
    if "c" in given:
        print(f"{len(chosen)} matches out of {len(everything)} messages")
        return 0
    chosen.sort(key=lambda entry: entry.id, reverse="R" in given)
    show = next((SHOW[letter] for letter in "bi" if letter in given), long)
    sys.stdout.writelines(show(entry) for entry in chosen)
    return 0


def parse(arguments: list[str]) -> dict[str, str]:
    """Letters and their values. Raises ValueError."""
    given: dict[str, str] = {}
    words = list(arguments)
    while words:
        word = words.pop(0)
        if not word.startswith("-") or len(word) < 2:
            raise ValueError(f"unexpected argument {word}")
        rest = word[1:]
        while rest:
            letter, rest = rest[0], rest[1:]
            if letter in WITH_VALUE:
                if not rest and not words:
                    raise ValueError(f"option -{letter} needs a value")
                given[letter], rest = rest or words.pop(0), ""
            elif letter in ALONE:
                given[letter] = ""
            else:
                raise ValueError(f"unknown option -{letter}")
    return given


def listing_command(given: dict[str, str]) -> list[str]:
    """The command that lists the queue."""
    words = [program.find(given.get("E", ""))]
    if "G" in given:
        words.append(f"-qG{given['G']}")
    words.append("-bp" if "a" in given else "-bpu")
    return [*words, "-C", given["C"]] if "C" in given else words


def selections(given: dict[str, str]) -> list[Callable[[Entry], bool]]:
    """What a message must be. Raises ValueError."""
    tests: list[Callable[[Entry], bool]] = []
    for letter in "frs":
        if letter in given:
            tests.append(_matcher(letter, given[letter]))
    for letter in "yo":
        if given.get(letter):
            tests.append(_age_test(letter, int(given[letter])))
    if "z" in given:
        tests.append(lambda entry: entry.is_frozen)
    if "x" in given:
        tests.append(lambda entry: not entry.is_frozen)
    return tests


def _matcher(letter: str, text: str) -> Callable[[Entry], bool]:
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"bad regular expression {text}: {error}") from None
    if letter == "r":
        return lambda entry: any(pattern.search(recipient) for recipient in entry.recipients)
    if letter == "f":
        return lambda entry: pattern.search(entry.sender) is not None
    return lambda entry: pattern.search(entry.size_text) is not None


def _age_test(letter: str, seconds: int) -> Callable[[Entry], bool]:
    import time

    def age(entry: Entry) -> float:
        return time.time() - received_seconds(entry.id)

    return (lambda entry: age(entry) < seconds) if letter == "y" else (lambda entry: age(entry) > seconds)


def long(entry: Entry) -> str:
    """As -bp has it."""
    minutes = entry.age // 60
    age = f"{minutes:2d}m" if minutes <= 90 else f"{(minutes + 30) // 60:2d}h"
    if minutes > 90 * 60:
        age = f"{entry.age // 86400:2d}d"
    frozen = " *** frozen ***" if entry.is_frozen else ""
    recipients = "".join(f"\t  {recipient}\n" for recipient in entry.recipients)
    return f"{age} {entry.size_text:>5} {entry.id} {entry.sender}{frozen}\n{recipients}\n"


def brief(entry: Entry) -> str:
    """In one line."""
    return f"{entry.id} From: {entry.sender} To: {';'.join(entry.recipients)}\n"


def only_id(entry: Entry) -> str:
    """The id alone."""
    return f"{entry.id}\n"


SHOW: Final[dict[str, Callable[[Entry], str]]] = {"b": brief, "i": only_id}
