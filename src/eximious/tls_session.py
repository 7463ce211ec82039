"""What was agreed on in a TLS handshake: the values of ``$tls_in_...`` and ``$tls_out_...``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


class TlsSession:
    """One TLS session, plain data: it outlives its connection, and in a -H file (in part) its process."""

    __slots__ = (
        "alpn",
        "bits",
        "cipher",
        "cipher_std",
        "complaints",
        "dane",
        "is_verified",
        "may_be_asked",
        "ocsp",
        "on_connect",
        "our_certificate",
        "peer_certificate",
        "peer_dn",
        "resumption",
        "sni",
        "tlsa_usage",
        "version",
    )

    def __init__(self) -> None:
        self.version = ""  # "TLS1.3"
        self.cipher = ""  # "TLS1.3:TLS_AES_256_GCM_SHA384:256"
        self.cipher_std = ""  # the name in RFCs: "TLS_AES_256_GCM_SHA384"
        self.bits = 0
        self.sni = ""  # the server name that the client asked for
        self.alpn = ""
        self.peer_dn = ""  # "/C=UK/CN=..."; "" without a certificate
        self.is_verified = False  # the peer's certificate, against all that was asked
        self.may_be_asked = False  # certificates are asked of some clients, so that having none says something
        self.our_certificate: Certificate | str | None = None  # PEM text if it comes from a -H file
        self.peer_certificate: Certificate | str | None = None
        self.ocsp = 0  # 0 no stapled answer asked for, 1 none given, 2 not verified, 3 bad, 4 good
        self.resumption = 0  # bits of $tls_in_resumption
        self.dane = False
        self.tlsa_usage = 0  # bits: which usages the TLSA records had
        self.on_connect = False  # without STARTTLS
        self.complaints: list[str] = []  # what verification found, for the log, even where it was only tried

    def __repr__(self) -> str:
        return f"TlsSession({self.cipher!r}, {self.peer_dn!r}, is_verified={self.is_verified})"
