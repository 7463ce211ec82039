"""Lookup types: how each is declared, how ``partial-lsearch*@,ret=full`` is read, and how a search goes.

A type lives in the module that bears its name. Single-key types search a file for a key; query-style types give a
query to something. Found is a text, absent is None, "not now" is `Defer`, and a source that cannot be opened is
`ExpandError`; all with Exim's words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, final

from eximious.errors import Defer, EximiousError, ExpandError, did_you_mean
from eximious.expand.refusal import refuse_tainted
from eximious.logs.printing import printing
from eximious.lookups.quoting import check_quoting
from eximious.octets import SPACE
from eximious.registry import Registry
from eximious.taint import Tainted, made_of, untainted

if TYPE_CHECKING:
    from eximious.context import Context

Options = dict[str, str]  # what follows the type's name, comma by comma: {"ret": "full"}

LONGEST_KEY: Final = 64 * 1024  # octets
MOST_CACHED: Final = 20_000  # answers of lookups, and verdicts of lists, that one context keeps
MOST_SPECS: Final = 200  # forms of lookups that are remembered


class UnusableLookup(EximiousError):
    """What names a lookup in the configuration is wrong. `hint` says what would be right, or why there is no such."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Unanswered(Defer):
    """A lookup has no answer for now. `why` is the reason alone, without the words about the expansion."""

    def __init__(self, asked: str, why: str) -> None:
        quoted = _printing(why).replace('"', '\\"')
        super().__init__(f'lookup of "{_printing(asked)}" gave DEFER: "{quoted}"')
        self.why = why


class Passing:
    """An answer that is not remembered, after which those remembered from the same type mean nothing any more.

    That is how it is with statements that change something, and with what is not there yet.
    """

    __slots__ = ("text",)

    def __init__(self, text: str | None) -> None:
        self.text = text


Found = str | None | Passing


class Lookup:
    """A lookup type."""

    name: str = ""
    is_single_key: bool = True
    remembers = True  # answers may serve again in the same context
    quote_options: tuple[str, ...] = ()  # of the operator ``quote_TYPE``
    options: tuple[str, ...] = ()  # that it understands, beside ``cache`` and ``ret``
    instead: str = ""  # of a type that is known but refused: what to do in its place

    def quote(self, text: str, option: str = "") -> str | None:
        """The text made safe to stand in a query; None if that is impossible."""
        return text


class SingleKeyLookup(Lookup):
    """A type that looks for a key in a file."""

    def find(self, context: Context, path: str, key: str, options: Options) -> Found:
        """What the file has for the key, or None."""
        raise NotImplementedError


class QueryLookup(Lookup):
    """A type that gives a query to a service."""

    is_single_key = False
    needs_quoting = True  # tainted text in a query must have been quoted for this type

    def find_query(self, context: Context, query: str, options: Options) -> Found:
        """The answer, or None."""
        raise NotImplementedError


# Types whose module has another name.
_MODULES = {
    "dbmjz": "dbm",
    "dbmnz": "dbm",
    "ldapdn": "ldap",
    "ldapm": "ldap",
    "nis0": "nis",
    "nwildlsearch": "wildlsearch",
    "regdom": "psl",
}
_NAMES: Final = (
    *("cdb", "dbm", "dbmjz", "dbmnz", "dnsdb", "dsearch", "iplsearch", "json", "ldap", "ldapdn", "ldapm", "lmdb"),
    *("lsearch", "mysql", "nis", "nis0", "nmh", "nwildlsearch", "passwd", "pgsql", "psl", "readsock", "redis"),
    *("regdom", "spf", "sqlite", "wildlsearch"),
)

# Types that Exim has, or had, and why they are not here.
REFUSED: Final = {
    "ibase": "InterBase is not supported: of the databases, mysql, pgsql and sqlite are",
    "nisplus": "NIS+ is not supported: there are no servers any more; use ldap or a file",
    "oracle": "Oracle is not supported: of the databases, mysql, pgsql and sqlite are",
    "testdb": "it is for tests of Exim itself",
    "whoson": "there are no whoson servers any more; authenticate senders instead",
}

lookups: Registry[Lookup] = Registry("eximious.lookups", "lookup type", _MODULES)

_SPEC: Final = re.compile(
    r"(?:partial([0-9]*)(?:-|\(([!-/:-@\[-`{-~]*?)\)))?([A-Za-z0-9_]+)(\*@?)?(?(4)[^,]*)(?:,(.*))?\Z", re.DOTALL
)


def find_lookup(name: str) -> Lookup | None:
    """The lookup type of that name, or None."""
    return lookups.find(name) if name in _NAMES else None


def unknown(name: str) -> UnusableLookup:
    """The error for a type that there is not."""
    return UnusableLookup(f'unknown lookup type "{name}"', REFUSED.get(name, "") or did_you_mean(name, _NAMES))


def known_lookups() -> tuple[str, ...]:
    """The names of all types."""
    return _NAMES


_specs: dict[str, LookupSpec] = {}


def parse_spec(text: str) -> LookupSpec:
    """Read ``partial2(.)lsearch*@,ret=full``. Raises UnusableLookup with Exim's words."""
    spec = _specs.get(text)
    if spec is None:
        spec = _parse_spec(text)
        if len(_specs) >= MOST_SPECS:
            _specs.clear()
        _specs[text] = spec
    return spec


def _parse_spec(text: str) -> LookupSpec:
    found = _SPEC.match(text)
    lookup = None if found is None else find_lookup(found[3])
    if text.startswith("partial") and (found is None or found[1] is None) and text != "partial-":
        raise UnusableLookup(f'format error in lookup type "{text}"')
    if found is None or lookup is None:
        name = re.split(r"[*,]", re.sub(r"^partial[0-9]*(-|\([^)]*\))", "", text))[0]
        raise unknown(name)
    count, affix, name, default, options = found.groups()
    is_partial = count is not None
    if not lookup.is_single_key:
        if is_partial:
            raise UnusableLookup(f'"partial" is not permitted for lookup type "{name}"')
        if default:
            raise UnusableLookup(f'defaults using "*" or "*@" are not permitted for lookup type "{name}{default}"')
    least = (int(count) if count else 2) if is_partial else -1
    return LookupSpec(lookup, least, "*." if affix is None else affix, default or "", _options(options or ""))


def _options(text: str) -> Options:
    found: Options = {}
    for word in text.split(","):
        name, _, value = word.partition("=")
        if name:
            found[name.strip(SPACE)] = value.strip(SPACE)
    return found


def _printing(text: str) -> str:
    return printing(text.replace("\\", "\\\\"))


def _shown(found: str | None) -> str:
    return "nothing" if found is None else f'"{found}"'


@final
class LookupSpec:
    """A lookup as the configuration names it: the type, and how its keys are varied."""

    __slots__ = (
        "_reads_cache",
        "_returns_key",
        "_variant",
        "_writes_cache",
        "affix",
        "default",
        "is_single_key",
        "least",
        "lookup",
        "options",
    )

    def __init__(self, lookup: Lookup, least: int, affix: str, default: str, options: Options) -> None:
        self.lookup = lookup
        self.is_single_key = lookup.is_single_key
        self.least = least  # components that partial matching leaves; -1 without
        self.affix = affix  # put before what partial matching leaves
        self.default = default  # "", "*" or "*@"
        self.options = options
        self._reads_cache = options.get("cache", "") not in ("no", "no_rd")
        self._writes_cache = options.get("cache", "") not in ("no", "no_wr")
        self._returns_key = options.get("ret") == "key"
        self._variant = tuple(pair for pair in options.items() if pair[0] != "cache" and pair != ("ret", "key"))

    def without_partial(self) -> LookupSpec:
        """The same for keys that are no domains."""
        return self if self.least < 0 else LookupSpec(self.lookup, -1, self.affix, self.default, self.options)

    def find(self, context: Context, source: str, key: str | None) -> str | None:
        """The answer of a search, or None. `source` is a file, or the query if there is no key.

        After a partial match ``$1`` and ``$2`` are the wild part of the key and the rest. Raises ExpandError if the
        source cannot be opened or is tainted, Defer if there is no answer for now.
        """
        try:
            return self._find(context, source, key)
        except Defer as error:
            raise Unanswered(source.lstrip(SPACE) if key is None else key, str(error)) from None

    def find_in_list(self, context: Context, source: str, key: str | None) -> str | None:
        """The same for an item of a list, where a source that cannot be opened means "not now"."""
        try:
            return self._find(context, source, key)
        except ExpandError as error:
            raise Defer(str(error)) from None

    def _find(self, context: Context, source: str, key: str | None) -> str | None:
        if key is None:
            return self._query(context, source)
        if source.__class__ is Tainted:
            raise refuse_tainted(context, f"Tainted filename for search: '{source}'")
        if len(key) > LONGEST_KEY:
            return None
        found = self._one(context, source, key) if key else None
        if self.least >= 0 and key:
            if found is None:
                found = self._partial(context, source, key)
            else:
                self._capture(context, "", key, key.__class__ is Tainted)
        if found is None and self.default:
            found = self._default(context, source, key)
        return untainted(key) if self._returns_key and found is not None else found

    def _query(self, context: Context, query: str) -> str | None:
        """The answer to a query, perhaps from the cache."""
        lookup = self.lookup
        assert isinstance(lookup, QueryLookup)
        stripped = query.lstrip(SPACE)
        if not stripped:
            return None
        if len(stripped) < len(query):
            query = made_of(stripped, [query]) if isinstance(query, Tainted) else stripped
        tainted = query if isinstance(query, Tainted) and lookup.needs_quoting else None
        key = (lookup, self._variant, query, None if tainted is None else tainted.quoter)
        cache = context.named_list_cache
        if self._reads_cache and key in cache:
            return cache[key]  # type: ignore[no-any-return]
        if tainted is not None:
            check_quoting(context, lookup.name, tainted)
        found: Found = lookup.find_query(context, query, self.options)
        text = self._remembered(cache, key, found)
        if context.trace is not None:
            context.trace.lookup(f'{lookup.name} "{query}" gave {_shown(text)}')
        return text

    def _one(self, context: Context, source: str, key: str) -> str | None:
        """What there is for exactly this key, perhaps from the cache."""
        lookup = self.lookup
        assert isinstance(lookup, SingleKeyLookup)
        cache_key = (lookup, self._variant, source, key)
        cache = context.named_list_cache
        if self._reads_cache and cache_key in cache:
            return cache[cache_key]  # type: ignore[no-any-return]
        found = self._remembered(cache, cache_key, lookup.find(context, source, key, self.options))
        if context.trace is not None:
            context.trace.lookup(f'{lookup.name} of "{key}" in {source} gave {_shown(found)}')
        return found

    def _remembered(self, cache: dict[Any, Any], key: Any, found: Found) -> str | None:
        """The text of an answer, which is put into the cache; or which empties it."""
        if isinstance(found, Passing):
            for known in [known for known in cache if known.__class__ is tuple and known[0] is self.lookup]:
                del cache[known]
            return found.text
        if self._writes_cache and self.lookup.remembers:
            if len(cache) >= MOST_CACHED:
                cache.clear()
            cache[key] = found
        return found

    def _partial(self, context: Context, source: str, key: str) -> str | None:
        """The key with the affix before it, then with components removed from its start."""
        affix, least = self.affix, self.least
        tainted = key.__class__ is Tainted
        if affix:
            found = self._one(context, source, affix + key)
            if found is not None:
                self._capture(context, "", key, tainted)
                return found
        rest = key
        components = key.count(".") + 1
        while components > max(least, 1):
            rest = rest.partition(".")[2]
            components -= 1
            found = self._one(context, source, affix + rest)
            if found is not None:
                self._capture(context, key[: len(key) - len(rest) - 1], rest, tainted)
                return found
        if least == 0 and affix:
            last = affix[:-1] if len(affix) > 1 and affix.endswith(".") else affix
            found = self._one(context, source, last)
            if found is not None:
                self._capture(context, key, "", tainted)
                return found
        return None

    @staticmethod
    def _capture(context: Context, wild: str, rest: str, tainted: bool) -> None:
        context.captures = ["", Tainted(wild), Tainted(rest)] if tainted else ["", wild, rest]

    def _default(self, context: Context, source: str, key: str) -> str | None:
        """``*@domain`` if asked for, then ``*``; ``$1`` is then what the asterisk stands for."""
        tainted = key.__class__ is Tainted
        if self.default == "*@" and "@" in key:
            place = key.rindex("@")
            found = self._one(context, source, "*" + key[place:])
            if found is not None:
                self._capture(context, key[:place], "", tainted)
                return found
        found = self._one(context, source, "*")
        if found is not None:
            self._capture(context, key, "", tainted)
        return found
