"""A certificate made up on the spot, for servers that were given none: it encrypts and proves nothing."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

VALID_FOR: Final = datetime.timedelta(days=365)
SKEW: Final = datetime.timedelta(hours=1)  # clocks differ
COMMON_NAME_LIMIT: Final = 64  # characters, by X.520


def make(host_name: str) -> tuple[Certificate, EllipticCurvePrivateKey]:
    """A certificate for a host name, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host_name[:COMMON_NAME_LIMIT] or "localhost")])
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
