"""DMARC in words: where the policy came from, and which identifier failed which alignment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.mailauth.dmarc.check import Result, Verdict
from eximious.mailauth.dmarc.discovery import Discovery, Method, discover
from eximious.mailauth.explain.finding import Finding

if TYPE_CHECKING:
    from eximious.mailauth.dmarc.suffixes import SuffixList
    from eximious.mailauth.resolver import Resolver


async def explained(
    verdict: Verdict, resolver: Resolver, method: Method, suffix_list: SuffixList | None = None
) -> Finding:
    """The finding. The records are asked for again, which a resolver answers from its cache."""
    found = await discover(verdict.domain, resolver, method=method, suffix_list=suffix_list)
    details = [*discovered(found, method), *policy(verdict), *verdict.trace[1:]]
    shared = found.organizational_domain
    details.append(_identifier("SPF", verdict.spf_domain, verdict.spf_result, shared, verdict.is_spf_aligned))
    for domain, result in verdict.dkim:
        is_aligned = domain == verdict.dkim_domain and result == "pass"
        details.append(_identifier("DKIM", domain, result, shared, is_aligned))
    return Finding("DMARC", verdict.result.value, str(verdict), tuple(details), remedy(verdict))


def discovered(found: Discovery, method: Method) -> list[str]:
    """Which names were asked, and where the record was."""
    way = "up the DNS tree (RFC 9989)" if method is Method.TREE_WALK else "with the public suffix list (RFC 7489)"
    names = ", ".join(f"_dmarc.{name}" for name in found.asked)
    lines = [f"author's domain {found.domain}; asked {way}: {names}"]
    if found.failure:
        lines.append(found.failure)
    if found.record is not None:
        lines.append(f'_dmarc.{found.record_domain} has "{found.record.text[:1000]}"')
    lines.append(f"organizational domain: {found.organizational_domain}")
    return lines


def policy(verdict: Verdict) -> list[str]:
    """Which tag of the record gave the policy."""
    record = verdict.record
    if record is None or verdict.policy is None:
        return []
    tag = "p"
    if verdict.record_domain != verdict.domain:
        if record.nonexistent_policy is not None and verdict.policy is not (record.subdomain_policy or record.policy):
            tag = "np"
        elif record.subdomain_policy is not None:
            tag = "sp"
    of = f"{tag}= of {verdict.record_domain}"
    return [f"policy {verdict.policy}: {of}{', for its subdomains' if verdict.record_domain != verdict.domain else ''}"]


def _identifier(method: str, domain: str, result: str, shared: str, is_aligned: bool) -> str:
    if not domain:
        return f"{method}: not checked"
    if is_aligned:
        return f"{method}: pass for {domain}, which is aligned"
    if result == "pass":
        return f"{method}: pass for {domain}, which does not count"
    would = "in" if _is_under(domain, shared) else "and not in"
    return f"{method}: {result} for {domain}, {would} the organizational domain"


def remedy(verdict: Verdict) -> str:
    """What would make it pass."""
    match verdict.result:
        case Result.TEMPERROR:
            return "try again later; if it stays, look at the name servers of the name above"
        case Result.PERMERROR:
            return "the From field has to name a real domain"
        case Result.FAIL:
            return "; or ".join(_ways(verdict))
    return ""


def _ways(verdict: Verdict) -> list[str]:
    domain, organizational = verdict.domain, verdict.organizational_domain
    record = verdict.record
    ways = []
    failed = [signer for signer, result in verdict.dkim if result != "pass" and _is_under(signer, organizational)]
    if failed:
        ways.append(f"mend the signature of {failed[0]} (see DKIM)")
    else:
        wanted = domain if record is not None and record.is_dkim_strict else f"{organizational} or a name below it"
        ways.append(f"sign with d={wanted}")
    strict = record is not None and record.is_spf_strict
    if verdict.spf_result == "pass":
        ways.append(f"send with a MAIL FROM in {domain if strict else organizational}")
    elif verdict.spf_domain and _is_under(verdict.spf_domain, organizational):
        ways.append(f"have SPF of {verdict.spf_domain} permit the client (see SPF)")
    return ways


def _is_under(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith("." + parent)
