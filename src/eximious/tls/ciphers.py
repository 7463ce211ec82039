"""Names of cipher suites: OpenSSL's and the standard's."""

from __future__ import annotations

import re
from typing import Final

_MANY: Final = re.compile(r"(?:(ECDHE|DHE|RSA-PSK|PSK|ECDHE-PSK|DHE-PSK)-)?(?:(ECDSA|RSA)-)?(.+?)(?:-(SHA\d*|MD5))?")
_CIPHERS: Final = {
    "AES128": "AES_128_CBC",
    "AES256": "AES_256_CBC",
    "AES128-GCM": "AES_128_GCM",
    "AES256-GCM": "AES_256_GCM",
    "AES128-CCM": "AES_128_CCM",
    "AES256-CCM": "AES_256_CCM",
    "AES128-CCM8": "AES_128_CCM_8",
    "AES256-CCM8": "AES_256_CCM_8",
    "CAMELLIA128": "CAMELLIA_128_CBC",
    "CAMELLIA256": "CAMELLIA_256_CBC",
    "ARIA128-GCM": "ARIA_128_GCM",
    "ARIA256-GCM": "ARIA_256_GCM",
    "CHACHA20-POLY1305": "CHACHA20_POLY1305",
    "DES-CBC3": "3DES_EDE_CBC",
}


def standard_name(openssl_name: str) -> str:
    """``TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384`` for ``ECDHE-RSA-AES256-GCM-SHA384``; "" if it is not known."""
    if openssl_name.startswith("TLS_"):
        return openssl_name
    parts = _MANY.fullmatch(openssl_name)
    if parts is None:
        return ""
    exchange, authentication, cipher, digest = parts.groups()
    name = _CIPHERS.get(cipher)
    if name is None:
        return ""
    who = "_".join(part for part in (exchange, authentication) if part).replace("-", "_") or "RSA"
    if cipher == "CHACHA20-POLY1305":
        digest = "SHA256"
    return f"TLS_{who}_WITH_{name}" + (f"_{digest}" if digest else "")
