"""All checks of one message, and their findings."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eximious.mailauth import arc, dkim, dmarc, spf
from eximious.mailauth.canonical import BodyHashes
from eximious.mailauth.explain import arc as arc_words
from eximious.mailauth.explain import dkim as dkim_words
from eximious.mailauth.explain import dmarc as dmarc_words
from eximious.mailauth.explain import spf as spf_words
from eximious.mailauth.explain import srs as srs_words
from eximious.mailauth.explain.envelope import Envelope, envelope
from eximious.mailauth.explain.finding import Finding, readable
from eximious.mailauth.message import Headers, split
from eximious.mailauth.summary import authentication_results

if TYPE_CHECKING:
    from eximious.mailauth.authres import AuthenticationResults
    from eximious.mailauth.resolver import Resolver
    from eximious.mailauth.srs import Scheme

AUTHOR_LIMIT: Final = 20  # domains of a From field that are checked
METHODS: Final = ("SRS", "SPF", "DKIM", "ARC", "DMARC")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was found: in words in `findings`, and as the records of the checks themselves.

    `spf` is None if no client is known; `dmarc` has a verdict for each domain in From.
    """

    envelope: Envelope
    findings: tuple[Finding, ...]
    spf: spf.Verdict | None
    dkim: tuple[dkim.Verification, ...]
    arc: arc.Chain
    dmarc: tuple[dmarc.Verdict, ...]

    def of(self, method: str) -> tuple[Finding, ...]:
        """The findings of one method: ``SPF``, ``DKIM``, ``ARC``, ``DMARC`` or ``SRS``."""
        return tuple(one for one in self.findings if one.method == method)

    @property
    def status(self) -> int:
        """The exit status for it: 1 if DMARC fails, 75 if it cannot be told for now, else 0."""
        results = {verdict.result for verdict in self.dmarc}
        if dmarc.Result.TEMPERROR in results:
            return 75
        return 1 if results & {dmarc.Result.FAIL, dmarc.Result.PERMERROR} else 0

    def authentication_results(self, authserv_id: str) -> AuthenticationResults:
        """The results as a field that the host `authserv_id` may put on top of the message (RFC 8601)."""
        return authentication_results(authserv_id, spf=self.spf, dkim=self.dkim, arc=self.arc, dmarc=self.dmarc)

    def __str__(self) -> str:
        lines = [f"({readable(note)})" for note in self.envelope.notes]
        for method in METHODS:
            found = self.of(method)
            if found:
                lines += [method, *map(str, found)]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        who = self.envelope
        return {
            "envelope": {"ip": who.ip, "helo": who.helo, "sender": who.sender, "notes": list(who.notes)},
            "findings": [
                {
                    "method": one.method,
                    "result": one.result,
                    "text": one.text,
                    "details": list(one.details),
                    "remedy": one.remedy or None,
                }
                for one in self.findings
            ],
            "status": self.status,
        }


async def explain(
    message: bytes,
    resolver: Resolver,
    *,
    ip: str = "",
    helo: str = "",
    sender: str | None = None,
    method: dmarc.Method = dmarc.Method.TREE_WALK,
    suffix_list: dmarc.SuffixList | None = None,
    policy: dkim.Policy = dkim.DEFAULT_POLICY,
    now: float | None = None,
    srs_secrets: Sequence[str] = (),
    srs_scheme: Scheme | None = None,
) -> Explanation:
    """Check a message in every way, and say what was found and why.

    `ip`, `helo` and `sender` (MAIL FROM, empty for the null sender) are those of its transaction; what is not given is
    taken from Received and Return-Path fields. `now` is the UNIX time; `srs_secrets` are those that rewritten senders
    may have been made with, `srs_scheme` how, if that is not the usual way. `method` and `suffix_list` are for DMARC,
    `policy` for DKIM and ARC. Raises ValueError if `ip` is no address, and OSError for a suffix list that cannot be
    read.
    """
    instant = time.time() if now is None else now
    if ip:
        ipaddress.ip_address(ip)
    headers, body = split(message)
    who = envelope(headers, ip=ip, helo=helo, sender=sender)
    findings: list[Finding] = []
    rewritten = srs_words.explained(who.sender or "", instant, srs_secrets, srs_scheme)
    if rewritten is not None:
        findings.append(rewritten)
    checked = await _spf(who, resolver)
    if checked is not None:
        findings.append(await spf_words.explained(checked, resolver))
    else:
        findings.append(Finding("SPF", "none", "none: not checked, since client or sender are unknown"))
    verified, chain = await _signatures(headers, body, resolver, policy, instant)
    for number, one in enumerate(verified):
        looks = number < dkim_words.DIAGNOSES
        findings.append(dkim_words.explained(one, headers, body) if looks else _short(one))
    if not verified:
        findings.append(Finding("DKIM", "none", "none: there is no signature"))
    findings.append(await arc_words.explained(chain, headers, body, resolver))
    verdicts = []
    for author in _authors(headers):
        spf_found = (checked.domain, checked.result.value) if checked is not None else None
        signers = [(one.domain, one.result.value) for one in verified]
        verdict = await dmarc.check(
            author, resolver=resolver, spf=spf_found, dkim=signers, method=method, suffix_list=suffix_list
        )
        verdicts.append(verdict)
        findings.append(await dmarc_words.explained(verdict, resolver, method, suffix_list))
    if not verdicts:
        findings.append(Finding("DMARC", "none", "none: there is no author's domain"))
    return Explanation(who, tuple(findings), checked, verified, chain, tuple(verdicts))


async def _spf(who: Envelope, resolver: Resolver) -> spf.Verdict | None:
    if not who.ip or (who.sender is None and not who.helo):
        return None
    if who.sender is None:
        return await spf.check_helo(who.ip, who.helo, resolver=resolver)
    if not who.sender and not who.helo:
        return None
    return await spf.check_mail_from(who.ip, who.sender, who.helo, resolver=resolver)


async def _signatures(
    headers: Headers, body: bytes, resolver: Resolver, policy: dkim.Policy, now: float
) -> tuple[tuple[dkim.Verification, ...], arc.Chain]:
    """DKIM and ARC, which share the hashes of the body."""
    hashes = BodyHashes()
    verifier = dkim.Verifier(headers, policy=policy, body=hashes, now=now)
    validator = arc.Validator(headers, policy=policy, body=hashes, now=now)
    hashes.feed(body)
    hashes.finish()
    return await verifier.verify(resolver), await validator.validate(resolver)


def _short(one: dkim.Verification) -> Finding:
    return Finding("DKIM", one.result.value, str(one), one.trace)


def _authors(headers: Headers) -> list[str]:
    found = [domain for field in headers.all(b"from") for domain in dmarc.author_domains(field.text)]
    return list(dict.fromkeys(found))[:AUTHOR_LIMIT]
