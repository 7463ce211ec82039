"""The evaluation of a message (RFC 9989 section 5.3, RFC 7489 section 6.6)."""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from eximious.mailauth.deadline import within
from eximious.mailauth.dmarc import suffixes
from eximious.mailauth.dmarc.discovery import Discovery, Method, discover
from eximious.mailauth.dmarc.record import Policy, Record
from eximious.mailauth.resolver import Outcome, is_askable

if TYPE_CHECKING:
    from eximious.mailauth.dmarc.suffixes import SuffixList
    from eximious.mailauth.resolver import Resolver

SIGNER_LIMIT: Final = 20  # DKIM domains that are looked at


class Result(enum.Enum):
    """The results of RFC 8601 for DMARC."""

    NONE = "none"
    PASS = "pass"
    FAIL = "fail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"

    def __str__(self) -> str:
        return self.value


class Disposition(enum.Enum):
    """What the domain's owner would have done with the message now."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one message.

    `policy` is what the record asks for; `disposition` what is left of it after pct= or t=, and for mail that passes.
    """

    result: Result
    domain: str
    policy: Policy | None = None
    disposition: Disposition = Disposition.NONE
    record: Record | None = None
    record_domain: str = ""
    organizational_domain: str = ""
    spf_domain: str = ""
    spf_result: str = "none"
    is_spf_aligned: bool = False  # and passed
    dkim: tuple[tuple[str, str], ...] = ()  # (domain, result) of each signature
    dkim_domain: str = ""  # the aligned one that passed
    is_sampled_out: bool = False  # pct= or t=y made the policy milder
    problem: str = ""
    trace: tuple[str, ...] = ()

    @property
    def is_dkim_aligned(self) -> bool:
        """A signature passed for an aligned domain."""
        return bool(self.dkim_domain)

    def __str__(self) -> str:
        if self.result in (Result.TEMPERROR, Result.PERMERROR):
            return f"{self.result}: {self.problem}"
        if self.result is Result.NONE:
            return f"none: {self.problem or f'there is no DMARC record for {self.domain}'}"
        if self.result is Result.PASS:
            by = [f"DKIM of {self.dkim_domain}"] if self.is_dkim_aligned else []
            by += [f"SPF of {self.spf_domain}"] if self.is_spf_aligned else []
            return f"pass: {' and '.join(by)} {'are' if len(by) > 1 else 'is'} aligned with {self.domain}"
        milder = f", now {self.disposition}" if self.is_sampled_out else ""
        return f"fail: {self.record_domain} wants {self.policy}{milder}; {self._why()}"

    def _why(self) -> str:
        if self.spf_result == "pass":
            spf = f"SPF passed for {self.spf_domain}, which is not aligned with {self.domain}"
        else:
            spf = f"SPF gave {self.spf_result}"
        passed = [domain for domain, result in self.dkim if result == "pass"]
        if passed:
            return f"{spf}; DKIM passed for {', '.join(passed)}, not aligned"
        return f"{spf}; no DKIM signature passed" if self.dkim else spf

    @property
    def reportable_failure(self) -> str:
        """The failure that fo= wants to hear of: ``dmarc``, ``dkim`` or ``spf``; empty if nothing is to be reported.

        What the record of a public suffix says of failure reports does not count (RFC 9991 section 3).
        """
        record = self.record
        if record is None or not record.failure_uris or record.is_public_suffix:
            return ""
        if self.result not in (Result.PASS, Result.FAIL):
            return ""
        options = record.failure_options
        if self.result is Result.FAIL and options & {"0", "1"}:
            return "dmarc"
        if "1" in options and not (self.is_spf_aligned and self.is_dkim_aligned):
            return "dmarc"
        if "d" in options and any(result not in ("pass", "none") for _, result in self.dkim):
            return "dkim"
        return "spf" if "s" in options and self.spf_result not in ("pass", "none") else ""


async def check(
    domain: str,
    *,
    resolver: Resolver,
    spf: tuple[str, str] | None = None,
    dkim: Iterable[tuple[str, str]] = (),
    method: Method = Method.TREE_WALK,
    suffix_list: SuffixList | None = None,
    chance: Callable[[], float] = random.random,
    discovered: Discovery | None = None,
    seconds: float = 20.0,
) -> Verdict:
    """Evaluate a message whose author's domain is `domain`.

    `spf` is the domain that SPF was checked for (that of MAIL FROM, or HELO for the null sender) and its result, `dkim`
    the domain and the result of each signature; results are those of RFC 8601. `chance` gives numbers in [0, 1) and
    decides about pct=. `discovered` is what `discover` found for the domain, if it was asked before. What takes longer
    than `seconds` is a temperror. Raises nothing but OSError for a suffix list that cannot be read.
    """
    domain = domain.lower().removesuffix(".")
    spf_domain, spf_result = ("", "none") if spf is None else (spf[0].lower().removesuffix("."), spf[1])
    signers = tuple((one.lower().removesuffix("."), result) for one, result in dkim)[:SIGNER_LIMIT]
    if not is_askable(domain):
        return Verdict(Result.PERMERROR, domain, problem=f'"{domain}" is no domain name')
    begun = Verdict(Result.TEMPERROR, domain, spf_domain=spf_domain, spf_result=spf_result, dkim=signers)
    try:
        return await within(seconds, _evaluate(begun, resolver, method, suffix_list, chance, discovered))
    except TimeoutError:
        return replace(begun, problem=f"no result within {seconds:g} seconds")


async def _evaluate(
    begun: Verdict,
    resolver: Resolver,
    method: Method,
    suffix_list: SuffixList | None,
    chance: Callable[[], float],
    discovered: Discovery | None,
) -> Verdict:
    """The verdict; `begun` has the author's domain, and what SPF and DKIM say."""
    found = discovered or await discover(begun.domain, resolver, method=method, suffix_list=suffix_list)
    begun = replace(begun, organizational_domain=found.organizational_domain)
    trace = [str(found)]
    record = found.record
    if found.failure or record is None:
        result = Result.TEMPERROR if found.failure else Result.NONE
        return replace(begun, result=result, problem=found.failure, trace=tuple(trace))
    aligner = _Aligner(found, resolver, method, suffix_list, trace)
    is_spf_aligned = begun.spf_result == "pass" and await aligner.is_aligned(begun.spf_domain, record.is_spf_strict)
    passed = [domain for domain, result in begun.dkim if result == "pass"]
    dkim_domain = await aligner.first_aligned(passed, record.is_dkim_strict)
    policy = await _policy(found, resolver, method)
    result, problem = Result.PASS, ""
    disposition, is_milder = Policy.NONE, False
    if not (is_spf_aligned or dkim_domain):
        problem = aligner.failure or await _uncertainty(begun, aligner, record)
        result = Result.TEMPERROR if problem else Result.FAIL
    if result is Result.FAIL:
        disposition, is_milder = _sampled(policy, record, method, chance)
    return replace(
        begun,
        result=result,
        policy=policy,
        disposition=Disposition(disposition.value),
        record=record,
        record_domain=found.record_domain,
        is_spf_aligned=is_spf_aligned,
        dkim_domain=dkim_domain,
        is_sampled_out=is_milder,
        problem=problem,
        trace=tuple(trace),
    )


async def _uncertainty(begun: Verdict, aligner: _Aligner, record: Record) -> str:
    """What could have been aligned, but cannot be checked for now; "" if nothing could."""
    spf = [begun.spf_domain] if begun.spf_result == "temperror" else []
    dkim = [domain for domain, result in begun.dkim if result == "temperror"]
    name = await aligner.first_aligned(spf, record.is_spf_strict)
    name = name or await aligner.first_aligned(dkim, record.is_dkim_strict)
    return f"what {name} vouches for cannot be checked for now" if name else ""


class _Aligner:
    """Compares domains with the author's (RFC 9989 section 4.4)."""

    __slots__ = ("_author", "_known", "_method", "_resolver", "_suffix_list", "_trace", "failure")

    def __init__(
        self, author: Discovery, resolver: Resolver, method: Method, suffix_list: SuffixList | None, trace: list[str]
    ) -> None:
        self._author = author
        self._resolver = resolver
        self._method = method
        self._suffix_list = suffix_list or suffixes.DEFAULT
        self._trace = trace
        self._known: dict[tuple[str, bool], bool] = {}
        self.failure = ""  # of the DNS, so that something which may be aligned counts as not aligned

    async def is_aligned(self, domain: str, is_strict: bool) -> bool:
        key = (domain, is_strict)
        if key not in self._known:
            self._known[key], why = await self._compare(domain, is_strict)
            word = "aligned" if self._known[key] else "not aligned"
            mode = "strict" if is_strict else "relaxed"
            self._trace.append(f"{domain}: {word} with {self._author.domain} ({mode}: {why})")
        return self._known[key]

    async def first_aligned(self, domains: list[str], is_strict: bool) -> str:
        """The first of them that is aligned; "" if none is."""
        for domain in domains:
            if await self.is_aligned(domain, is_strict):
                return domain
        return ""

    async def _compare(self, domain: str, is_strict: bool) -> tuple[bool, str]:
        """Whether they are aligned, and why."""
        author = self._author
        if domain == author.domain:
            return True, "they are the same"
        if is_strict or not domain:
            return False, "they are not the same"
        shared = author.organizational_domain
        if self._method is Method.SUFFIX_LIST:
            theirs = self._suffix_list.organizational_domain(domain)
        elif domain != shared and not domain.endswith("." + shared):
            return False, f"it is not in the organizational domain {shared}"
        else:
            found = await discover(domain, self._resolver, method=self._method)
            if found.failure:
                self.failure = found.failure
                return False, found.failure
            theirs = found.organizational_domain
        if theirs == shared:
            return True, f"both are in the organizational domain {shared}"
        return False, f"its organizational domain is {theirs}, not {shared}"


async def _policy(found: Discovery, resolver: Resolver, method: Method) -> Policy:
    record = found.record
    assert record is not None
    if found.record_domain == found.domain:
        return record.policy
    is_nonexistent = False
    if method is Method.TREE_WALK and record.nonexistent_policy is not None:
        is_nonexistent = (await resolver.query(found.domain, "A")).outcome is Outcome.NXDOMAIN
    return record.for_subdomain(is_nonexistent=is_nonexistent)


def _sampled(policy: Policy, record: Record, method: Method, chance: Callable[[], float]) -> tuple[Policy, bool]:
    """The policy to apply, and whether it is a milder one."""
    if policy is Policy.NONE:
        return policy, False
    if method is Method.TREE_WALK:
        is_milder = record.is_testing
    else:
        is_milder = record.percent < 100 and chance() * 100 >= record.percent
    return (policy.lower, True) if is_milder else (policy, False)
