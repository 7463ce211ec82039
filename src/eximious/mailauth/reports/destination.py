"""Who may be sent a report: places outside the domain must have agreed (RFC 9990 section 4, RFC 7489 section 7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
) -> list[ReportUri]:
    """Those of the places, in order, to which reports about the domain may go.

    A place outside the domain's organizational domain must have a record at DOMAIN._report._dmarc.PLACE.
    """
    own = (await discover(domain, resolver, method=method, suffix_list=suffix_list)).organizational_domain
    agreed: dict[str, bool] = {}
    found = []
    for uri in uris:
        place = uri.domain
        if place not in agreed:
            agreed[place] = await _agrees(domain, own, place, resolver, method, suffix_list)
        if agreed[place]:
            found.append(uri)
    return found


async def _agrees(
    domain: str, own: str, place: str, resolver: Resolver, method: Method, suffix_list: SuffixList | None
) -> bool:
    if place in (domain.lower(), own):
        return True
    there = await discover(place, resolver, method=method, suffix_list=suffix_list)
    if not there.failure and there.organizational_domain == own:
        return True
    name = f"{domain}._report._dmarc.{place}"
    if not is_askable(name):
        return False
    answer = await resolver.query(name, "TXT")
    if answer.outcome is not Outcome.FOUND:
        return False
    return any(records.is_record(data.decode("latin-1")) for data in answer.data)
