"""``${certextract``, and digests of certificates."""

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import ipaddress
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from eximious.context import Context
from eximious.expand.template import compile
from eximious.spool.header_file import dump, load
from eximious.spool.message import Message
from eximious.taint import is_tainted
from eximious.tls_session import TlsSession
from tests.expand.context import answer, make_context

UTC = datetime.UTC


@functools.lru_cache(maxsize=1)
def certificate() -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "one"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "two:2"),
            x509.NameAttribute(NameOID.COMMON_NAME, "caf\xe9.test"),
        ]
    )
    names = [
        x509.DNSName("a.test"),
        x509.DNSName("b.test"),
        x509.RFC822Name("me@a.test"),
        x509.UniformResourceIdentifier("http://a.test/"),
        x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
    ]
    access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp/"))
    point = x509.DistributionPoint([x509.UniformResourceIdentifier("http://crl/")], None, None, None)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The CA")]))
        .public_key(key.public_key())
        .serial_number(0xABC)
        .not_valid_before(datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
        .not_valid_after(datetime.datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        .add_extension(x509.CRLDistributionPoints([point]), critical=False)
        .sign(key, hashes.SHA256())
    )


def context() -> Context:
    made = make_context()
    made.client.tls = TlsSession()
    made.client.tls.peer_certificate = certificate()
    return made


def from_spool(pem: str | None = None) -> Context:
    """The same for a message that was queued meanwhile."""
    made, message = make_context(), Message()
    message.id = "1xW000-000000001Ab-2cde"
    message.client.tls = TlsSession()
    message.client.tls.peer_certificate = certificate() if pem is None else pem
    made.client = load(dump(message), message.id).client
    return made


FIELDS = [
    ("version", "2"),
    ("serial_number", "0abc"),
    ("subject,CN", "caf\xc3\xa9.test"),
    ("subject,cn", "caf\xc3\xa9.test"),
    ("subject,OU", "one\ntwo:2"),
    ("subject,OU,>:", "one:two::2"),
    ("subject,C", "DE"),
    ("subject,O", "none"),
    ("issuer,CN", "The CA"),
    ("notbefore,int", "1767323045"),
    ("notbefore,raw", "Jan  2 03:04:05 2026 GMT"),
    ("notafter,int", "1798859045"),
    ("sig_algorithm", "ecdsa-with-SHA256"),
    ("subj_altname", "URI=http://a.test/\nMAIL=me@a.test\nDNS=b.test\nDNS=a.test"),
    ("subj_altname,dns", "b.test\na.test"),
    ("subj_altname,dns,>:", "b.test:a.test"),
    ("subj_altname,mail", "me@a.test"),
    ("ocsp_uri", "http://ocsp/"),
    ("crl_uri", "http://crl/"),
    ("bogus", "Failed: bad field selector for certextract"),
]


@pytest.mark.parametrize(("field", "expected"), FIELDS)
def test_fields(field: str, expected: str) -> None:
    assert answer(f"${{certextract{{{field}}}{{$tls_in_peercert}}{{$value}}{{none}}}}", context()) == expected


def test_the_certificate_of_a_queued_message() -> None:
    assert answer("${certextract{subject,CN}{$tls_in_peercert}}", from_spool()) == "caf\xc3\xa9.test"
    assert answer("${base64:$tls_in_peercert}", from_spool()) == answer("${base64:$tls_in_peercert}", context())
    assert answer("${certextract{subject,CN}{$tls_in_peercert}{$value}{none}}", from_spool("damaged")) == "none"


def test_what_is_known_of_the_next_host_without_dane() -> None:
    made = make_context()
    made.sending = SimpleNamespace(tls=TlsSession())
    assert answer("$tls_out_dane $tls_out_tlsa_usage", made) == "no 0"


def test_without_a_certificate() -> None:
    assert answer("${certextract{version}{$tls_in_ourcert}{$value}{none}}", context()) == "none"
    assert answer("${certextract{version}{$tls_out_peercert}{$value}{none}}", context()) == "none"
    assert answer("${certextract{version}{$tls_in_peercert}}") == ""


def test_what_a_certificate_says_is_tainted() -> None:
    assert is_tainted(compile("${certextract{subject,CN}{$tls_in_peercert}}").expand(context()))


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha256"])
def test_digests_are_of_the_certificate(digest: str) -> None:
    der = certificate().public_bytes(serialization.Encoding.DER)
    assert answer(f"${{{digest}:$tls_in_peercert}}", context()) == hashlib.new(digest, der).hexdigest().upper()
    assert answer(f"[${{{digest}:$tls_in_ourcert}}]", context()) == "[]"


def test_certificates_in_base_64() -> None:
    der = certificate().public_bytes(serialization.Encoding.DER)
    assert answer("${base64:$tls_in_peercert}", context()) == base64.b64encode(der).decode()
