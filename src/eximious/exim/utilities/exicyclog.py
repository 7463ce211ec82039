"""``exicyclog``: put the log files away under numbered names, and compress the older ones."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
from typing import Final, NoReturn

from eximious.errors import ConfigError
from eximious.exim.utilities import complain, run
from eximious.logs.destination import file_name

USAGE: Final = "Usage: exicyclog [-k <count>] [-l <log file path>]"
KEPT: Final = 10
LOGS: Final = ("main", "reject")


def console() -> NoReturn:
    """The installed script."""
    run(main)


def main(arguments: list[str]) -> int:
    """-k and -l."""
    kept, path = KEPT, ""
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word == "-k" and words and words[0].isdigit():
            kept = int(words.pop(0))
        elif word == "-l" and words:
            path = words.pop(0)
        else:
            return complain(USAGE)
    path = path or configured_path()
    if not path:
        return complain("exicyclog: the configuration does not log to files")
    for log in LOGS:
        cycle(file_name(path, log, ""), kept)
    return 0


def configured_path() -> str:
    """Where the configuration has the logs; "" if it has none, or cannot be read."""
    from eximious.exim import start
    from eximious.exim.command_line import CommandLine, CommandLineError
    from eximious.logs.log import Logs

    try:
        return Logs.from_config(start.load_configuration(CommandLine("exicyclog"))).destinations.path or ""
    except (CommandLineError, ConfigError) as error:
        complain(f"exicyclog: {error}")
        return ""


def cycle(name: str, kept: int) -> None:
    """Shift one log's files by one, and compress those that have been put away before."""
    if not os.path.exists(name):
        return
    width = 3 if kept > 99 else 2
    _remove(f"{name}.{kept:0{width}d}")
    for number in range(kept - 1, 0, -1):
        for ending in (".gz", ""):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{name}.{number:0{width}d}{ending}", f"{name}.{number + 1:0{width}d}{ending}")
    if kept > 0:
        os.rename(name, f"{name}.{1:0{width}d}")
    for number in range(2, kept + 1):
        _compress(f"{name}.{number:0{width}d}")


def _remove(name: str) -> None:
    for path in (name, f"{name}.gz"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _compress(name: str) -> None:
    try:
        status = os.stat(name)
        with open(name, "rb") as plain, gzip.open(f"{name}.gz", "wb") as packed:
            shutil.copyfileobj(plain, packed)
    except FileNotFoundError:
        return
    os.chmod(f"{name}.gz", status.st_mode & 0o777)
    with contextlib.suppress(PermissionError):
        os.chown(f"{name}.gz", status.st_uid, status.st_gid)
    os.unlink(name)
