"""Closing braces that close nothing: what was meant to be inside an item is outside it."""

from __future__ import annotations

from collections.abc import Iterator

from eximious.cli.checks.strings import texts
from eximious.config.configuration import Configuration
from eximious.errors import ConfigError
from eximious.expand.nodes import Concatenation, Literal


def braces(config: Configuration) -> Iterator[ConfigError]:
    """A warning for each string with such a brace. (JSON and the like has as many opening ones.)"""
    for text in texts(config):
        if text.template.constant is not None or text.template.faults:
            continue
        root = text.root
        if not isinstance(root, Concatenation):
            continue
        loose = [part.constant for part in root.parts if isinstance(part, Literal)]
        if sum(part.count("}") - part.count("{") for part in loose) > 0 and loose[-1].rstrip().endswith("}"):
            place = None if text.place is None else text.place.at(text.source.rindex("}"))
            yield ConfigError("this } closes nothing, and is part of the text", place, "remove it, or write \\}")
