"""What this installation can do, found out by looking which modules it has: nothing is listed that is not there."""

from __future__ import annotations

import importlib.util
import os
from typing import Final

ROOT: Final = os.path.dirname(os.path.dirname(__file__))

# Exim's name for a feature, and the module (path below the package) without which it is not there. "" is always there.
SUPPORT: Final[dict[str, str]] = {
    "Content_Scanning": "acl/conditions/malware",
    "Exim_filter": "filters/exim",
    "Sieve_filter": "filters/sieve",
    "crypteq": "expand/conditions/crypteq",
    "iconv()": "",
    "IPv6": "",
    "OpenSSL": "tls/context",
    "PAM": "expand/conditions/pam",
    "TCP_Fast_Open": "net/fast_open",
    "TLS_resume": "tls/resumption",
    "DANE": "tls/dane",
    "DKIM": "acl/conditions/dkim_signers",
    "DMARC": "acl/conditions/dmarc_status",
    "DNSSEC": "dns/resolver",
    "ESMTP_Limits": "smtp/extensions/limits",
    "ESMTP_Wellknown": "acl/wellknown",
    "Event": "expand/variables/event",
    "I18N": "smtp/extensions/smtputf8",
    "OCSP": "tls/ocsp",
    "PIPECONNECT": "smtp/extensions/pipeconnect",
    "PRDR": "receive/prdr",
    "PROXY": "proxyprotocol/server",
    "Queue_Ramp": "daemon/queue_ramp",
    "SOCKS": "net/socks",
    "SPF": "acl/conditions/spf",
    "SRS": "expand/items/srs",
    "Experimental_ARC": "mailauth/arc",
    "Experimental_BMI": "acl/controls/bmi_run",
    "Experimental_DCC": "acl/conditions/dcc",
    "Experimental_DSN_info": "deliver/dsn_info",
    "Experimental_QUEUEFILE": "transports/queuefile",
    "Experimental_XCLIENT": "smtp/extensions/xclient",
}

# Modules beside the drivers that are no drivers, and drivers of other names than their modules'.
NOT_DRIVERS: Final = frozenset({"base", "__init__"})
LOOKUP_FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "dbm": ("dbm", "dbmjz", "dbmnz"),
    "ldap": ("ldap", "ldapdn", "ldapm"),
    "nis": ("nis", "nis0"),
    "psl": ("psl", "regdom"),
    "wildlsearch": ("wildlsearch", "nwildlsearch"),
}
LIBRARIES: Final[dict[str, str]] = {"mysql": "pymysql", "pgsql": "psycopg"}  # lookups that need more than we do
APPENDFILE_FORMATS: Final[dict[str, str]] = {
    "maildir": "transports/jobs/new_file",
    "mailstore": "transports/jobs/new_file",
    "mbx": "transports/jobs/mbx",
}


def has_module(path: str) -> bool:
    """True if the package has that module or sub-package (``tls/ocsp``), and it works; always for an empty path."""
    if not path or os.path.exists(f"{ROOT}/{path}/__init__.py"):
        return True
    text = _text(f"{ROOT}/{path}.py")
    return bool(text) and not _is_for_later(text)


def _text(path: str) -> str:
    """The source of a module; "" if there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _is_for_later(text: str) -> bool:
    """True for a module that only declares a feature, so that configurations which use it are refused with a reason."""
    return "\n    later = " in text or any('later="' in line for line in text.split("\n") if line.startswith("@"))


def supported() -> list[str]:
    """The names of the optional features that are there."""
    return [name for name, module in SUPPORT.items() if has_module(module)]


def drivers(package: str) -> list[str]:
    """The names of the drivers in a package, from the modules that register one."""
    folder = f"{ROOT}/{package}"
    names = (name[:-3] for name in os.listdir(folder) if name.endswith(".py"))
    return sorted(name for name in names if name not in NOT_DRIVERS and _registers(f"{folder}/{name}.py", name))


def _registers(path: str, name: str) -> bool:
    """True if the module registers something of its own name that works."""
    text = _text(path)
    return (f'register("{name}"' in text or f'@lookup("{name}"' in text) and not _is_for_later(text)


def lookups() -> list[str]:
    """The types of lookup."""
    usable = [module for module in drivers("lookups") if _has_library(LIBRARIES.get(module))]
    return [name for module in usable for name in LOOKUP_FAMILIES.get(module, (module,))]


def _has_library(name: str | None) -> bool:
    return name is None or importlib.util.find_spec(name) is not None


def transports() -> list[str]:
    """The transports, with appendfile's formats as Exim shows them."""
    names = drivers("transports")
    if "appendfile" in names:
        formats = [name for name, module in APPENDFILE_FORMATS.items() if has_module(module)]
        names[names.index("appendfile")] = "/".join(["appendfile", *formats])
    return names
