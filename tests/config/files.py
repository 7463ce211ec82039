"""Configurations as text, for the tests of how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from eximious.config.configuration import Configuration
from eximious.config.errors import as_exim_says
from eximious.config.load import load
from eximious.config.show import Show
from eximious.errors import ConfigError, ConfigErrors


def write(folder: Path, text: str, name: str = "exim.conf") -> str:
    """Put the text into a file, octet for octet; gives its path."""
    path = folder / name
    path.write_bytes(text.encode("latin-1"))
    return str(path)


def read(folder: Path, text: str, macros: Mapping[str, str] | None = None) -> Configuration:
    """The configuration of that text."""
    return load(write(folder, text), macros)


def faults(folder: Path, text: str, macros: Mapping[str, str] | None = None) -> list[ConfigError]:
    """What is wrong with it; empty if nothing is."""
    try:
        read(folder, text, macros)
    except ConfigErrors as errors:
        return errors.faults
    return []


def complaint(folder: Path, text: str) -> str:
    """What Exim would say first, with the file called FILE; empty if nothing is wrong."""
    found = faults(folder, text)
    return as_exim_says(found[0]).replace(str(folder / "exim.conf"), "FILE") if found else ""


def shown(config: Configuration, name: str, *, is_admin: bool = True, is_terse: bool = False) -> str | None:
    """The line that -bP prints for a main option."""
    return Show(config, is_admin=is_admin, is_terse=is_terse).main_option(name)
