"""The environment of this process: what the configuration lets through, and nothing else.

Exim specification, keep_environment and add_environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, MutableMapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.config.main import MainOptions


def clean(main: MainOptions, environment: MutableMapping[str, str] | None = None) -> bool:
    """Remove what is not to be kept, add what is to be added; False if nothing says what to keep.

    Raises re.error for a bad regular expression.
    """
    variables = os.environ if environment is None else environment
    keep = list(main.keep_environment or ())
    for name in [name for name in variables if not is_kept(name, keep)]:
        del variables[name]
    for setting in main.add_environment or ():
        name, equals, value = setting.partition("=")
        if equals and name:
            variables[name] = value
    return main.is_set("keep_environment")


def is_kept(name: str, patterns: Iterable[str]) -> bool:
    """True if the list of names, wildcards (``*suffix``) and regular expressions (``^...``) has the name."""
    return any(_matches(name, pattern) for pattern in patterns)


def _matches(name: str, pattern: str) -> bool:
    if pattern.startswith("^"):
        import pcre2

        return pcre2.compile(pattern).search(name) is not None
    if pattern.startswith("*"):
        return name.lower().endswith(pattern[1:].lower())
    return name.lower() == pattern.lower()
