"""``eximious check``: everything that is wrong with a configuration, before any mail arrives."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any, Final

import click

from eximious.cli.checks.everything import Findings, check
from eximious.cli.checks.finding import Finding
from eximious.config import paths
from eximious.config.errors import with_caret
from eximious.errors import ConfigError, Place

LONGEST_MESSAGE: Final = 300  # characters; --json has all
MISSING: Final = re.compile(r"there is no (?:file|directory) ")


@click.command("check")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("-D", "--define", "macros", multiple=True, metavar="NAME[=TEXT]", help="Set a macro, as exim -D does.")
@click.option("--no-files", is_flag=True, help="Do not look for the files it names: it is for another machine.")
@click.option("--json", "as_json", is_flag=True, help="Write the findings as JSON.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
def command(file: str | None, macros: tuple[str, ...], no_files: bool, as_json: bool, strict: bool) -> None:
    """Check a configuration FILE (by default the one that would be used).

    Errors keep the server from starting. Warnings are about what would fail later: strings that cannot be expanded,
    names of what does not exist, tainted data on its way to the name of a file, a command or a query, an open relay.
    Notes are about what does no harm: unused, without effect, out of date. The exit status is 1 if there are errors.
    """
    path = file or default_file()
    findings = check(os.path.abspath(path), dict(map(_macro, macros)), with_files=not no_files)
    if as_json:
        click.echo(json.dumps(_as_json(path, findings), indent=2, ensure_ascii=False))
    else:
        _print(path, findings)
    sys.exit(1 if findings.errors or (strict and findings.warnings) else 0)


def default_file() -> str:
    """The first of the usual configuration files that exists."""
    for path in paths.CONFIGURATIONS:
        if os.path.exists(path):
            return path
    raise click.UsageError("there is no configuration at any of the usual places: " + ", ".join(paths.CONFIGURATIONS))


def _macro(definition: str) -> tuple[str, str]:
    name, _, text = definition.partition("=")
    return name, text


def _print(path: str, findings: Findings) -> None:
    for word, colour, found in (
        ("error", "red", findings.errors),
        ("warning", "yellow", findings.warnings),
        ("note", "cyan", findings.notes),
    ):
        for error in found:
            click.echo(click.style(f"{word}: ", fg=colour, bold=True) + _coloured(_printable(error)))
    if any(MISSING.match(warning.message) for warning in findings.warnings):
        click.echo("(--no-files says nothing of files, if the configuration is for another machine)")
    if findings.errors or findings.warnings:
        notes = f", {_count(findings.notes, 'note')}" if findings.notes else ""
        click.echo(f"{path}: {_count(findings.errors, 'error')}, {_count(findings.warnings, 'warning')}{notes}")
    elif findings.notes:
        click.echo(f"{path}: {click.style('good', fg='green')}, {_count(findings.notes, 'note')}")
    else:
        click.echo(f"{path}: {click.style('good', fg='green')}")


def _coloured(text: str) -> str:
    """The line with the caret and the hint, in green."""
    lines = text.split("\n")
    if len(lines) > 2 and lines[-1].lstrip().startswith("^"):
        lines[-1] = click.style(lines[-1], fg="green")
    return "\n".join(lines)


def _count(found: list[ConfigError], word: str) -> str:
    return f"{len(found)} {word}" if len(found) == 1 else f"{len(found)} {word}s"


def _printable(error: ConfigError) -> str:
    """The fault as text for a terminal: whatever could do something there is a replacement character instead."""
    shown = _readable_error(error)
    if len(shown.message) > LONGEST_MESSAGE:
        shown.message = shown.message[:LONGEST_MESSAGE] + "..."
    text = with_caret(shown)
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)


def _readable_error(error: ConfigError) -> ConfigError:
    """The same in characters instead of octets, so that columns are those that are seen."""
    place = error.place
    if place is not None:
        column = len(_readable(place.text[: place.column - 1])) + 1
        place = Place(_readable(place.file), place.line, column, _readable(place.text))
    return ConfigError(_readable(error.message), place, _readable(error.hint))


def _readable(text: str) -> str:
    """Octets of a configuration as characters."""
    return text.encode("latin-1", "replace").decode("utf-8", "replace")


def _as_json(path: str, findings: Findings) -> dict[str, Any]:
    return {
        "file": path,
        "files": [] if findings.config is None else findings.config.files,
        "good": not findings.errors,
        "errors": list(map(_finding, findings.errors)),
        "warnings": list(map(_finding, findings.warnings)),
        "notes": list(map(_finding, findings.notes)),
    }


def _finding(error: ConfigError) -> dict[str, Any]:
    shown = _readable_error(error)
    place = shown.place
    found: dict[str, Any] = {"message": shown.message}
    if place is not None:
        found |= {"file": place.file, "line": place.line, "column": place.column, "text": place.text}
    if shown.hint:
        found["hint"] = shown.hint
    if isinstance(error, Finding):
        found["replace"] = {"old": _readable(error.old), "new": _readable(error.new)}
    return found
