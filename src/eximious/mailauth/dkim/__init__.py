"""DomainKeys Identified Mail (RFC 6376, 8301 and 8463): signatures verified and made.

    >>> import asyncio
    >>> from eximious.mailauth.resolver import StaticResolver
    >>> key = PrivateKey.load(b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    >>> message = b"From: joe@example.org\\r\\nSubject: lunch\\r\\n\\r\\nSalad?\\r\\n"
    >>> signed = sign(message, Signer("example.org", "may", key))
    >>> resolver = StaticResolver({"may._domainkey.example.org": {"TXT": [key.record()]}})
    >>> for one in asyncio.run(verify(signed, resolver)):
    ...     print(one)
    pass: d=example.org s=may a=ed25519-sha256

`verify` and `sign` take a whole message. A server that sees the body pass uses `Verifier` and `Signing`: they are
given the header, then the body piece by piece, and hash it once for all signatures that agree in canonicalization and
hash.
"""

from eximious.mailauth.dkim.key import KeyFault, KeyRecord, PrivateKey
from eximious.mailauth.dkim.sign import DEFAULT_HEADERS, Signer, Signing, sign
from eximious.mailauth.dkim.signature import Signature, SignatureFault
from eximious.mailauth.dkim.verify import DEFAULT_POLICY, Fault, Policy, Result, Verification, Verifier, verify

__all__ = [
    "DEFAULT_HEADERS",
    "DEFAULT_POLICY",
    "Fault",
    "KeyFault",
    "KeyRecord",
    "Policy",
    "PrivateKey",
    "Result",
    "Signature",
    "SignatureFault",
    "Signer",
    "Signing",
    "Verification",
    "Verifier",
    "sign",
    "verify",
]
