"""Reading a configuration: from a file's name to a checked `Configuration`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eximious.config.configuration import Configuration
from eximious.config.definitions import define_macro, is_definition
from eximious.config.drivers import check_instances
from eximious.config.errors import Faults
from eximious.config.finish import finish
from eximious.config.lines import Line
from eximious.config.macros import Macros
from eximious.config.main import MainOptions
from eximious.config.named_lists import TYPES, read_named_list
from eximious.config.reader import Reader
from eximious.config.sections import begins_section, read_sections
from eximious.config.settings import Setting, apply, unknown
from eximious.errors import ConfigError


def load(
    path: str,
    macros: Mapping[str, str] | None = None,
    *,
    check_file: Callable[[int, str], None] | None = None,
) -> Configuration:
    """Read a configuration file. Raises ConfigErrors with all faults.

    `macros` are those of the command line (-D), which win over definitions in the file. `check_file` is called with the
    descriptor and path of each opened file and raises ConfigError if it must not be used (`eximious.config.trust`).
    """
    faults = Faults()
    config = Configuration(MainOptions())
    config.file = path
    reader = Reader(_macros(macros or {}, faults), faults, check_file)
    try:
        reader.open(path)
    except ConfigError as error:
        faults.take(error)
        faults.raise_if_any()
    read_main(reader, faults, config)
    read_sections(reader, faults, config)
    config.macros = reader.macros.values()
    config.files = reader.files
    config.lines = reader.kept
    finish(config, faults)
    for fault in check_instances(config):
        faults.take(fault)
    config.warnings = faults.warnings
    faults.raise_if_any(config)
    return config


def _macros(given: Mapping[str, str], faults: Faults) -> Macros:
    from eximious.config.built_in import built_in_macro, is_missing

    macros = Macros(built_in_macro, is_missing)
    for name, text in given.items():
        try:
            macros.define(name, text, from_command_line=True)
        except ConfigError as error:
            faults.take(error)
    return macros


def read_main(reader: Reader, faults: Faults, config: Configuration) -> None:
    """Read the part before the first ``begin``."""
    while (line := reader.next()) is not None:
        if begins_section(line):
            reader.push_back(line)
            return
        if is_definition(line):
            define_macro(line, reader.macros, faults)
        elif not read_named_list(line, config, faults):
            _read_option(line, faults, config)


def _read_option(line: Line, faults: Faults, config: Configuration) -> None:
    if not line.text[0].isascii() or not line.text[0].isalpha():
        faults.add(f"option setting expected: {line.text}", line.place())
        return
    options = MainOptions.by_any_name
    setting = Setting(line, options)
    if setting.option is None:
        from eximious.config.elsewhere import belongs_to

        names = (*options, *TYPES)
        faults.take(unknown(setting, f'main option "{setting.name}" unknown', names, belongs_to(setting.name)))
        return
    apply(setting, config.main, faults)
