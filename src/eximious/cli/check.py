"""``eximious check``: everything that is wrong with a configuration, before any mail arrives."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from eximious.config import paths
from eximious.config.configuration import Configuration
from eximious.config.errors import with_caret
from eximious.config.load import load
from eximious.config.review import review
from eximious.errors import ConfigError, ConfigErrors


@click.command("check")
@click.argument("file", required=False, type=click.Path(dir_okay=False))
@click.option("-D", "--define", "macros", multiple=True, metavar="NAME[=TEXT]", help="Set a macro, as exim -D does.")
@click.option("--json", "as_json", is_flag=True, help="Write the findings as JSON.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
def command(file: str | None, macros: tuple[str, ...], as_json: bool, strict: bool) -> None:
    """Check a configuration FILE (by default the one that would be used).

    Errors keep the server from starting. Warnings are about what would fail later: strings that cannot be expanded,
    names of what does not exist, names that are out of date. The exit status is 1 if there are errors.
    """
    path = file or default_file()
    faults, warnings, config = findings(path, dict(map(_macro, macros)))
    if as_json:
        click.echo(json.dumps(_as_json(path, faults, warnings, config), indent=2, ensure_ascii=False))
    else:
        _print(path, faults, warnings)
    sys.exit(1 if faults or (strict and warnings) else 0)


def default_file() -> str:
    """The first of the usual configuration files that exists."""
    for path in paths.CONFIGURATIONS:
        if os.path.exists(path):
            return path
    raise click.UsageError("there is no configuration at any of the usual places: " + ", ".join(paths.CONFIGURATIONS))


def findings(path: str, macros: dict[str, str]) -> tuple[list[ConfigError], list[ConfigError], Configuration | None]:
    """Errors, warnings, and the configuration if it loads."""
    try:
        config = load(os.path.abspath(path), macros)
    except ConfigErrors as errors:
        return errors.faults, [], None
    return [], [*config.warnings, *review(config)], config


def _macro(definition: str) -> tuple[str, str]:
    name, _, text = definition.partition("=")
    return name, text


def _print(path: str, faults: list[ConfigError], warnings: list[ConfigError]) -> None:
    for fault in faults:
        click.echo(click.style("error: ", fg="red", bold=True) + _readable(with_caret(fault)))
    for warning in warnings:
        click.echo(click.style("warning: ", fg="yellow") + _readable(with_caret(warning)))
    if faults or warnings:
        click.echo(f"{path}: {_count(faults, 'error')}, {_count(warnings, 'warning')}")
    else:
        click.echo(f"{path}: {click.style('good', fg='green')}")


def _count(found: list[ConfigError], word: str) -> str:
    return f"{len(found)} {word}" if len(found) == 1 else f"{len(found)} {word}s"


def _readable(text: str) -> str:
    """Octets of a configuration as characters."""
    return text.encode("latin-1", "replace").decode("utf-8", "replace")


def _as_json(
    path: str, faults: list[ConfigError], warnings: list[ConfigError], config: Configuration | None
) -> dict[str, Any]:
    return {
        "file": path,
        "files": [] if config is None else config.files,
        "good": not faults,
        "errors": list(map(_finding, faults)),
        "warnings": list(map(_finding, warnings)),
    }


def _finding(error: ConfigError) -> dict[str, Any]:
    place = error.place
    found: dict[str, Any] = {"message": _readable(error.message)}
    if place is not None:
        found |= {"file": place.file, "line": place.line, "column": place.column, "text": _readable(place.text)}
    if error.hint:
        found["hint"] = _readable(error.hint)
    return found
