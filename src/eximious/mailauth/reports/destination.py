"""Who may be sent a report: places outside the domain must have agreed (RFC 9990 section 4, RFC 7489 section 7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from eximious.mailauth.dmarc import record as records
from eximious.mailauth.dmarc.discovery import Method, discover
from eximious.mailauth.resolver import Outcome, is_askable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eximious.mailauth.dmarc.record import ReportUri
    from eximious.mailauth.dmarc.suffixes import SuffixList
    from eximious.mailauth.resolver import Resolver


async def authorised(
    domain: str,
    uris: Iterable[ReportUri],
    resolver: Resolver,
    *,
    method: Method = Method.TREE_WALK,
    suffix_list: SuffixList | None = None,
    tag: Literal["rua", "ruf"] = "rua",
    undecided: list[str] | None = None,
) -> list[ReportUri]:
    """The places, in order, to which reports about the domain may go. `domain` is where the policy record is.

    A place outside the domain's organizational domain must have a record at DOMAIN._report._dmarc.PLACE. If that record
    has the tag itself, its addresses in the same domain are used instead. Who cannot be asked for now has not agreed;
    the name that was asked for is added to `undecided`.
    """
    own = (await discover(domain, resolver, method=method, suffix_list=suffix_list)).organizational_domain
    answers: dict[str, tuple[ReportUri, ...] | None] = {}
    found: dict[ReportUri, None] = {}
    for uri in uris:
        place = uri.domain
        if place not in answers:
            answers[place] = await _answer(domain, own, place, resolver, method, suffix_list, tag, undecided)
        agreed = answers[place]
        if agreed is not None:
            found.update(dict.fromkeys(agreed or (uri,)))
    return list(found)


async def _answer(
    domain: str,
    own: str,
    place: str,
    resolver: Resolver,
    method: Method,
    suffix_list: SuffixList | None,
    tag: str,
    undecided: list[str] | None,
) -> tuple[ReportUri, ...] | None:
    """What a place says to reports about the domain: None if it does not want them, or other addresses, if any."""
    if place in (domain.lower(), own):
        return ()
    there = await discover(place, resolver, method=method, suffix_list=suffix_list)
    if not there.failure and there.organizational_domain == own:
        return ()
    name = f"{domain}._report._dmarc.{place}"
    if not is_askable(name):
        return None
    answer = await resolver.query(name, "TXT")
    if answer.outcome is Outcome.FAILED and undecided is not None:
        undecided.append(name)
    if answer.outcome is not Outcome.FOUND:
        return None
    texts = [text for text in (data.decode("latin-1") for data in answer.data) if records.is_record(text)]
    if not texts:
        return None
    return tuple(uri for text in texts for uri in records.report_uris(text, tag) if uri.domain == place)
