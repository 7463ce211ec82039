"""What a daemon says of its TLS settings when it starts.

(Exim specification, options tls_certificate and tls_dhparam.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from eximious.config.main import MainOptions
    from eximious.logs.log import Logs

NO_CERTIFICATE: Final = (
    "Warning: No server certificate defined; will use a selfsigned one.\n"
    " Suggested action: either install a certificate or change tls_advertise_hosts option"
)
# RFC 8247 says of the first two that they must not be used, of the others that they should not.
FORBIDDEN: Final = frozenset({"ike1", "ike22"})
DEPRECATED: Final = frozenset({"ike23", "ike24"})


def about_certificate(main: MainOptions, logs: Logs) -> None:
    """TLS is offered, and there is no certificate."""
    if main.tls_certificate is None and main.tls_advertise_hosts is not None and main.tls_advertise_hosts.source:
        logs.main(NO_CERTIFICATE)


def about_dh(main: MainOptions, logs: Logs) -> None:
    """The Diffie-Hellman group is one that nobody should use."""
    name = main.tls_dhparam.constant if main.tls_dhparam is not None else None
    text = f"WARNING: deprecated Diffie-Hellman parameter '{name}' used"
    if name in FORBIDDEN:
        logs.panic(text)
    elif name in DEPRECATED:
        logs.main(text)
