"""wildlsearch and nwildlsearch: text files whose keys may be ``*end`` or ``^regular expression``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.errors import Defer, ExpandError
from eximious.expand.template import compile as compile_template
from eximious.lists.patterns import Text, text, usual_pattern
from eximious.lookups.base import Options, SingleKeyLookup, lookups
from eximious.lookups.linear_file import Entry, entries
from eximious.lookups.lsearch import PURPOSE, answer, read_text
from eximious.taint import untainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.lists.base import Pattern


class WildSearch(SingleKeyLookup):
    """The first line whose key matches."""

    options = ("ret",)

    def __init__(self, name: str, *, expands: bool) -> None:
        self.name = name
        self.expands = expands  # keys are expanded before they are used

    def find(self, context: Context, path: str, key: str, options: Options) -> str | None:
        reader = _read_templates if self.expands else _read_patterns
        lines = context.services.lookups.files.get(path, self.name, PURPOSE, reader)
        subject = text(untainted(key))
        captures = context.captures
        try:
            for pattern, entry in lines:
                if self.expands:
                    pattern = _expanded(pattern, context)
                if _matches(pattern, subject, context):
                    return answer(entry, options)
        finally:
            context.captures = captures
        return None


def _matches(pattern: Pattern, subject: Text, context: Context) -> bool:
    return pattern.test(subject, context) is not None


def _pattern(written: str) -> Pattern:
    try:
        return usual_pattern(written, False)
    except ExpandError as error:
        raise Defer(str(error)) from None


def _expanded(key: Template, context: Context) -> Pattern:
    try:
        return _pattern(key.expand(context))
    except ExpandError as error:
        raise Defer(f'failed to expand "{key.source}": {error}') from None


def _read_patterns(fd: int, status: os.stat_result) -> tuple[list[tuple[Pattern, Entry]], int]:
    lines = [(_pattern(key), (key, rest)) for key, rest in entries(read_text(fd, status))]
    return lines, status.st_size * 8


def _read_templates(fd: int, status: os.stat_result) -> tuple[list[tuple[Template, Entry]], int]:
    lines = [(compile_template(key), (key, rest)) for key, rest in entries(read_text(fd, status))]
    return lines, status.st_size * 8


lookups.register("wildlsearch")(WildSearch("wildlsearch", expands=True))
lookups.register("nwildlsearch")(WildSearch("nwildlsearch", expands=False))
