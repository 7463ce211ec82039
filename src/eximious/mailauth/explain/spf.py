"""SPF in words: which term decided, in whose record, and who included that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.mailauth.explain.finding import Finding
from eximious.mailauth.resolver import is_askable
from eximious.mailauth.spf.record import is_record
from eximious.mailauth.spf.verdict import Result, Step, Verdict

if TYPE_CHECKING:
    from eximious.mailauth.resolver import Resolver


async def explained(verdict: Verdict, resolver: Resolver) -> Finding:
    """The finding. The records are asked for again, which a resolver answers from its cache."""
    details = [f"identity: {'MAIL FROM' if verdict.identity == 'mailfrom' else 'HELO'} {verdict.sender}"]
    if len(verdict.path) > 1:
        details.append(f"way to the deciding record: {' > '.join(verdict.path)}")
    shown: set[str] = set()
    for step in in_order(verdict.trace):
        details += await _record(step.domain, step.depth, shown, resolver)
        details.append(str(step))
    for depth, domain in enumerate(verdict.path):
        details += await _record(domain, depth, shown, resolver)
    if verdict.explanation:
        details.append(f"the domain's explanation: {verdict.explanation}")
    if verdict.lookups:
        details.append(f"{verdict.lookups} of the 10 lookups that are allowed were used, {verdict.void_lookups} void")
    return Finding("SPF", verdict.result.value, str(verdict), tuple(details), remedy(verdict))


def in_order(trace: tuple[Step, ...]) -> list[Step]:
    """The steps with each include before those of what it included. (They are noted as they end.)"""
    ended: dict[int, list[Step]] = {}  # by depth: what no include has claimed yet
    for step in trace:
        inside = ended.pop(step.depth + 1, []) if step.term.lower().lstrip("+-?~").startswith("include:") else []
        ended.setdefault(step.depth, []).extend((step, *inside))
    return [step for depth in sorted(ended) for step in ended[depth]]


async def _record(domain: str, depth: int, shown: set[str], resolver: Resolver) -> list[str]:
    """A line with the record of a domain, the first time."""
    if domain in shown or not is_askable(domain):
        return []
    shown.add(domain)
    answer = await resolver.query(domain, "TXT")
    records = [data.decode("latin-1") for data in answer.data if is_record(data)]
    text = " and ".join(f'"{text[:1000]}"' for text in records[:5])
    return [f"{'  ' * depth}{domain} has {text}"] if text else []


def remedy(verdict: Verdict) -> str:
    """What would make it pass."""
    domain, ip = verdict.domain, verdict.ip
    kind = "ip6" if ":" in ip else "ip4"
    match verdict.result:
        case Result.PASS:
            return ""
        case Result.NONE if "." not in domain:
            return "the client has to give a full domain name"
        case Result.NONE:
            return f'publish a TXT record at {domain}, such as "v=spf1 {kind}:{ip} -all"'
        case Result.TEMPERROR:
            return "try again later; if it stays, look at the name servers of the name above"
        case Result.PERMERROR:
            return _correction(verdict)
    where = verdict.path[-1] if verdict.path else domain
    text = f"send from a host that {where} permits, or add {kind}:{ip} to the record"
    return f"{text}; if {verdict.helo or ip} forwards such mail, it has to rewrite the sender (SRS)"


def _correction(verdict: Verdict) -> str:
    if "found nothing" in verdict.problem:
        return "take names that do not exist out of the record"
    if "lookups" in verdict.problem:
        return "have the record ask less: replace include, a and mx by ip4 and ip6 where that is possible"
    if "SPF records" in verdict.problem:
        return "keep one TXT record that begins with v=spf1"
    if "no SPF record" in verdict.problem:
        return "take the include or redirect out, or publish a record there"
    return "correct the record"
