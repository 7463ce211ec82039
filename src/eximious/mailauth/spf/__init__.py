"""The Sender Policy Framework (RFC 7208): may this client send mail for that domain?

    >>> import asyncio
    >>> from eximious.mailauth.resolver import StaticResolver
    >>> resolver = StaticResolver({"example.org": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]}})
    >>> verdict = asyncio.run(check_host("192.0.2.9", "example.org", "joe@example.org", resolver=resolver))
    >>> print(verdict)
    pass: ip4:192.0.2.0/24 of example.org matches 192.0.2.9
    >>> verdict.result is Result.PASS, verdict.mechanism
    (True, 'ip4:192.0.2.0/24')

`check_host` is the function of RFC 7208 section 4; `check_mail_from` and `check_helo` choose the identities.
"""

from eximious.mailauth.spf.check import check_helo, check_host, check_mail_from
from eximious.mailauth.spf.evaluation import LIMITS, Limits
from eximious.mailauth.spf.record import RecordError, parse
from eximious.mailauth.spf.verdict import Result, Step, Verdict

__all__ = [
    "LIMITS",
    "Limits",
    "RecordError",
    "Result",
    "Step",
    "Verdict",
    "check_helo",
    "check_host",
    "check_mail_from",
    "parse",
]
