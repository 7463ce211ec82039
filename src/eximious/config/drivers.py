"""Sections of driver instances (routers, transports, authenticators): ``name:``, then its options, ``driver`` first.

Exim specification, "Format of driver configurations".
"""

from __future__ import annotations

import importlib
from typing import Any

from eximious.config.configuration import Configuration
from eximious.config.errors import Fault
from eximious.config.lines import Line
from eximious.config.option import Given, Options
from eximious.config.sections import Section
from eximious.config.settings import NAME_LIMIT, Setting, apply, read_name, skip_spaces, unknown
from eximious.errors import ConfigError, did_you_mean


class DriverClass:
    """One class of drivers: what it is called, and where its implementations are."""

    __slots__ = ("base_name", "kind", "module", "registry_name")

    def __init__(self, kind: str, module: str, registry_name: str, base_name: str) -> None:
        self.kind = kind  # "router", ...
        self.module = module  # that has the registry and the class with the generic options
        self.registry_name = registry_name
        self.base_name = base_name

    @property
    def registry(self) -> Any:
        """The `eximious.registry.Registry` of the implementations."""
        return getattr(importlib.import_module(self.module), self.registry_name)

    @property
    def base(self) -> type[Options]:
        """The class that has the generic options."""
        base: type[Options] = getattr(importlib.import_module(self.module), self.base_name)
        return base


ROUTERS = DriverClass("router", "eximious.routers.base", "routers", "Router")
TRANSPORTS = DriverClass("transport", "eximious.transports.base", "transports", "Transport")
AUTHENTICATORS = DriverClass("authenticator", "eximious.authenticators.base", "authenticators", "Authenticator")
CLASSES = {drivers.kind: drivers for drivers in (ROUTERS, TRANSPORTS, AUTHENTICATORS)}


def read_routers(section: Section, config: Configuration) -> None:
    """Read the routers section."""
    config.routers.extend(read_instances(section, ROUTERS))


def read_transports(section: Section, config: Configuration) -> None:
    """Read the transports section."""
    config.transports.update((instance.name, instance) for instance in read_instances(section, TRANSPORTS))


def read_authenticators(section: Section, config: Configuration) -> None:
    """Read the authenticators section."""
    config.authenticators.extend(read_instances(section, AUTHENTICATORS))


class _Instance:
    """A driver instance being read: generic options come first into a plain holder, until ``driver`` is known."""

    __slots__ = ("is_broken", "is_known", "line", "name", "options")

    def __init__(self, name: str, line: Line, base: type[Options]) -> None:
        self.name = name
        self.line = line
        self.options = base()
        self.is_known = False  # the driver
        self.is_broken = False  # the driver does not exist, which has been said


def read_instances(section: Section, drivers: DriverClass) -> list[Options]:
    """Read a section of drivers; the instances without a fault, in order."""
    found: dict[str, Options] = {}
    instance: _Instance | None = None
    for line in section:
        if section.is_definition(line) and "=" in line.text and not _is_instance(line):
            section.define(line)
            _finish(section, drivers, instance, found)
            instance = None
        elif _is_instance(line):
            _finish(section, drivers, instance, found)
            instance = _begin(section, drivers, line)
        elif instance is None:
            section.fault(f"{drivers.kind} name missing", line.place(), "name:")
            _skip(section)
        else:
            _read_option(section, drivers, instance, line)
    _finish(section, drivers, instance, found)
    return list(found.values())


def _is_instance(line: Line) -> bool:
    name = read_name(line.text)
    return line.text[skip_spaces(line.text, len(name)) :].startswith(":")


def _skip(section: Section) -> None:
    """Pass over the lines that belong to what could not be understood."""
    for line in section:
        if _is_instance(line) or section.is_definition(line):
            section.push_back(line)
            return


def _begin(section: Section, drivers: DriverClass, line: Line) -> _Instance:
    name = read_name(line.text)
    if len(name) > NAME_LIMIT - 1:
        section.fault(
            f'exim item name too long (>{NAME_LIMIT}), unable to use "{name[: NAME_LIMIT - 1]}" (truncated)',
            line.place(),
        )
    colon = skip_spaces(line.text, len(name))
    rest = skip_spaces(line.text, colon + 1)
    if rest < len(line.text):
        comment = " (# is comment only at line start)" if line.text[rest] == "#" else ""
        section.fault(f"extra characters follow driver name {name}{comment}", line.place(rest))
    return _Instance(name, line, drivers.base)


def _read_option(section: Section, drivers: DriverClass, instance: _Instance, line: Line) -> None:
    target = instance.options
    setting = Setting(line, target.by_any_name)
    if setting.option is None and instance.is_broken:
        return  # it may well be an option of the driver that was meant
    if setting.option is None:
        message = f'option "{setting.name}" unknown'
        if not instance.is_known:
            message += ' ("driver" must be specified before any private options)'
        section.faults.take(unknown(setting, message, target.by_any_name, _elsewhere(setting.name)))
        return
    apply(setting, target, section.faults)
    if setting.option.name == "driver" and not instance.is_known:
        instance.is_known = True
        given = target.given.get("driver")
        if given is not None:
            _choose(section, drivers, instance, given)


def _elsewhere(name: str) -> str:
    """Where an option of that name belongs, in words. Loads all drivers: for faults only."""
    from eximious.config.elsewhere import belongs_to

    return belongs_to(name)


def _choose(section: Section, drivers: DriverClass, instance: _Instance, given: Given) -> None:
    """Now that the driver is known, let an instance of its class take over the generic options."""
    found = drivers.registry.find(given.text)
    if found is None:
        instance.is_broken = True
        names = drivers.registry.load_all()
        section.fault(
            f'{drivers.kind} {instance.name}: cannot find {drivers.kind} driver "{given.text}"',
            given.place,
            did_you_mean(given.text, names),
        )
        return
    generic = instance.options
    instance.options = found()
    instance.options.given.update(generic.given)
    instance.options.__dict__.update((key, value) for key, value in generic.__dict__.items() if key != "given")


def _finish(section: Section, drivers: DriverClass, instance: _Instance | None, found: dict[str, Options]) -> None:
    if instance is None:
        return
    place = instance.line.place()
    if not instance.is_known:
        section.faults.take(Fault(f'no driver defined for {drivers.kind} "{instance.name}"', place))
        return
    if instance.name in found:
        section.faults.take(Fault(f'there are two {drivers.kind}s called "{instance.name}"', place))
        return
    if instance.is_broken:
        return
    options = instance.options
    options.name = instance.name
    options.place = place
    found[instance.name] = options


def check_instances(config: Configuration) -> list[ConfigError]:
    """What the drivers of a configuration find wrong with their options, taken together."""
    faults: list[ConfigError] = []
    for instance in (*config.transports.values(), *config.routers, *config.authenticators):
        try:
            instance.check(config)
        except ConfigError as error:
            if error.place is None and not isinstance(error, Fault):
                error = Fault(error.message, hint=error.hint)
            error.place = error.place or instance.place
            faults.append(error)
    return faults
