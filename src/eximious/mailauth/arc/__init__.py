"""The Authenticated Received Chain (RFC 8617): what earlier hosts found, validated, and continued.

`validate` and `seal` take a whole message; `Validator` and `Sealing` are given the header, then the body as it passes.

    >>> import asyncio
    >>> from eximious.mailauth.dkim import PrivateKey
    >>> from eximious.mailauth.resolver import StaticResolver
    >>> key = PrivateKey.load(b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    >>> message = b"Authentication-Results: lists.example; spf=pass\\r\\nFrom: joe@example.org\\r\\n\\r\\nSalad?\\r\\n"
    >>> sealed = seal(message, Sealer("lists.example", "may", key, authserv_id="lists.example"))
    >>> resolver = StaticResolver({"may._domainkey.lists.example": {"TXT": [key.record()]}})
    >>> print(asyncio.run(validate(sealed, resolver)))
    pass: 1 set, sealed by lists.example
"""

from eximious.mailauth.arc.chain import Chain, ChainResult, Link, sealers
from eximious.mailauth.arc.seal import DEFAULT_HEADERS, Sealer, Sealing, seal
from eximious.mailauth.arc.validate import Validator, validate

__all__ = [
    "DEFAULT_HEADERS",
    "Chain",
    "ChainResult",
    "Link",
    "Sealer",
    "Sealing",
    "Validator",
    "seal",
    "sealers",
    "validate",
]
