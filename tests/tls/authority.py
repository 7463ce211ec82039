"""Certificates for tests: one authority, and what it signs."""

from __future__ import annotations

import datetime
import functools
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

DAY = datetime.timedelta(days=1)
Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def name(common_name: str) -> x509.Name:
    oid = x509.NameOID
    return x509.Name([x509.NameAttribute(oid.COUNTRY_NAME, "UK"), x509.NameAttribute(oid.COMMON_NAME, common_name)])


def make(
    common_name: str, issuer: Pair | None = None, *, names: tuple[str, ...] = (), days: int = 30, is_ca: bool = False
) -> Pair:
    """A certificate and its key; signed by itself without an issuer. `days` from now it ends."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(common_name))
        .issuer_name(issuer[0].subject if issuer else name(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 60 * DAY)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([general(one) for one in names]), critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def general(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def pem(pair: Pair) -> bytes:
    certificate, key = pair
    return certificate.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def revocation_list(issuer: Pair, *revoked: x509.Certificate) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer[0].subject)
    builder = builder.last_update(now - DAY).next_update(now + DAY)
    for certificate in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(now - DAY).build()
        )
    return builder.sign(issuer[1], hashes.SHA256()).public_bytes(Encoding.PEM)


class Files:
    """PEM files in a folder: an authority, a server, an expired one, a client, one from nowhere, revocation lists."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for file, octets in _octets().items():
            (folder / file).write_bytes(octets)

    def __getitem__(self, file: str) -> str:
        return str(self.folder / file)


@functools.cache
def _octets() -> dict[str, bytes]:
    authority = make("Test CA", is_ca=True)
    server = make("server.example", authority, names=("server.example", "*.mx.example", "127.0.0.1"))
    return {
        "ca.pem": authority[0].public_bytes(Encoding.PEM),
        "server.pem": pem(server),
        "expired.pem": pem(make("server.example", authority, names=("server.example",), days=-1)),
        "client.pem": pem(make("client.example", authority)),
        "stranger.pem": pem(make("stranger.example")),
        "other.pem": pem(make("other.example", authority, names=("other.example",))),
        "nothing-revoked.pem": revocation_list(authority),
        "revoked.pem": revocation_list(authority, server[0]),
        "empty.pem": b"",
    }
