"""Rewriting rules: pattern, replacement, and where they apply. (Exim specification, section "Rewriting rules".)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eximious.errors import ConfigError
from eximious.routers.words import next_word

if TYPE_CHECKING:
    from eximious.errors import Place
    from eximious.expand.template import Template

# The places where addresses are rewritten. Header lines are told by the kinds of `eximious.spool.message.Header`, in
# small letters.
ENVELOPE_SENDER: Final = "F"
ENVELOPE_RECIPIENT: Final = "T"
SMTP: Final = "S"  # what MAIL and RCPT give, before it is parsed
HEADERS: Final = "bcfrst"
_PLACES: Final = {
    **{flag: flag for flag in "FTSbcfrst"},
    "E": "FT",
    "h": HEADERS,
}
QUIT: Final = "q"  # no more rules after this one
REPEAT: Final = "R"  # apply it again to what it made
QUALIFY: Final = "Q"  # what it makes may lack a domain
WHOLE: Final = "w"  # replace the whole item of a header, phrase and comments too
_MANNERS: Final = QUIT + REPEAT + QUALIFY + WHOLE

# A list of one item: nothing separates it, since this character cannot occur in it.
ONE_ITEM: Final = "<\x01"


class RewriteRule:
    """One rule."""

    __slots__ = ("addresses", "manner", "number", "pattern", "place", "places", "raw", "replacement")

    def __init__(
        self,
        number: int,
        pattern: str,
        addresses: Any,
        replacement: Template | None,
        places: frozenset[str],
        manner: frozenset[str],
    ) -> None:
        self.number = number  # in its list, from 1
        self.pattern = pattern
        self.place: Place | None = None  # of the replacement
        self.addresses = addresses  # an AddressList of the pattern alone
        self.raw: Template | None = None  # for SMTP-time rules: the regular expression for what is not parsed yet
        self.replacement = replacement  # None: matching addresses are not to be rewritten
        self.places = places
        self.manner = manner  # some of QUIT, REPEAT, QUALIFY, WHOLE


def parse_rule(text: str, number: int, place: Place | None, *, is_for_transport: bool = False) -> RewriteRule:
    """A rule as it is written. Raises ConfigError."""
    from eximious.expand.template import compile
    from eximious.lists.address import compile as compile_list

    pattern, rest = next_word(text)
    replacement, flags = next_word(rest)
    if not rest:
        raise ConfigError("missing rewrite replacement string", place)
    places, manner = _parse_flags(flags, place)
    if is_for_transport and places & set("FTS"):
        raise ConfigError("rewrite rule specifies a non-header rewrite - not allowed at transport time -", place)
    if SMTP in places and not _is_regex(pattern):
        raise ConfigError("rewrite rule has the S flag but is not a regular expression", place)
    if not places:
        places = frozenset(HEADERS if is_for_transport else HEADERS + "FT")
    addresses = compile_list(ONE_ITEM + pattern, place)
    start = None if place is None else place.at(len(text) - len(rest) + rest.startswith('"'))
    compiled = None if replacement == "*" else compile(replacement, start)
    rule = RewriteRule(number, pattern, addresses, compiled, places, manner)
    rule.place = start
    if SMTP in places:
        rule.raw = compile(pattern, place)
    return rule


def _parse_flags(flags: str, place: Place | None) -> tuple[frozenset[str], frozenset[str]]:
    places: set[str] = set()
    manner: set[str] = set()
    for flag in flags:
        if flag in _PLACES:
            places.update(_PLACES[flag])
        elif flag in _MANNERS:
            manner.add(flag)
        elif not flag.isspace():
            raise ConfigError(
                f"unknown rewrite flag character '{flag}' (could be missing quotes round replacement item)", place
            )
    return frozenset(places), frozenset(manner)


def _is_regex(pattern: str) -> bool:
    return pattern.removeprefix(r"\N").startswith("^")
