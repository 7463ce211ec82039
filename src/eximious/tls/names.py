"""Names in certificates: how a subject is written, and whether a certificate is for a host."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name

_SHORT: Final = {
    "2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
    "2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.42": "GN",
    "1.2.840.113549.1.9.1": "emailAddress", "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID",
}  # fmt: skip


def one_line(name: Name) -> str:
    """As OpenSSL writes a name in one line: ``/C=UK/O=Example/CN=mail.example``; octets in str."""
    parts: list[str] = []
    for attribute in name:
        oid = attribute.oid.dotted_string
        value = attribute.value
        octets = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        text = "".join(chr(octet) if 0x20 <= octet < 0x7F else f"\\x{octet:02X}" for octet in octets)
        parts.append(f"/{_SHORT.get(oid, oid)}={text}")
    return "".join(parts)


def is_for_host(certificate: Certificate, host: str) -> bool:
    """True if the certificate names the host (or IP address): RFC 6125, with wildcards for a whole leftmost label.

    The common name counts only if there are no DNS names.
    """
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        dns_names: list[str] = []
        addresses = []
    else:
        dns_names = names.get_values_for_type(x509.DNSName)
        addresses = names.get_values_for_type(x509.IPAddress)
    try:
        return ip_address(host) in addresses
    except ValueError:
        pass
    if not dns_names:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        dns_names = [str(one.value) for one in common]
    return any(matches(name, host) for name in dns_names)


def matches(pattern: str, host: str) -> bool:
    """True if a name in a certificate, perhaps with ``*`` for its first label, is that host."""
    pattern = pattern.lower().removesuffix(".")
    host = host.lower().removesuffix(".")
    if "\0" in pattern or not host:
        return False
    if not pattern.startswith("*."):
        return pattern == host
    first, _, rest = host.partition(".")
    # "*.com" would be too much.
    return bool(first) and rest == pattern[2:] and "." in rest
