"""The section ``begin acl``: names, each followed by the lines of its ACL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from eximious.acl.compiled import Acl
from eximious.acl.parse import parse
from eximious.config.lines import Line
from eximious.errors import ConfigError, Place

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.config.sections import Section

NAME: Final = re.compile(r"([A-Za-z][A-Za-z0-9_]*)[ \t]*:(.*)", re.DOTALL)
NAMELESS: Final = "?"


def read(section: Section, configuration: Configuration) -> None:
    """Read the section into the configuration. Strings that will fail when they are used become warnings."""
    faults: list[ConfigError] = []
    configuration.acls.update(compile_all(_lines(section), faults))
    for fault in faults:
        section.faults.take(fault)
    for acl in configuration.acls.values():
        section.faults.warnings.extend(acl.faults)


def _lines(section: Section) -> Iterable[Line]:
    """The section's lines, without the macro definitions between them."""
    for line in section:
        if section.is_definition(line):
            section.define(line)
        else:
            yield line


def compile_all(lines: Iterable[Line], faults: list[ConfigError]) -> dict[str, Acl]:
    """The ACLs that the logical lines define, by name. What is wrong with them is added to `faults`."""
    acls: dict[str, Acl] = {}
    name = ""
    place_of_name: Place | None = None
    body: list[Line] = []
    for line in lines:
        header = NAME.fullmatch(line.text)
        if header is None:
            if not name:
                faults.append(ConfigError("missing or malformed ACL name", line.place()))
                name = NAMELESS
            body.append(line)
            continue
        _add(acls, name, place_of_name, body, faults)
        name, place_of_name, body = header[1], line.place(), []
        if name in acls:
            faults.append(ConfigError(f'there are two ACLs called "{name}"', line.place()))
        if header[2].strip():
            place = line.place(header.start(2))
            faults.append(ConfigError(f'text after the name of ACL "{name}"', place, "it belongs on the next line"))
    _add(acls, name, place_of_name, body, faults)
    return acls


def _add(acls: dict[str, Acl], name: str, place: Place | None, body: list[Line], faults: list[ConfigError]) -> None:
    """Compile the lines of one ACL; those without a name are checked nevertheless."""
    if name:
        found: list[ConfigError] = []
        acl = parse(name, body, found)
        acl.place = place
        faults += [ConfigError(f"error in ACL: {fault.message}", fault.place, fault.hint) for fault in found]
        if name != NAMELESS:
            acls.setdefault(name, acl)
