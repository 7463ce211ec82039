"""The function check_host() of RFC 7208 section 4, and the identities that it is asked about."""

from __future__ import annotations

from eximious.mailauth.deadline import within
from eximious.mailauth.resolver import Resolver
from eximious.mailauth.spf.evaluation import LIMITS, Evaluation, Limits, Stopped
from eximious.mailauth.spf.verdict import Result, Verdict


async def check_host(
    ip: str,
    domain: str,
    sender: str,
    *,
    resolver: Resolver,
    helo: str = "",
    receiver: str = "",
    record: str | None = None,
    default_explanation: str = "",
    identity: str = "mailfrom",
    limits: Limits = LIMITS,
) -> Verdict:
    """May the client with the address `ip` send mail for `domain`?

    `sender` is the MAIL FROM or HELO identity, for macros. `receiver` is the name of the host that checks. `record`
    is used instead of the domain's own, for guesses. `default_explanation` is for failures without exp=, and for
    softfail and neutral; it may have macros. Raises ValueError if `ip` is no address, and nothing else.
    """
    check = Evaluation(ip, domain, sender, helo, receiver, resolver, limits)
    mechanism, explanation = "", ("", False)
    path: tuple[str, ...] = (domain,)
    try:
        outcome, explanation = await within(limits.seconds, check.run(domain, record, default_explanation))
        result, mechanism, path = outcome.result, outcome.mechanism, outcome.path
    except Stopped as stopped:
        result, path = stopped.result, check.path or path
    except TimeoutError:
        result, check.problem = Result.TEMPERROR, f"no result within {limits.seconds:g} seconds"
    return Verdict(
        result,
        ip,
        domain,
        check.sender,
        helo,
        identity,
        mechanism,
        path,
        explanation[0],
        check.problem,
        check.lookups,
        check.voids,
        tuple(check.trace),
        explanation[1],
    )


async def check_mail_from(
    ip: str,
    mail_from: str,
    helo: str,
    *,
    resolver: Resolver,
    receiver: str = "",
    record: str | None = None,
    default_explanation: str = "",
    limits: Limits = LIMITS,
) -> Verdict:
    """Check the MAIL FROM identity; for the null sender that is postmaster of the HELO name (section 2.4)."""
    if not mail_from:
        return await check_helo(
            ip,
            helo,
            resolver=resolver,
            receiver=receiver,
            record=record,
            default_explanation=default_explanation,
            limits=limits,
        )
    local_part, at, domain = mail_from.rpartition("@")
    return await check_host(
        ip,
        domain,
        mail_from if at and local_part else f"postmaster@{domain}",
        resolver=resolver,
        helo=helo,
        receiver=receiver,
        record=record,
        default_explanation=default_explanation,
        limits=limits,
    )


async def check_helo(
    ip: str,
    helo: str,
    *,
    resolver: Resolver,
    receiver: str = "",
    record: str | None = None,
    default_explanation: str = "",
    limits: Limits = LIMITS,
) -> Verdict:
    """Check the HELO identity (section 2.3)."""
    return await check_host(
        ip,
        helo,
        f"postmaster@{helo}",
        resolver=resolver,
        helo=helo,
        receiver=receiver,
        record=record,
        default_explanation=default_explanation,
        identity="helo",
        limits=limits,
    )
