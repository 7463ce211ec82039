"""Which change to the header makes a signature good again.

`HeaderSearch` tries other forms of the fields that were signed, one at a time, then two, and leaves out fields that
were added. What it may cost is bounded by the octets that are hashed and, for keys of which the signed hash cannot be
read, by the number of signatures that are verified.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from eximious.mailauth.damage import forms
from eximious.mailauth.damage.change import Change, shown
from eximious.mailauth.message import Field, Headers

HASHED_LIMIT: Final = 50_000_000  # octets
TRY_LIMIT: Final = 20_000  # headers that are tried
ADD_REMEDY: Final = "have the host that adds it sign anew or seal with ARC, or do not sign more fields than there are"
FROM_REMEDY: Final = "the message is the list's now: it has to sign anew with its own domain"
# What lists and relays add to messages that had no such field.
ADDED: Final = frozenset(
    b"sender reply-to errors-to precedence list-id list-help list-unsubscribe list-unsubscribe-post list-subscribe "
    b"list-post list-owner list-archive resent-date resent-from resent-sender resent-to resent-cc resent-message-id "
    b"cc mime-version content-type content-transfer-encoding".split()
)

# What every message has, so that one name in h= means that it was there.
USUAL: Final = frozenset({b"from", b"to", b"subject", b"date", b"message-id"})


class Variant(NamedTuple):
    """A header that may have been the signed one, and what was done to it since."""

    headers: Headers
    changes: tuple[Change, ...]


class Other(NamedTuple):
    """Another form of one field."""

    place: int  # among the fields that were chosen; the last is the signature's own
    data: bytes  # as it is hashed
    change: Change


class HeaderSearch:
    """The search for one signature. `is_signed` says whether octets are those that were signed."""

    def __init__(
        self,
        headers: Headers,
        names: tuple[bytes, ...],
        own: Field,
        *,
        is_relaxed: bool,
        is_signed: Callable[[bytes], bool],
        originals: Mapping[bytes, tuple[bytes, str]] | None = None,
        tries: int = TRY_LIMIT,
    ) -> None:
        self._headers = headers
        self._names = names
        self._own = own  # without its signature
        self._is_relaxed = is_relaxed
        self._is_signed = is_signed
        self._originals = originals or {}  # values that fields had, and what says so
        self._made: dict[int, list[tuple[bytes, Change]]] = {}  # by id of the field, all of which live as long
        self._tries = tries
        self._octets = HASHED_LIMIT

    def find(self) -> tuple[Change, ...]:
        """The fewest changes that explain the signature; empty if none do."""
        variants = list(self._variants())
        for variant in variants:
            if self._fits(self._parts(variant.headers)):
                return variant.changes
        for variant in variants:
            found = self._one_more(variant)
            if found:
                return found
        # What changes two fields mostly adds none, or several.
        for variant in sorted(variants, key=lambda one: len(one.changes) == 1):
            found = self._two_more(variant)
            if found:
                return found
        return ()

    def _fits(self, parts: list[bytes]) -> bool:
        self._tries -= 1
        data = b"".join(parts)
        self._octets -= len(data)
        return self._tries >= 0 and self._octets >= 0 and self._is_signed(data)

    @property
    def _is_over(self) -> bool:
        return self._tries < 0 or self._octets < 0

    def _chosen(self, headers: Headers) -> list[Field]:
        return [*headers.chosen(self._names), self._own]

    def _parts(self, headers: Headers) -> list[bytes]:
        parts = [field.canonical(self._is_relaxed) for field in self._chosen(headers)]
        parts[-1] = parts[-1][:-2]
        return parts

    # Fields that were added.

    def _variants(self) -> Iterator[Variant]:
        yield Variant(self._headers, ())
        counts = Counter(self._names)
        for name in counts:
            fields = self._headers.all(name)
            for field in dict.fromkeys((*fields[:1], *fields[-1:])):
                yield self._without([field])
            if len(fields) > 1:
                yield self._without(fields)
                yield self._with_order(name, fields[::-1])
        added = [
            field
            for name, count in counts.items()
            if count > 1 or name not in USUAL
            for field in self._headers.all(name)[: max(0, len(self._headers.all(name)) - (count - 1))]
        ]
        if len(added) > 1:
            yield self._without(added)
        likely = [field for field in added if counts[field.name] > 1 or field.name in ADDED]
        if 1 < len(likely) < len(added):
            yield self._without(likely)
        lists = [field for field in likely if field.name.startswith(b"list-")]
        if 1 < len(lists) < len(likely):
            yield self._without(lists)

    def _without(self, fields: list[Field]) -> Variant:
        gone = set(map(id, fields))
        headers = Headers(field for field in self._headers.fields if id(field) not in gone)
        return Variant(headers, tuple(_addition(field) for field in fields))

    def _with_order(self, name: bytes, fields: list[Field]) -> Variant:
        left = iter(fields)
        headers = Headers(next(left) if field.name == name else field for field in self._headers.fields)
        text = f"the {_spelt(fields[0])} fields came into another order"
        return Variant(headers, (Change(name.decode("latin-1"), text, forms.RELAY_REMEDY),))

    # Fields that were changed.

    def _one_more(self, variant: Variant) -> tuple[Change, ...]:
        parts = self._parts(variant.headers)
        for other in self._others(variant.headers):
            if self._is_over:
                break
            if self._fits([*parts[: other.place], other.data, *parts[other.place + 1 :]]):
                return (*variant.changes, other.change)
        return ()

    def _two_more(self, variant: Variant) -> tuple[Change, ...]:
        parts = self._parts(variant.headers)
        others = self._others(variant.headers)
        for at, first in enumerate(others):
            for second in others[at + 1 :]:
                if self._is_over:
                    return ()
                if first.place == second.place:
                    continue
                tried = list(parts)
                tried[first.place], tried[second.place] = first.data, second.data
                if self._fits(tried):
                    return (*variant.changes, first.change, second.change)
        return ()

    def _others(self, headers: Headers) -> list[Other]:
        chosen = self._chosen(headers)
        return [
            Other(place, data[:-2] if place == len(chosen) - 1 else data, change)
            for place, field in enumerate(chosen)
            for data, change in self._forms(field)
        ]

    def _forms(self, field: Field) -> list[tuple[bytes, Change]]:
        """Other forms of one field, as they are hashed; made once."""
        found = self._made.get(id(field))
        if found is None:
            found = self._made[id(field)] = []
            known = {field.canonical(self._is_relaxed)}
            for change, raw in self._raw_forms(field):
                data = Field(raw).canonical(self._is_relaxed)
                if data not in known:
                    known.add(data)
                    found.append((data, change))
        return found

    def _raw_forms(self, field: Field) -> Iterator[tuple[Change, bytes]]:
        """The field with other values, as whole fields."""
        spelt, value = field.raw[: field.value_at], field.value
        for original, why in _originals(field, self._headers, self._originals):
            text = f"{_spelt(field)} was {shown(original)}{why} and is now {shown(value)}"
            remedy = FROM_REMEDY if field.name == b"from" else forms.RELAY_REMEDY
            yield Change(_name(field), text, remedy), spelt + b" " + original.strip(b" \t") + b"\r\n"
            yield Change(_name(field), text, remedy), spelt + original + b"\r\n"
        for maker in (*forms.FORMS.get(field.name, ()), forms.folds):
            for what, other in maker(value):
                text = f"{_spelt(field)} {what}: it was {shown(other)} and is now {shown(value)}"
                if what.startswith("was folded"):
                    text = f"{_spelt(field)} {what}"
                yield Change(_name(field), text, forms.remedy(field.name, what)), spelt + other + b"\r\n"
        if not self._is_relaxed:
            for other in (field.name.title(), field.name.replace(b"mime", b"MIME"), _usual(field.name)):
                text = f'the name of the field was "{other.decode("latin-1")}" and is now "{_spelt(field)}"'
                yield Change(_name(field), text, forms.FOLD_REMEDY), other + b":" + value + b"\r\n"


def _originals(field: Field, headers: Headers, known: Mapping[bytes, tuple[bytes, str]]) -> Iterator[tuple[bytes, str]]:
    """Values that other fields say this one had."""
    if field.name in known:
        value, source = known[field.name]
        yield value, f", as {source} has it,"
    sources = [b"x-original-" + field.name, b"original-" + field.name, b"old-" + field.name]
    if field.name == b"from":
        sources += [b"reply-to", b"x-mailfrom", b"author", b"cc"]
    for name in sources:
        for other in headers.all(name)[:3]:
            yield other.value.strip(b" \t"), f", as {_spelt(other)} has it,"


def _addition(field: Field) -> Change:
    text = f"{_spelt(field)} {shown(field.value)} was added, and the signer had signed that there is no such field"
    return Change(_name(field), text, ADD_REMEDY)


def _name(field: Field) -> str:
    return field.name.decode("latin-1")


def _spelt(field: Field) -> str:
    return field.raw.partition(b":")[0].strip().decode("latin-1")


def _usual(name: bytes) -> bytes:
    return name.title().replace(b"-Id", b"-ID").replace(b"Mime-", b"MIME-")
