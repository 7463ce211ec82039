"""Drivers whose options are known but which this version cannot run."""

from __future__ import annotations

from eximious.config.option import Options
from eximious.errors import ConfigError


def refuse(instance: Options) -> None:
    """Raise the ConfigError that says so."""
    given = instance.given.get("driver")
    driver = given.text if given is not None else instance.name
    raise ConfigError(
        f'authenticator {instance.name}: driver "{driver}" is not available in this version',
        given.place if given is not None else instance.place,
    )
