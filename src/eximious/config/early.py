"""Expansion while a configuration is still being read: for the few options whose value is needed to go on."""

from __future__ import annotations

from eximious.errors import ConfigError, Defer, ExpandError, Place


def expand_early(text: str, place: Place | None = None) -> str:
    """Expand text that cannot depend on messages or connections. Raises ConfigError."""
    from eximious.config.configuration import Configuration
    from eximious.config.main import MainOptions

    return expand_for(Configuration(MainOptions()), text, place)


def expand_for(config: object, text: str, place: Place | None = None) -> str:
    """Expand text under a configuration, outside of any message or connection. Raises ConfigError."""
    import importlib

    # These are higher layers: found when they are needed, by name.
    context_module = importlib.import_module("eximious.context")
    services_module = importlib.import_module("eximious.services")
    template_module = importlib.import_module("eximious.expand.template")
    context = context_module.Context(config, services_module.Services(config))
    try:
        return str(template_module.compile(text, place).expand(context))
    except (ExpandError, Defer) as error:
        raise ConfigError(f'failed to expand "{text}": {error}', place) from error
