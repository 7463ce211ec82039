"""What a process can be asked to do, and the module of `eximious.exim` that does it."""

from __future__ import annotations

from typing import Final

from eximious.exim.command_line import CommandLine

# Whose rights a mode needs once the configuration has been read. (Exim specification, "Root privilege".)
ROOT: Final = "root"  # keeps root: daemon, queue runs, deliveries, tests of routing
EXIM: Final = "exim"  # becomes the mail user
CALLER: Final = "caller"  # becomes the caller before it even reads the configuration


class Mode:
    """One thing that the program does."""

    __slots__ = ("is_check", "module", "runs_as")

    def __init__(self, module: str, runs_as: str = EXIM, *, is_check: bool = False) -> None:
        self.module = module  # below eximious.exim
        self.runs_as = runs_as
        self.is_check = is_check  # commandline_checks_require_admin applies


MODES: Final[dict[str, Mode]] = {
    "help": Mode("help"),
    "bV": Mode("bV"),
    "bI": Mode("bI"),
    "bP": Mode("bP", is_check=True),
    "be": Mode("be", CALLER, is_check=True),
    "bf": Mode("bf", CALLER, is_check=True),
    "bh": Mode("bh", is_check=True),
    "brt": Mode("brt", is_check=True),
    "brw": Mode("brw", is_check=True),
    "bt": Mode("bt", ROOT, is_check=True),
    "bv": Mode("bv", is_check=True),
    "bmalware": Mode("bmalware"),
    "bi": Mode("bi", CALLER),
    "bp": Mode("mailq"),
    "M": Mode("messages", ROOT),
    "queue run": Mode("queue_run", ROOT),
    "bd": Mode("daemon", ROOT),
    "bw": Mode("daemon", ROOT),
    "oPX": Mode("remove_pid_file", ROOT),
    "bs": Mode("bs"),
    "bS": Mode("bs"),
    "bm": Mode("submit"),
    "z": Mode("log_line"),
}


def mode_of(line: CommandLine) -> str:
    """The name of what this command line asks for, a key of MODES."""
    if line.asks("bV"):
        return "bV"
    if line.asks("bI"):
        return "bI"
    if line.remove_pid_file:
        return "oPX"
    if line.is_daemon:
        return "bd"
    if line.log_line is not None:
        return "z"
    if line.message_action:
        return "M"
    if line.queue_runs and not (line.queue_name and _other_action(line)):
        return "queue run"
    for mode in line.modes:
        if mode in MODES and mode != "bm":
            return mode
    return "bm" if line.arguments or line.recipients_from_header else "help"


def _other_action(line: CommandLine) -> bool:
    """True if a ``-qG`` only names the queue for something else."""
    return bool(set(line.modes) - {"bm"}) or bool(line.arguments)
