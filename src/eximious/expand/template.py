"""Strings that are expanded: parsed once, evaluated often. (Chapter "String expansions" of Exim's specification.)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.errors import ConfigError, Defer, ExpandError, Place
from eximious.expand.fault import TOO_DEEP
from eximious.expand.nodes import Literal, Node
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.fault import Fault
    from eximious.expand.parse import Parser

MOST_CACHED: Final = 2048  # texts that `expand` remembers
LONGEST_CACHED: Final = 4096  # characters


class Template:
    """A compiled string. `compile` makes one; a string with a fault compiles, and fails when it is expanded."""

    __slots__ = ("constant", "faults", "root", "source")

    def __init__(self, source: str, root: Node, faults: list[ConfigError]) -> None:
        self.source = source
        self.root = root
        self.constant = root.constant  # the text, if it is the same in every context
        self.faults = faults  # what will go wrong when it is expanded

    def expand(self, context: Context) -> str:
        """The expanded text (a `Tainted` if any part was). Raises ExpandError, ForcedFail or Defer."""
        if context.trace is not None and self.constant is None:
            return self._traced(context)
        try:
            return self.root.evaluate(context)
        except RecursionError:  # strings that expand strings that expand strings
            raise ExpandError(TOO_DEEP) from None

    def _traced(self, context: Context) -> str:
        """The same while somebody looks (``-d``, ``explain``)."""
        try:
            result = self.root.evaluate(context)
        except (ExpandError, Defer, RecursionError) as error:
            if isinstance(error, RecursionError):
                error = ExpandError(TOO_DEEP)
            context.trace.expand(f'expanding "{self.source}" failed: {error}')
            raise error from None
        mark = " (tainted)" if result.__class__ is Tainted else ""
        context.trace.expand(f'expanding "{self.source}" gave "{result}"{mark}')
        return result

    def __repr__(self) -> str:
        return f"Template({self.source!r})"


def compile(text: str, place: Place | None = None) -> Template:
    """Parse a string. Never raises for faults in it: they are in `faults`, with places, for whoever reads the file."""
    if "$" not in text and "\\" not in text:
        return Template(text, Literal(text), [])
    parser = (_parser_class or _load_parser())(text)
    root = parser.whole()
    if not parser.warnings:
        return Template(text, root, [])
    return Template(text, root, [_config_error(fault, text, place) for fault in parser.warnings])


_parser_class: type[Parser] | None = None


def _load_parser() -> type[Parser]:
    """The parser, which is imported when the first string needs it."""
    global _parser_class
    from eximious.expand.parse import Parser

    _parser_class = Parser
    return Parser


def _config_error(fault: Fault, text: str, place: Place | None) -> ConfigError:
    """The fault as an error with a place, if the place of the string's first character is known."""
    return ConfigError(fault.message, None if place is None else place.at(fault.position), fault.hint)


_cache: dict[str, Template] = {}
_seen_once: set[str] = set()


def _comes_again(text: str) -> bool:
    """True if the text has come before: templates of texts that come once would only take memory and time."""
    if text in _seen_once:
        _seen_once.discard(text)
        return True
    if len(_seen_once) >= MOST_CACHED:
        _seen_once.clear()
    _seen_once.add(text)
    return False


def expand(text: str, context: Context) -> str:
    """Compile (with a cache) and expand in one step, for text that is not in the configuration.

    Tainted text is refused, unless there is nothing to expand in it.
    """
    if "$" not in text and "\\" not in text:
        return text
    if text.__class__ is Tainted:
        raise ExpandError(f"attempt to expand tainted string '{text}'")
    template = _cache.get(text)
    if template is None:
        template = compile(text)
        if len(text) <= LONGEST_CACHED and _comes_again(text):
            if len(_cache) >= MOST_CACHED:
                _cache.clear()
            _cache[text] = template
    return template.expand(context)


__all__ = ["Template", "compile", "expand"]
