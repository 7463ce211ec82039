"""What the checks of a message came to, as one Authentication-Results field (RFC 8601).

>>> import asyncio
>>> from eximious.mailauth import spf
>>> from eximious.mailauth.resolver import StaticResolver
>>> resolver = StaticResolver({"example.org": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]}})
>>> verdict = asyncio.run(spf.check_mail_from("192.0.2.9", "joe@example.org", "mx", resolver=resolver))
>>> print(authentication_results("mx.example", spf=verdict))
mx.example; spf=pass smtp.mailfrom=joe@example.org

The field goes on top of the message, and fields that claim to be from the same host are taken out before (section 5).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from eximious.mailauth.arc.chain import ChainResult
from eximious.mailauth.authres import AuthenticationResults, MethodResult, Property

if TYPE_CHECKING:
    from eximious.mailauth import arc as arcs
    from eximious.mailauth import dkim as dkims
    from eximious.mailauth import dmarc as dmarcs
    from eximious.mailauth import spf as spfs

B_CHARACTERS: Final = 8  # of a signature, which tell it from others of the same domain (RFC 6008)


def authentication_results(
    authserv_id: str,
    *,
    spf: spfs.Verdict | None = None,
    dkim: Iterable[dkims.Verification] | None = None,
    arc: arcs.Chain | None = None,
    dmarc: Iterable[dmarcs.Verdict] | None = None,
) -> AuthenticationResults:
    """The results of those checks that were made; `authserv_id` is the name of the host that made them.

    A message without signatures gets ``dkim=none``, one with signatures a result for each.
    """
    results = [] if spf is None else [of_spf(spf)]
    if dkim is not None:
        results += [of_dkim(one) for one in dkim] or [MethodResult("dkim", "none")]
    if arc is not None:
        results.append(of_arc(arc))
    if dmarc is not None:
        results += [of_dmarc(one) for one in dmarc] or [MethodResult("dmarc", "none")]
    return AuthenticationResults(authserv_id, tuple(results))


def of_spf(verdict: spfs.Verdict) -> MethodResult:
    """RFC 8601 section 2.7.2."""
    if verdict.identity == "helo":
        properties = (Property("smtp", "helo", verdict.helo),)
    else:
        properties = (Property("smtp", "mailfrom", verdict.sender),)
    return MethodResult("spf", verdict.result.value, properties, reason=verdict.problem)


def of_dkim(verified: dkims.Verification) -> MethodResult:
    """RFC 8601 section 2.7.1, and RFC 6008."""
    signature = verified.signature
    pairs = [("d", signature.domain), ("s", signature.selector), ("a", signature.algorithm)]
    if signature.identity and signature.identity != f"@{signature.domain}":
        pairs.append(("i", signature.identity))
    if signature.data:
        pairs.append(("b", base64.b64encode(signature.data)[:B_CHARACTERS].decode("ascii")))
    reason = "" if verified.fault is None else verified.fault.value
    properties = tuple(Property("header", name, value) for name, value in pairs if value)
    return MethodResult("dkim", verified.result.value, properties, reason=reason)


def of_arc(chain: arcs.Chain) -> MethodResult:
    """RFC 8617 sections 6 and 10.1. There is no result for a chain that cannot be checked for now: `reason` says it."""
    is_good = chain.result is ChainResult.PASS
    oldest = (Property("header", "oldest-pass", str(chain.oldest_pass)),) if is_good else ()
    return MethodResult("arc", chain.result.value, oldest, reason=chain.reason)


def of_dmarc(verdict: dmarcs.Verdict) -> MethodResult:
    """RFC 9989 section 9.2 and RFC 7489 section 11.2: the author's domain, and what its policy wants."""
    properties = [Property("header", "from", verdict.domain)]
    if verdict.policy is not None:
        properties.append(Property("policy", "dmarc", verdict.policy.value))
    return MethodResult("dmarc", verdict.result.value, tuple(properties), reason=verdict.problem)
