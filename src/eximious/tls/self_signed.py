"""A certificate made up on the spot, for servers that were given none: it encrypts and proves nothing."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

VALID_FOR: Final = datetime.timedelta(days=365)
SKEW: Final = datetime.timedelta(hours=1)  # clocks differ
RSA_BITS: Final = 2048
RSA_EXPONENT: Final = 65537
COUNTRY: Final = "UK"  # this and the next are what Exim's made-up certificates have: peers log them
ORGANIZATION: Final = "Exim Developers"
COMMON_NAME_LIMIT: Final = 64  # characters, by X.520


def make(host_name: str) -> tuple[Certificate, RSAPrivateKey]:
    """A certificate for a host name, and its key: an RSA one, for there are still clients that know nothing else."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(RSA_EXPONENT, RSA_BITS)
    oid = x509.NameOID
    name = x509.Name(
        [
            x509.NameAttribute(oid.COUNTRY_NAME, COUNTRY),
            x509.NameAttribute(oid.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(oid.COMMON_NAME, host_name[:COMMON_NAME_LIMIT] or "localhost"),
        ]
    )
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host_name or "localhost")]), critical=False)
    )
    return builder.sign(key, hashes.SHA256()), key
