"""``eximious log``: the main log, or another, in colour."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from typing import Final

import click

from eximious.cli.common import configuration_options, console, invocation, readable

TIME: Final = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?")
ID: Final = re.compile(r"\b[0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}\b")
# What a line is about, by the word behind the id.
STYLES: Final = {
    " <= ": "cyan",
    " => ": "green",
    " -> ": "green",
    " ** ": "bold red",
    " == ": "yellow",
    " rejected ": "red",
    "Completed": "dim",
}


@click.command("log")
@configuration_options
@click.option("-f", "--follow", is_flag=True, help="Go on showing what is written.")
@click.option("-n", "--lines", default=20, show_default=True, help="How many of the last lines; 0 for all.")
@click.option("-g", "--grep", "pattern", default="", metavar="REGEX", help="Only lines that match.")
@click.option("--which", type=click.Choice(["main", "reject", "panic"]), default="main", show_default=True)
def command(config_file: str, macros: tuple[str, ...], follow: bool, lines: int, pattern: str, which: str) -> None:
    """Show the log, in colour, and go on showing it."""
    path = _path(config_file, macros, which)
    try:
        wanted = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise click.BadParameter(f"{error}", param_hint="--grep") from None
    screen = console()
    try:
        for line in _lines(path, lines, follow=follow):
            if wanted.search(line):
                screen.print(_coloured(line))
    except FileNotFoundError:
        raise click.ClickException(f"there is no {path} yet") from None
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
    except KeyboardInterrupt:
        return


def _path(config_file: str, macros: tuple[str, ...], which: str) -> str:
    from eximious.logs.destination import file_name

    logs = invocation(config_file, macros).services.logs
    if logs.destinations.path is None:
        raise click.ClickException("the configuration logs to syslog only")
    return file_name(logs.destinations.path, which, time.strftime("%Y%m%d"))


def _lines(path: str, last: int, *, follow: bool) -> Iterator[str]:
    """The last lines of a file; then those that are appended, and those of the file that takes its place."""
    with open(path, encoding="latin-1") as file:
        everything = file.read().splitlines()
        yield from everything[-last:] if last else everything
        while follow:
            line = file.readline()
            if line:
                yield line.rstrip("\n")
            elif _was_replaced(path, file.fileno()):
                break
            else:
                time.sleep(0.3)
    if follow:
        yield from _lines(path, 0, follow=True)


def _was_replaced(path: str, descriptor: int) -> bool:
    try:
        return not os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False  # it will come


def _coloured(line: str) -> object:
    from rich.text import Text

    text = Text(readable(line))
    for part, style in STYLES.items():
        if part in line:
            text.stylize(style)
            break
    text.highlight_regex(TIME, "dim")
    text.highlight_regex(ID, "magenta")
    return text
