"""Certificates as expansions see them: variables that hold one, and their fields."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import ExpandError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name

    from eximious.context import Context
    from eximious.tls_session import TlsSession

_TAGS: Final = {"dns": "DNS", "uri": "URI", "mail": "MAIL"}


def certificate_of(variable: str, context: Context) -> Certificate | None:
    """The certificate in ``tls_in_ourcert``, ``tls_in_peercert`` or their ``out`` counterparts."""
    tls: TlsSession | None = context.client.tls
    if variable.startswith("tls_out_"):
        tls = None if context.sending is None else context.sending.tls
    if tls is None:
        return None
    found = tls.our_certificate if variable.endswith("ourcert") else tls.peer_certificate
    return _of_text(found) if isinstance(found, str) else found


@lru_cache(64)
def _of_text(text: str) -> Certificate | None:
    """The certificate that a message from the spool came with; None for text that is none."""
    from cryptography.x509 import load_pem_x509_certificate

    try:
        return load_pem_x509_certificate(text.encode("latin-1"))
    except ValueError:
        return None


def extract(certificate: Certificate, field: str, context: Context) -> str | None:
    """A field with its modifiers: ``subject,CN``, ``notafter,int``, ``subj_altname,dns,>:``. None if it is not there.

    Raises ExpandError for a field that does not exist.
    """
    name, *modifiers = [word.strip() for word in field.split(",")]
    find = _FIELDS.get(name.lower())
    if find is None:
        raise ExpandError("bad field selector for certextract")
    from cryptography.x509 import InvalidVersion

    try:
        return find(certificate, modifiers)
    except (ValueError, InvalidVersion):
        return None  # the certificate is malformed there


def _separator(modifiers: list[str]) -> str:
    for modifier in modifiers:
        if modifier.startswith(">") and len(modifier) > 1:
            return modifier[1]
    return "\n"


def _list(items: list[str], modifiers: list[str]) -> str | None:
    separator = _separator(modifiers)
    if not items:
        return None
    return separator.join(item.replace(separator, separator * 2) for item in items)


def _octets(text: str) -> str:
    return text.encode("utf-8").decode("latin-1")


def _name(name: Name, modifiers: list[str]) -> str | None:
    wanted = [modifier for modifier in modifiers if not modifier.startswith(">")]
    if not wanted:
        return _octets(name.rfc4514_string())
    label = wanted[0].upper()
    values = [str(attribute.value) for attribute in name if attribute.rfc4514_attribute_name.upper() == label]
    return _list([_octets(value) for value in values], modifiers)


def _moment(moment: Any, modifiers: list[str]) -> str:
    seconds = int(moment.timestamp())
    if "int" in modifiers:
        return str(seconds)
    if "raw" in modifiers:
        return time.strftime("%b %e %T %Y GMT", time.gmtime(seconds))
    return time.strftime("%b %e %T %Y %z", time.localtime(seconds))


def _version(certificate: Certificate, modifiers: list[str]) -> str:
    return str(certificate.version.value)  # as it is encoded: 2 is what people call version 3


def _serial(certificate: Certificate, modifiers: list[str]) -> str:
    digits = f"{certificate.serial_number:x}"
    return digits if len(digits) % 2 == 0 else "0" + digits


def _subject(certificate: Certificate, modifiers: list[str]) -> str | None:
    return _name(certificate.subject, modifiers)


def _issuer(certificate: Certificate, modifiers: list[str]) -> str | None:
    return _name(certificate.issuer, modifiers)


def _not_before(certificate: Certificate, modifiers: list[str]) -> str:
    return _moment(certificate.not_valid_before_utc, modifiers)


def _not_after(certificate: Certificate, modifiers: list[str]) -> str:
    return _moment(certificate.not_valid_after_utc, modifiers)


def _signature_algorithm(certificate: Certificate, modifiers: list[str]) -> str:
    oid = certificate.signature_algorithm_oid
    name: str = getattr(oid, "_name", oid.dotted_string)
    return name


def _signature(certificate: Certificate, modifiers: list[str]) -> str:
    return certificate.signature.hex(":")


def _alternative_names(certificate: Certificate, modifiers: list[str]) -> str | None:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    kinds = {x509.DNSName: "dns", x509.UniformResourceIdentifier: "uri", x509.RFC822Name: "mail"}
    wanted = next((modifier for modifier in modifiers if modifier in _TAGS), "")
    items = []
    for name in reversed(list(names)):  # in the order in which Exim has them
        kind = kinds.get(type(name), "")
        if kind and wanted in ("", kind):
            value = _octets(str(name.value))
            items.append(value if wanted else f"{_TAGS[kind]}={value}")
    return _list(items, modifiers)


def _ocsp(certificate: Certificate, modifiers: list[str]) -> str | None:
    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID

    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    method = AuthorityInformationAccessOID.OCSP
    items = [str(one.access_location.value) for one in access if one.access_method == method]
    return _list(items, modifiers)


def _revocation_lists(certificate: Certificate, modifiers: list[str]) -> str | None:
    from cryptography import x509

    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    items = [str(name.value) for point in points for name in point.full_name or ()]
    return _list(items, modifiers)


_FIELDS: Final = {
    "version": _version,
    "serial_number": _serial,
    "subject": _subject,
    "issuer": _issuer,
    "notbefore": _not_before,
    "notafter": _not_after,
    "sig_algorithm": _signature_algorithm,
    "signature": _signature,
    "subj_altname": _alternative_names,
    "ocsp_uri": _ocsp,
    "crl_uri": _revocation_lists,
}


def der(variable: str, context: Context) -> bytes | None:
    """The certificate that a variable holds, in DER."""
    certificate = certificate_of(variable, context)
    if certificate is None:
        return None
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)
