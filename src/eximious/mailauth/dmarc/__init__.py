"""Domain-based Message Authentication, Reporting, and Conformance, as RFC 7489 and as RFC 9989 have it.

    >>> import asyncio
    >>> from eximious.mailauth.resolver import StaticResolver
    >>> resolver = StaticResolver({"_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject; rua=mailto:d@example.org"]}})
    >>> verdict = asyncio.run(check("news.example.org", spf=("mail.example.net", "pass"), resolver=resolver))
    >>> print(verdict)
    fail: example.org wants reject; SPF passed for mail.example.net, which is not aligned with news.example.org

`author_domains` reads a From field; `check` does the rest.
"""

from eximious.mailauth.dmarc.author import author_domains
from eximious.mailauth.dmarc.check import Disposition, Result, Verdict, check
from eximious.mailauth.dmarc.discovery import Discovery, Method, discover
from eximious.mailauth.dmarc.record import Policy, Record, ReportUri, parse
from eximious.mailauth.dmarc.suffixes import SuffixList

__all__ = [
    "Discovery",
    "Disposition",
    "Method",
    "Policy",
    "Record",
    "ReportUri",
    "Result",
    "SuffixList",
    "Verdict",
    "author_domains",
    "check",
    "discover",
    "parse",
]
