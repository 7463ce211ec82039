"""Why a message is authentic or not, in words: what each check found, how that came about, and what would mend it.

    >>> import asyncio
    >>> from eximious.mailauth.resolver import StaticResolver
    >>> resolver = StaticResolver({
    ...     "example.org": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
    ...     "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject"]},
    ... })
    >>> message = b"From: joe@example.org\\r\\n\\r\\nSalad?\\r\\n"
    >>> found = asyncio.run(explain(message, resolver, ip="192.0.2.9", sender="joe@example.org"))
    >>> print(found.of("DMARC")[0].text)
    pass: SPF of example.org is aligned with example.org
    >>> found.spf.result, found.dkim
    (<Result.PASS: 'pass'>, ())

``print(found)`` has all of it. `eximious.mailauth.damage` finds out how a signed message was changed.
"""

from eximious.mailauth.explain.envelope import Envelope, envelope
from eximious.mailauth.explain.finding import Finding
from eximious.mailauth.explain.message import Explanation, explain

__all__ = ["Envelope", "Explanation", "Finding", "envelope", "explain"]
