"""All checks of a configuration, and what they found, by how bad it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from eximious.cli.checks.acls import acls, unreached_statements
from eximious.cli.checks.braces import braces
from eximious.cli.checks.deliverable import deliverable, idle
from eximious.cli.checks.dmarc import dmarc_without_effect
from eximious.cli.checks.files import files
from eximious.cli.checks.ineffective import ineffective
from eximious.cli.checks.list_items import list_items
from eximious.cli.checks.macros import macros
from eximious.cli.checks.names import unknown_names
from eximious.cli.checks.numbers import numbers
from eximious.cli.checks.old_names import old_names
from eximious.cli.checks.patterns import patterns
from eximious.cli.checks.refused import refused
from eximious.cli.checks.relay import open_relay
from eximious.cli.checks.srs import misconfigured_srs, older_srs, shared_srs
from eximious.cli.checks.taint import tainted_uses
from eximious.cli.checks.unused import unset_variables, unused
from eximious.config.configuration import Configuration
from eximious.config.load import load
from eximious.config.review import compile_all, review
from eximious.errors import ConfigError, ConfigErrors, Note


class Findings:
    """What was found in a configuration file. Each is there once, in the order of the file."""

    __slots__ = ("config", "errors", "notes", "warnings")

    def __init__(
        self,
        config: Configuration | None,
        errors: Iterable[ConfigError] = (),
        warnings: Iterable[ConfigError] = (),
        notes: Iterable[ConfigError] = (),
    ) -> None:
        self.config = config  # as far as it could be read; None if it could not at all
        self.errors = _sorted(config, errors)  # which keep the server from starting
        self.warnings = _sorted(config, warnings)  # what will fail, or do harm, when it is reached
        self.notes = _sorted(config, notes)  # what does no harm: unused, without effect, old


# What each string says for itself; this makes sense even where parts of the configuration could not be read.
OF_STRINGS: Final = (tainted_uses, patterns, list_items, numbers, braces, refused)
OF_THE_WHOLE: Final = (
    review,
    unknown_names,
    unset_variables,
    acls,
    deliverable,
    open_relay,
    misconfigured_srs,
    shared_srs,
    dmarc_without_effect,
)
WARNINGS: Final = (*OF_STRINGS, *OF_THE_WHOLE)
NOTES: Final = (old_names, ineffective, unused, unreached_statements, idle, macros, older_srs)


def check(path: str, given_macros: dict[str, str], *, with_files: bool = True) -> Findings:
    """Everything that is wrong with the file, and with those that it includes.

    `with_files` looks whether the files are there that it names; that is for the machine on which it will be used.
    """
    try:
        config = load(path, given_macros)
    except ConfigErrors as errors:
        partly: Configuration | None = errors.config
        if partly is None:
            return Findings(None, errors.faults)
        found = [*partly.warnings, *compile_all(partly), *_found(OF_STRINGS, partly)]
        notes = [*(one for one in found if isinstance(one, Note)), *old_names(partly)]
        return Findings(partly, errors.faults, _harmful(found), notes)
    found = [*config.warnings, *_found(WARNINGS, config), *(files(config) if with_files else ())]
    notes = [*(one for one in found if isinstance(one, Note)), *_found(NOTES, config)]
    return Findings(config, (), _harmful(found), notes)


def _found(
    checks: Iterable[Callable[[Configuration], Iterable[ConfigError]]], config: Configuration
) -> list[ConfigError]:
    return [fault for one in checks for fault in one(config)]


def _harmful(found: Iterable[ConfigError]) -> Iterable[ConfigError]:
    return (fault for fault in found if not isinstance(fault, Note))


def _sorted(config: Configuration | None, found: Iterable[ConfigError]) -> list[ConfigError]:
    """In the order of the file, without what was found twice (a string that is part of several)."""
    order = {file: number for number, file in enumerate(config.files)} if config is not None else {}

    def position(error: ConfigError) -> tuple[int, int, int]:
        place = error.place
        return (len(order), 0, 0) if place is None else (order.get(place.file, len(order)), place.line, place.column)

    once: dict[str, ConfigError] = {}
    for error in found:
        once.setdefault(str(error), error)
    return sorted(once.values(), key=position)
