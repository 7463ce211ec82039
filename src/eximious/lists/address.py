"""Address lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, final

from eximious.errors import Defer, ExpandError, Place
from eximious.expand.regex import compile as compile_regex
from eximious.expand.template import compile as compile_template
from eximious.lists import domain as domain_lists
from eximious.lists import local_part as local_part_lists
from eximious.lists.base import NOTHING_SPECIAL, PLAIN_POLICY, Item, Matched, MatchList, Pattern, Unusable
from eximious.lists.final_text import final_texts
from eximious.lists.patterns import Text, lookup_of, usual_pattern
from eximious.lookups.base import LookupSpec, UnusableLookup
from eximious.octets import lower
from eximious.taint import Tainted, alike

if TYPE_CHECKING:
    from eximious.context import Context

LONGEST_CHAIN: Final = 50  # continuations of an @@ lookup


@final
class AddressText:
    """The subject of an address list, taken apart."""

    __slots__ = ("address", "domain", "domain_text", "is_unqualified", "local_part", "lowered")

    def __init__(self, address: str) -> None:
        local_part, at, domain = address.rpartition("@")
        self.is_unqualified = bool(address and not at)  # then no item matches it
        if not at:
            local_part, domain = domain, ""
        domain = lower(domain)
        whole = f"{local_part}{at}{domain}"
        if address.__class__ is Tainted:
            self.address: str = Tainted(whole)
            self.lowered: str = Tainted(lower(whole))
            self.local_part: str = Tainted(local_part)
            self.domain: str = Tainted(domain)
        else:
            self.address = whole
            self.lowered = lower(whole)
            self.local_part = local_part
            self.domain = domain
        self.domain_text = Text(self.domain, self.domain)

    @property
    def key(self) -> str:
        """Under which the verdict of a named list is kept."""
        return self.address


@final
class AddressList(MatchList):
    """A list of mail addresses. Case does not matter, until ``+caseful`` makes that of local parts matter."""

    __slots__ = ()

    kind = "address"
    registry = "address"
    comments_anywhere = False

    def match(self, address: str, context: Context, *, caseful: bool = False) -> Matched | None:
        """Is the address on the list? "" is the sender of bounces. Raises Defer."""
        captures = context.captures
        try:
            return self.scan(AddressText(address), context, caseful)
        finally:
            context.captures = captures

    def compile_pattern(self, text: str, variant: Any, *, in_file: bool) -> Pattern:
        is_caseful = bool(variant)
        if not text:
            return Empty()
        if text.startswith("^"):
            return WholeRegex(text, is_caseful)
        if text.startswith("@@"):
            return ByDomain(_lookup(text[2:], text), is_caseful)
        kind, semicolon, _ = text.partition(";")
        if semicolon and "@" not in kind.removesuffix("*@"):
            spec, source = _lookup(text, text)
            return WholeLookup(spec.without_partial(), source, is_caseful)
        return _parts(text, is_caseful)

    def variant_word(self, text: str, variant: Any) -> Any:
        return True if text == "+caseful" else None


def _lookup(text: str, written: str) -> tuple[LookupSpec, str]:
    try:
        found = lookup_of(alike(text, written))
    except UnusableLookup as error:
        raise ExpandError(error.message) from None
    if found is None:
        raise ExpandError(f'lookup expected in "{written}"')
    return found


@final
class Empty(Pattern):
    """The sender of bounces."""

    __slots__ = ()

    def test(self, subject: AddressText, context: Context) -> Matched | None:
        return None if subject.address else Matched("")


@final
class Never(Pattern):
    """``local@``: not even an address without a domain is on such a list."""

    __slots__ = ()

    def test(self, subject: AddressText, context: Context) -> Matched | None:
        return None


@final
class WholeRegex(Pattern):
    """A regular expression for the whole address."""

    __slots__ = ("matched", "regex")

    def __init__(self, text: str, is_caseful: bool) -> None:
        self.matched = Matched("")
        self.regex = compile_regex(text, caseless=not is_caseful)

    def test(self, subject: AddressText, context: Context) -> Matched | None:
        found = None if subject.is_unqualified else self.regex.search(subject.address)
        if found is None:
            return None
        context.captures = found
        return self.matched


@final
class WholeLookup(Pattern):
    """A lookup with the whole address as its key."""

    __slots__ = ("is_caseful", "source", "spec")

    def __init__(self, spec: LookupSpec, source: str, is_caseful: bool) -> None:
        self.spec = spec
        self.source = source
        self.is_caseful = is_caseful

    def test(self, subject: AddressText, context: Context) -> Matched | None:
        if subject.is_unqualified:
            return None
        key: str | None = None
        if self.spec.is_single_key:
            key = subject.address if self.is_caseful else subject.lowered
        found = self.spec.find_in_list(context, self.source, key)
        return None if found is None else Matched(found)


@final
class ByDomain(Pattern):
    """``@@lookup``: the domain leads to a list of local parts."""

    __slots__ = ("is_caseful", "source", "spec")

    def __init__(self, lookup: tuple[LookupSpec, str], is_caseful: bool) -> None:
        self.spec, self.source = lookup
        self.is_caseful = is_caseful

    def test(self, subject: AddressText, context: Context) -> Matched | None:
        if not subject.domain:
            return None
        key: str = subject.domain
        for _ in range(LONGEST_CHAIN):
            found = self.spec.find_in_list(context, self.source, key if self.spec.is_single_key else None)
            if found is None:
                return None
            found, key = _without_link(found)
            verdict = self._verdict(found, subject, context)
            if verdict is not None:
                return verdict[0]
            if not key:
                return None
        raise Defer(f"Loop detected in lookup of local part of {subject.address}")

    def _verdict(self, found: str, subject: AddressText, context: Context) -> tuple[Matched | None] | None:
        """What the local parts say of the subject, in a tuple; None if they say nothing."""
        items = local_part_lists.final_text(found)
        for item in items._expanded_items(context, self.is_caseful):
            if item.pattern is None:
                continue
            matched = item.pattern.test(_local_text(subject), context)
            if matched is not None:
                return (None if item.is_negated else matched,)
        return None


def _local_text(subject: AddressText) -> Text:
    lowered = lower(subject.local_part)
    return Text(subject.local_part, Tainted(lowered) if subject.local_part.__class__ is Tainted else lowered)


def _without_link(found: str) -> tuple[str, str]:
    """The list without a last item that begins with ``>``, and the key that the item names."""
    before, _, last = found.rpartition(":")
    last = last.strip(" \t\n")
    if last.startswith(">"):
        return before, last[1:].strip(" \t")
    return found, ""


@final
class Parts(Pattern):
    """``local@domain``: the two are matched apart."""

    __slots__ = ("domain", "end", "is_caseful", "is_negated", "is_wild", "local_part")

    def __init__(self, local_part: str | None, domain: Pattern, is_caseful: bool, *, is_negated: bool = False) -> None:
        self.local_part = local_part or ""  # as written
        self.domain = domain
        self.is_negated = is_negated  # other domains
        self.is_caseful = is_caseful
        self.is_wild = local_part is None or local_part.startswith("*")  # None: only the domain counts
        end = self.local_part[1:] if self.is_wild else self.local_part
        self.end = end if is_caseful else lower(end)

    def test(self, subject: AddressText, context: Context) -> Matched | None:
        if subject.is_unqualified or not subject.address:
            return None
        if self.end or not self.is_wild:
            local_part = subject.local_part if self.is_caseful else lower(subject.local_part)
            if not (local_part.endswith(self.end) if self.is_wild else local_part == self.end):
                return None
        context.captures = []
        found = self.domain.test(subject.domain_text, context)
        if self.is_negated:
            found = None if found is not None else NOTHING_SPECIAL
        if found is None:
            return None
        # For rewriting rules: what each asterisk stands for, that of the local part first.
        captures = [subject.address]
        if self.local_part.startswith("*"):
            captures.append(subject.local_part[: len(subject.local_part) - len(self.end)])
        context.captures = captures + context.captures[1:]
        return Matched(f"{self.local_part}@{found.data}")


def _parts(text: str, is_caseful: bool) -> Pattern:
    """An item that is neither a regular expression nor a lookup of the whole address."""
    at = text.find("@") if text.endswith("@@") or ";" in text else text.rfind("@")
    if at < 0:
        return Parts(None, usual_pattern(text, False), is_caseful)
    local_part, domain = text[:at], text[at + 1 :]
    if not domain:
        return Never()
    owner = domain_lists.final_text(domain)
    item: Item = owner._compile_item(domain, None, PLAIN_POLICY)
    if item.pattern is None or isinstance(item.pattern, Unusable):
        return item.pattern or Unusable(f'a file is not possible in "{text}"')
    pattern: Pattern = item.pattern
    return Parts(local_part, pattern, is_caseful, is_negated=item.is_negated)


def compile(text: str, place: Place | None = None) -> AddressList:
    """A list as it stands in a configuration: expanded each time it is used, unless there is nothing to expand."""
    return AddressList(compile_template(text, place))


final_text: Final = final_texts(AddressList)
