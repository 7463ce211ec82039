"""Which options may not stand on one command line."""

from __future__ import annotations

from typing import Final

from eximious.exim.command_line import CommandLine, CommandLineError

INCOMPATIBLE: Final = "exim: incompatible command-line options or arguments"

# What a command line may ask for, and what none of its other wishes may then be.
_TESTS: Final = frozenset({"be", "bf", "bh", "bt", "bv", "brt", "brw", "bmalware"})
_INPUT: Final = frozenset({"smtp", "-t", "recipients"})
EXCLUDED: Final[dict[str, frozenset[str]]] = {
    "bd": _INPUT | _TESTS | {"-f", "bP", "bp", "bi", "-q", "-M", "bw"},
    "bw": _INPUT | _TESTS | {"-f", "bP", "bp", "bi", "-q", "-q time", "-M"},
    "-q time": _INPUT | _TESTS | {"-f", "bP", "bp", "bi", "-q", "-M"},
    "-q": _INPUT,
    "bi": _INPUT | {"bt", "bv", "bP"},
    "bf": _INPUT | {"bt", "bv", "bP"},
    "brt": frozenset({"smtp", "-t"}),
    "brw": frozenset({"smtp", "-t"}),
    "-M": _TESTS | {"bP", "bi", "smtp", "-t"},
    "bP": _TESTS | {"smtp", "-t"},
    "bv": frozenset({"bt", "smtp", "-t"}),
    "bt": frozenset({"smtp", "-t"}),
    "smtp": frozenset({"-f", "-t"}),
    "-R": frozenset({"bd without -q time"}),
    "-Mset": frozenset({"no be"}),
}


def check(line: CommandLine) -> None:
    """Raise CommandLineError if two things are asked for that cannot be done by one process."""
    wishes = _wishes(line)
    for wish in wishes:
        if wishes & EXCLUDED.get(wish, frozenset()):
            raise CommandLineError(INCOMPATIBLE)


def _wishes(line: CommandLine) -> frozenset[str]:
    """Everything that the command line asks for, in the words of the table."""
    wishes = set(line.modes)
    periodic = any(run.interval is not None for run in line.queue_runs)
    given = {
        "smtp": line.asks("bs") or line.asks("bS"),
        "-t": line.recipients_from_header,
        "-f": line.sender is not None,
        "-M": bool(line.message_action),
        "-Mset": bool(line.load_message),
        "no be": not line.asks("be"),
        "-q": bool(line.queue_runs) and not periodic and not line.queue_name,
        "-q time": periodic,
        "-R": line.recipient_selection is not None or line.sender_selection is not None,
        "bd without -q time": line.asks("bd") and not periodic,
        "recipients": bool(line.arguments) and not line.message_action and not _takes_arguments(line),
    }
    wishes.update(wish for wish, is_given in given.items() if is_given)
    return frozenset(wishes)


def _takes_arguments(line: CommandLine) -> bool:
    """True if the arguments are not recipients but belong to the mode."""
    return any(line.asks(mode) for mode in ("be", "bt", "bv", "bP", "bp", "brt", "brw", "bV"))
