"""What was agreed on in a TLS handshake: the values of ``$tls_in_...`` and ``$tls_out_...``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

# OCSP stapling: the values of $tls_in_ocsp and $tls_out_ocsp.
OCSP_NOT_REQUESTED: Final = 0
OCSP_NO_RESPONSE: Final = 1
OCSP_NOT_VERIFIED: Final = 2
OCSP_FAILED: Final = 3
OCSP_VERIFIED: Final = 4


class Session:
    """One TLS session, plain data: it may outlive its connection."""

    __slots__ = (
        "alpn",
        "bits",
        "cipher",
        "cipher_std",
        "complaints",
        "dane",
        "facts",
        "is_verified",
        "may_be_asked",
        "ocsp",
        "on_connect",
        "our_certificate",
        "peer_certificate",
        "peer_dn",
        "resumption",
        "sni",
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
        self.our_certificate: Certificate | None = None
        self.peer_certificate: Certificate | None = None
        self.ocsp = OCSP_NOT_REQUESTED
        self.resumption = 0  # bits of $tls_in_resumption
        self.dane = False
        self.on_connect = False  # without STARTTLS
        self.complaints: list[str] = []  # what verification found, for the log, even where it was only tried
        self.facts: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Session({self.cipher!r}, {self.peer_dn!r}, is_verified={self.is_verified})"
