"""Finding the record that is in force for a domain, and its organizational domain."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eximious.mailauth.dmarc import record as records
from eximious.mailauth.dmarc import suffixes
from eximious.mailauth.dmarc.record import Record
from eximious.mailauth.resolver import Outcome, is_askable

if TYPE_CHECKING:
    from eximious.mailauth.dmarc.suffixes import SuffixList
    from eximious.mailauth.resolver import Resolver

WALK_LABELS: Final = 7  # a longer name is cut to this many labels after the first question (RFC 9989 section 4.10)


class Method(enum.Enum):
    """How organizational domains are found: by a walk up the tree (RFC 9989), or with a list (RFC 7489)."""

    TREE_WALK = "treewalk"
    SUFFIX_LIST = "psl"


class DnsFailure(Exception):
    """A question could not be answered for now."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found for a domain. `record_domain` is where the record is; `asked` all names that were tried."""

    domain: str
    organizational_domain: str
    record: Record | None = None
    record_domain: str = ""
    asked: tuple[str, ...] = ()
    failure: str = ""  # if the DNS did not answer

    def __str__(self) -> str:
        if self.failure:
            return f"{self.domain}: {self.failure}"
        found = f"record at {self.record_domain}" if self.record is not None else "no record"
        return f"{self.domain}: {found}, organizational domain {self.organizational_domain}"


async def discover(
    domain: str,
    resolver: Resolver,
    *,
    method: Method = Method.TREE_WALK,
    suffix_list: SuffixList | None = None,
) -> Discovery:
    """The record in force for a domain. Raises nothing but OSError for a suffix list that cannot be read."""
    domain = domain.lower().removesuffix(".")
    asked: list[str] = []
    try:
        if method is Method.SUFFIX_LIST:
            return await _with_list(domain, resolver, suffix_list or suffixes.DEFAULT, asked)
        return await _with_walk(domain, resolver, asked)
    except DnsFailure as failure:
        return Discovery(domain, domain, asked=tuple(asked), failure=str(failure))


async def _with_list(domain: str, resolver: Resolver, suffix_list: SuffixList, asked: list[str]) -> Discovery:
    """RFC 7489 section 6.6.3."""
    organizational = suffix_list.organizational_domain(domain)
    for candidate in dict.fromkeys((domain, organizational)):
        asked.append(candidate)
        record = await fetch(candidate, resolver)
        if record is not None:
            return Discovery(domain, organizational, record, candidate, tuple(asked))
    return Discovery(domain, organizational, asked=tuple(asked))


async def _with_walk(domain: str, resolver: Resolver, asked: list[str]) -> Discovery:
    """RFC 9989 section 4.10: at most eight questions."""
    found: dict[str, Record] = {}
    organizational = ""
    for candidate in walk(domain):
        asked.append(candidate)
        record = await fetch(candidate, resolver)
        if record is None:
            continue
        found[candidate] = record
        if record.is_public_suffix is False:
            organizational = candidate
            break
        if record.is_public_suffix:
            # A public suffix that sends mail is its own organizational domain (section 4.10.2, rule 3).
            organizational = domain if candidate == domain else _child(candidate, domain)
            break
    if not organizational:
        # The one with the fewest labels; without any record, the domain is its own.
        organizational = next(reversed(found), domain)
    for candidate in (domain, organizational, *reversed(found)):
        if candidate in found:
            return Discovery(domain, organizational, found[candidate], candidate, tuple(asked))
    return Discovery(domain, organizational, asked=tuple(asked))


def walk(domain: str) -> list[str]:
    """The names to try, the domain itself first."""
    labels = domain.split(".")
    names = [domain]
    labels = labels[-WALK_LABELS:] if len(labels) > WALK_LABELS else labels[1:]
    while labels:
        names.append(".".join(labels))
        labels = labels[1:]
    return names


def _child(parent: str, domain: str) -> str:
    """The name one label below the parent, on the way to the domain."""
    count = parent.count(".") + 2
    return ".".join(domain.split(".")[-count:])


async def fetch(domain: str, resolver: Resolver) -> Record | None:
    """The one valid record of a domain. Raises DnsFailure."""
    name = f"_dmarc.{domain}"
    if not is_askable(name):
        return None
    answer = await resolver.query(name, "TXT")
    if answer.outcome is Outcome.FAILED:
        raise DnsFailure(f"TXT of {name}: {answer.why}")
    if answer.outcome is not Outcome.FOUND:
        return None
    known = answer.parsed
    if "dmarc" not in known:
        texts = [text for text in (data.decode("latin-1") for data in answer.data) if records.is_record(text)]
        known["dmarc"] = records.parse(texts[0]) if len(texts) == 1 else None
    record = known["dmarc"]
    assert record is None or isinstance(record, Record)
    return record
