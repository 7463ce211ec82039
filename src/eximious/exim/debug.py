"""Debugging categories: what ``-d`` may ask for. (Exim specification, "Command line options", -d.)"""

from __future__ import annotations

from typing import Final

CATEGORIES: Final = (
    "acl",
    "auth",
    "deliver",
    "dns",
    "dnsbl",
    "exec",
    "expand",
    "filter",
    "hints_lookup",
    "host_lookup",
    "ident",
    "interface",
    "lists",
    "load",
    "local_scan",
    "lookup",
    "memory",
    "noutf8",
    "pid",
    "process_info",
    "queue_run",
    "receive",
    "resolver",
    "retry",
    "rewrite",
    "route",
    "timestamp",
    "tls",
    "transport",
    "uid",
    "verify",
)

# Names that other releases knew, for the same thing.
ALIASES: Final = {"any": "deliver", "v": "deliver"}

UNUSUAL: Final = frozenset(
    {"expand", "filter", "interface", "load", "local_scan", "memory", "noutf8", "pid", "resolver", "timestamp"}
)
DEFAULT: Final = frozenset(CATEGORIES) - UNUSUAL


def parse(selectors: str) -> frozenset[str]:
    """The categories chosen by what follows ``-d``: the usual ones, changed by each ``+name`` or ``-name``.

    Raises ValueError with the text for standard error.
    """
    chosen = set(DEFAULT)
    rest = selectors
    while rest:
        if rest[0] not in "+-":
            raise ValueError(f'malformed debug_selector setting: + or - expected but found "{rest}"')
        end = 1
        while end < len(rest) and (rest[end].isalnum() or rest[end] == "_"):
            end += 1
        word, rest = rest[:end], rest[end:]
        chosen = _changed(chosen, word)
    return frozenset(chosen)


def _changed(chosen: set[str], word: str) -> set[str]:
    """The categories after one ``+name`` or ``-name``; ``all`` is all of them, though ``+all`` leaves memory out."""
    name = word[1:]
    if name == "all":
        return set(CATEGORIES) - {"memory", "noutf8"} if word[0] == "+" else set()
    name = ALIASES.get(name, name)
    if name not in CATEGORIES:
        raise ValueError(f"unknown debug_selector setting: {word}")
    return chosen | {name} if word[0] == "+" else chosen - {name}
