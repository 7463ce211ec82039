"""Main options about TLS as a server. (Exim specification, "Encrypted SMTP connections".)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.config.option import Options, option

if TYPE_CHECKING:
    from eximious.expand.template import Template
    from eximious.lists.host import HostList

OPENSSL: Final = "TLS is OpenSSL's"


class TlsOptions(Options):
    """Certificates, ciphers, and who must or may use TLS."""

    gnutls_allow_auto_pkcs11: bool = option(False, doc="Let GnuTLS use PKCS11 modules.", no_effect=OPENSSL)
    gnutls_compat_mode: bool = option(False, doc="Have GnuTLS be lenient with old clients.", no_effect=OPENSSL)
    hosts_require_alpn: HostList | None = option(None, doc="Clients that must name a protocol we know.")
    openssl_options: str | None = option(
        "+no_sslv2 +no_sslv3 +single_dh_use +no_ticket +no_renegotiation", doc="OpenSSL options to switch on or off."
    )
    tls_advertise_hosts: HostList | None = option("*", doc="Clients to which STARTTLS is offered.")
    tls_alpn: Template | None = option("smtp:esmtp", doc="Protocol names for ALPN.")
    tls_certificate: Template | None = option(None, doc="Files with the server's certificates; empty: one is made up.")
    tls_crl: Template | None = option(None, doc="File or directory of revocation lists for client certificates.")
    tls_dh_max_bits: int = option(2236, doc="Largest Diffie-Hellman prime to use, in bits.")
    tls_dhparam: Template | None = option(None, doc="Diffie-Hellman parameters: a file, a standard name, or ``none``.")
    tls_early_banner_hosts: HostList | None = option(
        None,
        doc="Clients that may get the greeting together with the end of the TLS handshake.",
        later="early banners",
    )
    tls_eccurve: Template | None = option("auto", doc="Elliptic curves for key exchange.")
    tls_ocsp_file: Template | None = option(None, doc="Files with OCSP responses to staple.", later="OCSP")
    tls_privatekey: Template | None = option(None, doc="Files with the private keys, if not with the certificates.")
    tls_remember_esmtp: bool = option(False, doc="A client need not say EHLO again after STARTTLS.")
    tls_require_ciphers: Template | None = option(None, doc="Ciphers that are allowed.")
    tls_resumption_hosts: HostList | None = option(
        None, doc="Clients that may resume TLS sessions.", later="TLS session resumption"
    )
    tls_try_verify_hosts: HostList | None = option(None, doc="Clients whose certificate is verified if they have one.")
    tls_verify_certificates: Template | None = option(
        "system", doc="Certificates that client certificates are verified against: a file, a directory, or ``system``."
    )
    tls_verify_hosts: HostList | None = option(None, doc="Clients that must have a certificate that verifies.")
