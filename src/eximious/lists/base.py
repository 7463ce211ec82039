"""What domain, host, address and local part lists have in common: expansion, negation, files and named lists.

A list is read from left to right; the first item that matches decides. A list whose last item is negated matches
whatever none of its items matched. (Exim specification, chapter "Domain, host, address, and local part lists".)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, final

from eximious.config.lists import split
from eximious.errors import ConfigError, Defer, ExpandError, ForcedFail
from eximious.lookups.base import Unanswered
from eximious.taint import Tainted, alike

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.template import Template

MOST_CACHED: Final = 256  # expanded texts whose compiled form a list remembers
DEEPEST: Final = 20  # named lists within named lists
SET_FROM: Final = 4  # so many literal items in a row become one set


class Matched:
    """Something is on a list. `data` is what the item that matched has for it: ``$domain_data`` and its kin."""

    __slots__ = ("data",)

    def __init__(self, data: str = "") -> None:
        self.data = data


NOTHING_SPECIAL: Final = Matched()  # on the list because no item says otherwise


class Unknown(Exception):
    """An item cannot be judged, since a name or an address cannot be found; for ever, or only for now."""

    def __init__(self, why: str, *, is_temporary: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.is_temporary = is_temporary


class Pattern:
    """What an item of a list matches."""

    __slots__ = ()

    def test(self, subject: Any, context: Context) -> Matched | None:
        """The match, or None. Raises Defer or Unknown."""
        raise NotImplementedError


class Item:
    """One item of a list. For a file, `pattern` is None and `path` names it."""

    __slots__ = ("is_negated", "path", "pattern", "policy", "text")

    def __init__(self, text: str, pattern: Pattern | None, is_negated: bool, path: str, policy: Policy) -> None:
        self.text = text
        self.pattern = pattern
        self.is_negated = is_negated
        self.path = path
        self.policy = policy


@final
class Policy:
    """What follows from an item that cannot be judged: ``+include_unknown`` and the like, as they stand before it."""

    __slots__ = ("defer", "unknown")

    def __init__(self, unknown: str = "", defer: str = "") -> None:
        self.unknown = unknown  # "", "include" or "ignore"
        self.defer = defer


PLAIN_POLICY: Final = Policy()


def _is_steady(item: Item, context: Context) -> bool:
    if not isinstance(item.pattern, NamedPattern):
        return True
    named = context.config.named_lists[item.pattern.registry].get(item.pattern.name)
    return named is not None and (named.is_cached or named.list.is_steady(context))


class MatchList:
    """A compiled list. Subclasses say what an item means."""

    __slots__ = ("_compiled", "_is_steady", "_items", "template")

    kind: ClassVar[str] = ""  # of the list, in messages: "domain", "host", "address", "local part"
    registry: ClassVar[str] = ""  # in Configuration.named_lists
    comments_anywhere: ClassVar[bool] = True  # in files: a # begins a comment wherever it stands

    def __init__(self, template: Template) -> None:
        self.template = template
        self._is_steady: bool | None = None
        self._items: dict[Any, Sequence[Item]] = {}  # by variant, for a list that never changes
        self._compiled: dict[Any, Sequence[Item]] = {}  # by variant and text, for one that is expanded each time

    def is_steady(self, context: Context) -> bool:
        """The list is the same each time: neither it nor a list that it refers to has anything to expand."""
        if self._is_steady is None:
            self._is_steady = False  # for a list that refers to itself
            if self.template.constant is not None:
                self._is_steady = all(_is_steady(item, context) for item in self._expanded_items(context, None))
        return self._is_steady

    @property
    def source(self) -> str:
        """The list as it is written."""
        return self.template.source

    @property
    def faults(self) -> list[ConfigError]:
        """What will go wrong when the list is expanded."""
        return self.template.faults

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source!r})"

    # For subclasses ---------------------------------------------------------------------------------------------------

    def compile_pattern(self, text: str, variant: Any, *, in_file: bool) -> Pattern:
        """The meaning of one item without its exclamation mark. Raises ConfigError."""
        raise NotImplementedError

    def scan(self, subject: Any, context: Context, variant: Any = None) -> Matched | None:
        """The verdict of the list on a subject."""
        if context.trace is not None:
            return self._traced(subject, context, variant)
        return self._scan(subject, context, variant)

    def _traced(self, subject: Any, context: Context, variant: Any) -> Matched | None:
        """The same while somebody looks."""
        deciding: list[str] = []
        verdict = self._scan(subject, context, variant, deciding)
        word = "yes" if verdict is not None else "no"
        if deciding and deciding[0] != self.source:
            word += f' (matched "{deciding[0]}")'
        key = _cache_key(subject)
        shown = key[0] if isinstance(key, tuple) else key
        context.trace.lists(f'{shown} in {self.kind} list "{self.source}"? {word}')
        return verdict

    def _scan(self, subject: Any, context: Context, variant: Any, deciding: list[str] | None = None) -> Matched | None:
        """The verdict; the text of the item that decided is added to `deciding`."""
        try:
            items = self._items.get(variant)
            if items is None:
                items = self._expanded_items(context, variant)
        except ForcedFail:
            return None
        item = None
        for item in items:
            pattern = item.pattern
            if pattern is None:
                verdict = self._scan_file(item, subject, context, variant)
                if verdict is not None:
                    if deciding is not None:
                        deciding.append(item.text)
                    return verdict[0]
                continue
            try:
                found = pattern.test(subject, context)
            except Unknown as unknown:
                verdict = _after_unknown(unknown, item, context)
                if verdict is not None:
                    return verdict[0]
                continue
            if found is not None:
                if deciding is not None:
                    deciding.append(item.text)
                return None if item.is_negated else found
        return NOTHING_SPECIAL if item is not None and item.is_negated else None

    # Inside -----------------------------------------------------------------------------------------------------------

    def _scan_file(self, item: Item, subject: Any, context: Context, variant: Any) -> tuple[Matched | None] | None:
        """The verdict of the lines of a file, in a tuple; None if none of them matches."""
        for line in self._file_items(item.path, context, variant):
            assert line.pattern is not None
            try:
                found = line.pattern.test(subject, context)
            except Unknown as unknown:
                verdict = _after_unknown(unknown, item, context)
                if verdict is not None:
                    return verdict
                continue
            if found is not None:
                if line.is_negated != item.is_negated:
                    return (None,)
                return (found if found.data else Matched(line.text.removeprefix("!").lstrip(" \t")),)
        return None

    def _expanded_items(self, context: Context, variant: Any) -> Sequence[Item]:
        text = self.template.constant
        if text is None:
            try:
                text = self.template.expand(context)
            except ForcedFail:
                raise
            except ExpandError as error:
                message = f'failed to expand "{self.source}" while checking a list: {error}'
                context.services.logs.write(("main", "panic"), message, context.message.id)
                raise Defer(str(error)) from None
            except Unanswered as error:
                message = f'failed to expand "{self.source}" while checking a list: {error}'
                context.services.logs.write(("main", "panic"), message, context.message.id)
                raise Defer(error.why) from None
            key = (variant, text, text.quoter if isinstance(text, Tainted) else None)
            items = self._compiled.get(key)
            if items is None:
                items = self._compile(text, variant)
                if len(self._compiled) >= MOST_CACHED:
                    self._compiled.clear()
                self._compiled[key] = items
            return items
        items = self._compile(text, variant)
        self._items[variant] = items
        return items

    def _compile(self, text: str, variant: Any) -> Sequence[Item]:
        items: list[Item] = []
        policy = PLAIN_POLICY
        for written in split(text):
            changed = self.policy_word(written, policy)
            if changed is not None:
                policy = changed
                continue
            changed_variant = self.variant_word(written, variant)
            if changed_variant is not None:
                variant = changed_variant
                continue
            items.append(self._compile_item(alike(written, text), variant, policy))
        return self.gathered(items)

    def item_of(self, text: str) -> Item | None:
        """One item, for whoever checks a configuration; None for a word like ``+include_unknown``."""
        if self.policy_word(text, PLAIN_POLICY) is not None or self.variant_word(text, None) is not None:
            return None
        return self._compile_item(text, None, PLAIN_POLICY)

    def policy_word(self, text: str, policy: Policy) -> Policy | None:
        """The policy after an item like ``+include_unknown``; None for other items."""
        return None

    def variant_word(self, text: str, variant: Any) -> Any:
        """The variant after an item like ``+caseful``; None for other items."""
        return None

    def gathered(self, items: list[Item]) -> Sequence[Item]:
        """The items, perhaps with several put together for speed."""
        return items

    def _compile_item(self, text: str, variant: Any, policy: Policy) -> Item:
        is_negated = text.startswith("!")
        name = text[1:].lstrip(" \t\n\r\f\v") if is_negated else text
        name = alike(name, text)
        if name.startswith("/"):
            return Item(text, None, is_negated, name, policy)
        if name.startswith("+"):
            return Item(text, NamedPattern(self, name, variant), is_negated, "", policy)
        return Item(text, self._pattern(name, variant, in_file=False), is_negated, "", policy)

    def _pattern(self, text: str, variant: Any, *, in_file: bool) -> Pattern:
        try:
            return self.compile_pattern(text, variant, in_file=in_file)
        except ConfigError as error:
            return Unusable(error.message)
        except ExpandError as error:
            return Unusable(str(error))

    def _file_items(self, path: str, context: Context, variant: Any) -> Sequence[Item]:
        from eximious.lookups.lsearch import read_text

        def read(fd: int, status: Any) -> tuple[Sequence[Item], int]:
            lines = _lines(read_text(fd, status), self.comments_anywhere)
            items = [self._file_item(line, variant) for line in lines]
            return self.gathered(items), status.st_size * 8

        if path.__class__ is Tainted:
            raise Defer(f"Tainted filename '{path}'")
        kind = f"{self.kind} list {variant}"
        try:
            files = context.services.lookups.files
            return files.get(path, kind, "for reading", read)  # type: ignore[no-any-return]
        except ExpandError as error:
            reason = str(error).rpartition(": ")[2].removesuffix(f" ({kind} lookup)")
            raise Defer(f'failed to open {path} when checking "{self.source}": {reason}') from None

    def _file_item(self, line: str, variant: Any) -> Item:
        is_negated = line.startswith("!")
        name = line[1:].lstrip(" \t") if is_negated else line
        return Item(line, self._pattern(name, variant, in_file=True), is_negated, "", PLAIN_POLICY)


def _after_unknown(unknown: Unknown, item: Item, context: Context) -> tuple[Matched | None] | None:
    """What follows from an item that cannot be judged: a verdict in a tuple, or None to go on with the next item."""
    choice = item.policy.defer if unknown.is_temporary else item.policy.unknown
    word = "defer" if unknown.is_temporary else "unknown"
    if choice == "include":
        context.services.logs.main(f"{unknown.why}: accepted by +include_{word}", context.message.id)
        return (NOTHING_SPECIAL,)
    if choice == "ignore":
        _log_unknown(context, f"{unknown.why}: ignored by +ignore_{word}")
        return None
    if unknown.is_temporary:
        raise Defer(unknown.why)
    _log_unknown(context, f"list matching forced to fail: {unknown.why}")
    return (None,)


def _log_unknown(context: Context, text: str) -> None:
    logs = context.services.logs
    if "unknown_in_list" in logs.selected:
        logs.main(text, context.message.id)


_COMMENT_AFTER_SPACE = re.compile(r"(?:^|[ \t]+)#.*")


def _lines(text: str, comments_anywhere: bool) -> list[str]:
    """The lines of a file that are not empty and not comments."""
    lines = []
    for line in text.split("\n"):
        if "#" in line:
            line = line.partition("#")[0] if comments_anywhere else _COMMENT_AFTER_SPACE.sub("", line, count=1)
        line = line.strip(" \t\r\f\v")
        if line:
            lines.append(line)
    return lines


@final
class Unusable(Pattern):
    """An item that cannot be understood: whoever comes to it must try again later, when it has been corrected."""

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        self.why = why

    def test(self, subject: Any, context: Context) -> Matched | None:
        raise Defer(self.why)


@final
class NamedPattern(Pattern):
    """``+name``: another list. Its verdict is kept if it cannot change while the same message is dealt with."""

    __slots__ = ("kind", "name", "registry", "variant")

    def __init__(self, owner: MatchList, text: str, variant: Any) -> None:
        self.name = text[1:]
        self.kind = owner.kind
        self.registry = owner.registry
        self.variant = variant

    def test(self, subject: Any, context: Context) -> Matched | None:
        named = context.config.named_lists[self.registry].get(self.name)
        if named is None:
            message = f'unknown named {self.kind} list "+{self.name}"'
            context.services.logs.panic(message)
            raise Defer(message)
        compiled: MatchList = named.list
        key = None
        if named.is_cached or compiled.is_steady(context):
            key = (self.registry, self.name, self.variant, _cache_key(subject))
            cached = context.named_list_cache.get(key)
            if cached is not None:
                found, captures = cached
                if found is not None:
                    context.captures = captures
                return found  # type: ignore[no-any-return]
        if context.depth >= DEEPEST:
            raise Defer(f'named list "+{self.name}" refers to itself')
        context.depth += 1
        try:
            found = compiled.scan(subject, context, self.variant)
        finally:
            context.depth -= 1
        if key is not None:
            context.named_list_cache[key] = (found, context.captures)
        return found


def _cache_key(subject: Any) -> Any:
    return subject if isinstance(subject, str) else subject.key
