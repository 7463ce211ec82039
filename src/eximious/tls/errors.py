"""What goes wrong with TLS, in the form that log lines have."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from OpenSSL import SSL

# Codes that OpenSSL's own error strings begin with, for the reasons one meets; pyOpenSSL does not hand them on.
_CODES: Final = {
    "unexpected eof while reading": "0A000126",
    "certificate verify failed": "0A000086",
    "no shared cipher": "0A0000C1",
    "wrong version number": "0A00010B",
    "http request": "0A00009C",
    "unsupported protocol": "0A000102",
    "no suitable signature algorithm": "0A000076",
    "no protocols available": "0A0000BF",
    "peer did not return a certificate": "0A0000C7",
    "packet length too long": "0A0000C6",
    "record layer failure": "0A000139",
    "bad key share": "0A00006C",
    "dh key too small": "0A00018A",
    "ee key too small": "0A00018F",
    "ca md too weak": "0A00018E",
    "no certificate assigned": "0A0000B3",
    "key values mismatch": "05800074",
    "no start line": "0480006C",
    "No such file or directory": "80000002",
    "no cipher match": "0A0000B9",
    "ssl/tls alert handshake failure": "0A000410",
    "ssl/tls alert bad certificate": "0A000412",
    "ssl/tls alert certificate revoked": "0A000414",
    "ssl/tls alert certificate expired": "0A000415",
    "ssl/tls alert certificate unknown": "0A000416",
    "sslv3 alert handshake failure": "0A000410",
    "sslv3 alert bad certificate": "0A000412",
    "sslv3 alert certificate expired": "0A000415",
    "sslv3 alert certificate unknown": "0A000416",
    "tlsv1 alert unknown ca": "0A000418",
    "tlsv1 alert decrypt error": "0A00041B",
    "tlsv1 alert protocol version": "0A00042E",
    "tlsv1 alert internal error": "0A000438",
    "tlsv1 alert no application protocol": "0A000460",
    "tlsv13 alert certificate required": "0A00045C",
}


class TlsError(OSError):
    """TLS failed: in which `operation`, and how. ``str()`` is ``(SSL_accept): error:0A0000C1:SSL routines::no ...``."""

    def __init__(self, operation: str, detail: str) -> None:
        super().__init__(errno.EPROTO, detail)
        self.operation = operation
        self.detail = detail
        self.is_cut_off = False  # the other side went away

    def __str__(self) -> str:
        return f"({self.operation}): {self.detail}"


def describe(error: SSL.Error) -> str:
    """What OpenSSL says, as one line: ``error:0A000126:SSL routines::unexpected eof while reading``."""
    queue = error.args[0] if error.args else None
    if isinstance(queue, list) and queue:
        library, _, reason = queue[0]
        return f"error:{_CODES.get(reason, '0A000000')}:{library or 'SSL routines'}::{reason}"
    name = type(error).__name__
    if name == "SysCallError":
        return "unexpected end of the connection"
    return str(error) or name


# What X509_verify_cert_error_string() says.
_VERIFY: Final = {
    2: "unable to get issuer certificate",
    3: "unable to get certificate CRL",
    7: "certificate signature failure",
    8: "CRL signature failure",
    9: "certificate is not yet valid",
    10: "certificate has expired",
    11: "CRL is not yet valid",
    12: "CRL has expired",
    18: "self-signed certificate",
    19: "self-signed certificate in certificate chain",
    20: "unable to get local issuer certificate",
    21: "unable to verify the first certificate",
    22: "certificate chain too long",
    23: "certificate revoked",
    24: "invalid CA certificate",
    25: "path length constraint exceeded",
    26: "unsuitable certificate purpose",
    27: "certificate not trusted",
    28: "certificate rejected",
    62: "hostname mismatch",
    66: "EE certificate key too weak",
    67: "CA certificate key too weak",
    68: "CA signature digest algorithm too weak",
    79: "invalid CA certificate",
    94: "Missing Authority Key Identifier",
}


def verify_error(number: int) -> str:
    """The words for an X509 verification error."""
    return _VERIFY.get(number, f"error number {number}")
