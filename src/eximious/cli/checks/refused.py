"""What Exim can be built with and this program refuses, each with what to use instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from eximious.cli.checks.strings import function_name, texts
from eximious.config.configuration import Configuration
from eximious.errors import ConfigError
from eximious.expand.condition import Condition
from eximious.expand.items.lookup import Lookup
from eximious.expand.nodes import Call

# By the name of the function that would be called.
REFUSED: Final = {
    "dlfunc": (
        "C functions are not loaded",
        "call a command with ${run, or write the function in Python: ${python{...}}",
    ),
    "perl": ("there is no Perl in this program", "write the function in Python: ${python{...}}"),
    "pwcheck": ("pwcheck is not supported", "use saslauthd{{user}{password}}"),
    "radius": ("RADIUS is not supported", "use pam{user:password} with pam_radius"),
}


def refused(config: Configuration) -> Iterator[ConfigError]:
    """A warning for each use."""
    for text in texts(config):
        for thing in text.walk():
            found = _found(thing)
            if found is not None:
                yield ConfigError(found[0], text.place_of(thing), found[1])


def _found(thing: Any) -> tuple[str, str] | None:
    if isinstance(thing, Lookup):
        lookup = thing.spec.lookup
        return (f"the lookup type {lookup.name} is not supported", lookup.instead) if lookup.instead else None
    if isinstance(thing, Call | Condition) and hasattr(thing, "function"):
        return REFUSED.get(function_name(thing))
    return None
