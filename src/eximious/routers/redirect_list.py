"""Redirection lists: the text of an alias or a forward file, as items.

Exim specification, sections "Items in a non-filter redirection list" and "Special items in redirection lists".
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from eximious.address.header_list import find_end
from eximious.errors import EximiousError
from eximious.octets import SPACE
from eximious.taint import Tainted, is_tainted

SPECIALS: Final = ("blackhole", "unknown", "defer", "fail")
INCLUDE: Final = ":include:"
MOST_ITEMS: Final = 100_000  # of one redirection, included files and all
DEEPEST_INCLUDE: Final = 20


class Kind(Enum):
    """What an item redirects to."""

    ADDRESS = "address"
    PIPE = "pipe"
    FILE = "file"


class Item:
    """One thing to redirect to."""

    __slots__ = ("is_local", "kind", "text")

    def __init__(self, kind: Kind, text: str, *, is_local: bool = False) -> None:
        self.kind = kind
        self.text = text  # an address, perhaps without a domain; ``|command``; ``/path``
        self.is_local = is_local  # written ``\name``: if there is no domain, it is the incoming address's


class RedirectError(EximiousError):
    """Redirection data that cannot be used; the message is Exim's."""


class BadAddress(EximiousError):
    """An address that does not parse; raised by the parser that `Rules` holds."""


class Rules:
    """What may stand in a list, and how its parts are read."""

    __slots__ = ("forbidden", "parse", "read_include", "skips_errors")

    def __init__(
        self,
        parse: Callable[[str], tuple[str, bool]],
        read_include: Callable[[str], str],
        forbidden: frozenset[str] = frozenset(),
        *,
        skips_errors: bool = False,
    ) -> None:
        self.parse = parse  # an item to its address, and whether it has a domain; "" if empty; raises BadAddress
        self.read_include = read_include  # a path to the file's text; raises RedirectError
        self.forbidden = forbidden  # of "blackhole", "defer", "fail", "include"
        self.skips_errors = skips_errors


class Redirection:
    """What a list says."""

    __slots__ = ("errors", "is_unknown", "items", "message", "special")

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.is_unknown = False  # ``:unknown:``: nothing more counts
        self.special = ""  # "blackhole", "defer" or "fail"
        self.message = ""  # the text after ``:defer:`` or ``:fail:``
        self.errors: list[tuple[str, str]] = []  # skipped items, and what is wrong with them


def parse_list(text: str, rules: Rules) -> Redirection:
    """Take the list apart. Raises RedirectError at the first fault, unless faults are skipped."""
    redirection = Redirection()
    _parse(text, rules, redirection, 0)
    return redirection


def _parse(text: str, rules: Rules, redirection: Redirection, depth: int) -> None:
    position = 0
    while not redirection.special and not redirection.is_unknown:
        position = _skip_separators(text, position)
        if position >= len(text):
            return
        if _take_special(text, position, rules, redirection):
            return
        end = find_end(text, position, newline_ends=True)
        written = text[position:end].rstrip(SPACE)
        if is_tainted(text):
            written = Tainted(written)
        position = end
        if len(redirection.items) >= MOST_ITEMS:
            raise RedirectError("too many items in redirection list")
        _take_item(written, rules, redirection, depth)


def _skip_separators(text: str, position: int) -> int:
    """The start of the next item: past white space, commas, and comments, which begin where an item could."""
    while position < len(text):
        character = text[position]
        if character == "#":
            end = text.find("\n", position)
            if end < 0:
                return len(text)
            position = end
        elif character != "," and character not in SPACE:
            break
        position += 1
    return position


def _take_special(text: str, position: int, rules: Rules, redirection: Redirection) -> bool:
    """Deal with ``:fail:`` and its kin; True if the rest of the list does not count."""
    if text[position] != ":":
        return False
    for name in SPECIALS:
        word = f":{name}:"
        if text.startswith(word, position):
            break
    else:
        return False
    line, _, _ = text[position + len(word) :].partition("\n")
    if name in rules.forbidden:
        raise RedirectError(f'"{(word + line).rstrip(SPACE)}" is not permitted')
    if name == "unknown":
        redirection.is_unknown = True
    else:
        redirection.special = name
        redirection.message = line.strip(SPACE)
    return True


def _take_item(written: str, rules: Rules, redirection: Redirection, depth: int) -> None:
    text = written
    is_quoted = len(written) > 1 and written[0] == '"' and _ends_quoted(written)
    if is_quoted:
        text = written[1:-1].strip(SPACE)
    if not text:
        return
    if text.startswith(INCLUDE):
        path = text[len(INCLUDE) :].strip(SPACE)
        _include(Tainted(path) if is_tainted(written) else path, rules, redirection, depth)
        return
    if text[0] in "|/" and not _is_full_address(text, rules):
        kind = Kind.PIPE if text[0] == "|" else Kind.FILE
        redirection.items.append(Item(kind, unescape(text) if is_quoted else text))
        return
    _take_address(text, written, rules, redirection)


def _take_address(text: str, written: str, rules: Rules, redirection: Redirection) -> None:
    try:
        if text[0] == "\\":
            address, has_domain = _parse_escaped(text, rules)
        else:
            address, has_domain = rules.parse(text)
    except BadAddress as error:
        if not rules.skips_errors:
            raise RedirectError(f'{error} in "{text}"') from error
        redirection.errors.append((text, str(error)))
        return
    if address:
        redirection.items.append(Item(Kind.ADDRESS, address, is_local=text[0] == "\\" and not has_domain))


def _parse_escaped(text: str, rules: Rules) -> tuple[str, bool]:
    """``\\name`` is a name without a domain; with a domain the backslash belongs to the address."""
    try:
        address, has_domain = rules.parse(text[1:])
    except BadAddress:
        return rules.parse(text)
    return (address, False) if not has_domain else rules.parse(text)


def _ends_quoted(text: str) -> bool:
    """True if the last character is a quote that no backslash escapes."""
    body = text[:-1]
    return text[-1] == '"' and (len(body) - len(body.rstrip("\\"))) % 2 == 0


def _is_full_address(text: str, rules: Rules) -> bool:
    try:
        address, has_domain = rules.parse(text)
    except BadAddress:
        return False
    return bool(address) and has_domain


def unescape(text: str) -> str:
    """The text without the backslashes that escape characters in it."""
    if "\\" not in text:
        return text
    out: list[str] = []
    position = 0
    while position < len(text):
        if text[position] == "\\" and position + 1 < len(text):
            position += 1
        out.append(text[position])
        position += 1
    return "".join(out)


def _include(path: str, rules: Rules, redirection: Redirection, depth: int) -> None:
    """Put the items of a file in place of the ``:include:``."""
    if "include" in rules.forbidden:
        raise RedirectError("included files not permitted")
    if not path:
        raise RedirectError("file name missing after :include:")
    if depth >= DEEPEST_INCLUDE:
        raise RedirectError(f"too many nested :include: items at {path}")
    if not path.startswith("/"):
        raise RedirectError(f'included file "{path}" is not an absolute path')
    included = Redirection()
    _parse(rules.read_include(path), rules, included, depth + 1)
    redirection.errors += included.errors
    if included.special or included.is_unknown:
        # What else the file names does not count then.
        redirection.special, redirection.message = included.special, included.message
        redirection.is_unknown = included.is_unknown
    else:
        redirection.items += included.items
