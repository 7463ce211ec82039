from __future__ import annotations

import pytest
from cryptography import x509

from eximious.tls.ciphers import standard_name
from eximious.tls.names import is_for_host, matches, one_line
from eximious.tls.options import DEFAULT, OPTIONS, parse_options

from .authority import make

MATCHES = [
    ("mx.example.org", "mx.example.org", True),
    ("MX.example.org.", "mx.EXAMPLE.org", True),
    ("*.example.org", "mx.example.org", True),
    ("*.example.org", "a.b.example.org", False),
    ("*.example.org", "example.org", False),
    ("*.example.org", ".example.org", False),
    ("*.org", "example.org", False),
    ("m*.example.org", "mx.example.org", False),
    ("mx.*.org", "mx.example.org", False),
    ("*", "org", False),
    ("mx.example.org\0.evil.example", "mx.example.org", False),
    ("", "", False),
]


@pytest.mark.parametrize(("pattern", "host", "expected"), MATCHES)
def test_matches(pattern: str, host: str, expected: bool) -> None:
    assert matches(pattern, host) == expected


def test_common_name_counts_only_without_others() -> None:
    only_common, _ = make("mx.example")
    assert is_for_host(only_common, "mx.example")
    with_others, _ = make("mx.example", names=("other.example", "192.0.2.1"))
    assert not is_for_host(with_others, "mx.example")
    assert is_for_host(with_others, "192.0.2.1")
    assert not is_for_host(with_others, "192.0.2.2")


def test_one_line() -> None:
    oid = x509.NameOID
    name = x509.Name(
        [
            x509.NameAttribute(oid.COUNTRY_NAME, "DE"),
            x509.NameAttribute(oid.ORGANIZATION_NAME, "M\xfcller\nund \\"),
            x509.NameAttribute(oid.EMAIL_ADDRESS, "a@b"),
            x509.NameAttribute(x509.ObjectIdentifier("1.2.3.4"), "x"),
        ]
    )
    assert one_line(name) == "/C=DE/O=M\\xC3\\xBCller\\x0Aund \\/emailAddress=a@b/1.2.3.4=x"


CIPHERS = [
    ("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
    ("ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    ("DHE-RSA-AES128-SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    ("AES256-SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    ("ECDHE-ECDSA-AES128-CCM8", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"),
    ("PSK-AES128-GCM-SHA256", "TLS_PSK_WITH_AES_128_GCM_SHA256"),
    ("ODD-NAME", ""),
    ("", ""),
]


@pytest.mark.parametrize(("name", "standard"), CIPHERS)
def test_cipher_names(name: str, standard: str) -> None:
    assert standard_name(name) == standard


def test_options() -> None:
    from OpenSSL import SSL

    assert parse_options("") == DEFAULT
    assert parse_options("-no_ticket +no_tlsv1_3") == DEFAULT & ~OPTIONS["no_ticket"] | OPTIONS["no_tlsv1_3"]
    assert SSL.OP_NO_TLSv1_3 == OPTIONS["no_tlsv1_3"]
    assert OPTIONS["no_ticket"] == SSL.OP_NO_TICKET
    assert OPTIONS["no_renegotiation"] == 1 << 30
    assert OPTIONS["cipher_server_preference"] == SSL.OP_CIPHER_SERVER_PREFERENCE
    assert OPTIONS["no_compression"] == SSL.OP_NO_COMPRESSION
    assert OPTIONS["all"] == SSL.OP_ALL
    for text in ("no_ticket", "+nonsense"):
        with pytest.raises(ValueError, match="openssl_options"):
            parse_options(text)
