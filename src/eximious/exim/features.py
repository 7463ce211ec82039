"""What this version can do, for ``-bV``. Whoever adds a feature or a driver adds its name here; the tests compare."""

from __future__ import annotations

import importlib.util
from typing import Final

# By Exim's names.
SUPPORT: Final = (
    *("Exim_filter", "crypteq", "iconv()", "IPv6", "OpenSSL", "PAM", "DKIM", "DMARC", "DNSSEC", "PRDR", "SPF", "SRS"),
    *("Experimental_ARC", "Experimental_QUEUEFILE"),
)
AUTHENTICATORS: Final = ("cram_md5", "external", "plaintext")
ROUTERS: Final = ("accept", "dnslookup", "ipliteral", "iplookup", "manualroute", "queryprogram", "redirect")
TRANSPORTS: Final = ("appendfile/maildir/mailstore/mbx", "autoreply", "lmtp", "pipe", "queuefile", "smtp")
REFUSED_LOOKUPS: Final = ("nis", "nis0")  # known, but what they ask is gone
LIBRARIES: Final = {"mysql": "pymysql", "pgsql": "psycopg"}  # lookups that need more than we do


def lookups() -> list[str]:
    """The types of lookup, without those whose library is not installed."""
    from eximious.lookups.base import known_lookups

    return [name for name in known_lookups() if name not in REFUSED_LOOKUPS and _has_library(name)]


def _has_library(lookup: str) -> bool:
    return lookup not in LIBRARIES or importlib.util.find_spec(LIBRARIES[lookup]) is not None
