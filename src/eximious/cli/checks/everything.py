"""All checks of a configuration, and what they found, by how bad it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from eximious.cli.checks.ineffective import ineffective
from eximious.cli.checks.names import unknown_names
from eximious.cli.checks.old_names import old_names
from eximious.cli.checks.taint import tainted_uses
from eximious.cli.checks.unused import unset_variables, unused
from eximious.config.configuration import Configuration
from eximious.config.load import load
from eximious.config.review import review
from eximious.errors import ConfigError, ConfigErrors

# Warnings of the reader that are about nothing that could fail.
HARMLESS: Final = re.compile(r"is an old name$|has no effect$|which this version does not have$")


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
        self.config = config  # None if it cannot be loaded
        self.errors = list({str(error): error for error in errors}.values())  # which keep the server from starting
        self.warnings = _sorted(config, warnings)  # what will fail when it is reached
        self.notes = _sorted(config, notes)  # what does no harm: unused, without effect, old


def check(path: str, macros: dict[str, str]) -> Findings:
    """Everything that is wrong with the file, and with those that it includes."""
    try:
        config = load(path, macros)
    except ConfigErrors as errors:
        return Findings(None, errors.faults)
    old: list[ConfigError] = []
    warnings: list[ConfigError] = []
    for warning in config.warnings:
        (old if HARMLESS.search(warning.message) else warnings).append(warning)
    warnings += review(config)
    warnings += unknown_names(config)
    warnings += unset_variables(config)
    warnings += tainted_uses(config)
    notes = [*old, *old_names(config), *ineffective(config), *unused(config)]
    return Findings(config, (), warnings, notes)


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
