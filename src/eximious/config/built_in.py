"""Built-in macros (``_HAVE_...``, ``_OPT_MAIN_...``, ...), derived from what the program has and declares.

Exim specification, "Builtin macros". A configuration asks with them whether it may use something, so what this version
does not have yet has no macro. They are looked up one by one, since few configurations name more than a handful.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from eximious.config.dkim_headers import MACROS
from eximious.config.drivers import CLASSES, DriverClass
from eximious.config.option import Option
from eximious.config.values import kind_of

YES: Final = "y"
_ROOT: Final = os.path.dirname(os.path.dirname(__file__))

# Macro -> what must be there: "" nothing; "option NAME" a main option whose feature is here; a module; a condition.
_HAVE: Final[dict[str, str]] = {
    "_EXP_ARC": "module mailauth/arc",
    "_HAVE_ARC": "module mailauth/arc",
    "_HAVE_BRIGHTMAIL": "option bmi_config_file",
    "_HAVE_CONTENT_SCANNING": "option av_scanner",
    "_HAVE_CRYPTEQ": "condition CRYPTEQ",
    "_HAVE_DANE": "module tls/dane",
    "_HAVE_DCC": "option dccifd_address",
    "_HAVE_DKIM": "option acl_smtp_dkim",
    "_HAVE_DMARC": "option dmarc_tld_file",
    "_HAVE_DNSSEC": "module dns/resolver",
    "_HAVE_ESMTP_LIMITS": "option limits_advertise_hosts",
    "_HAVE_EVENT": "option event_action",
    "_HAVE_HINTS_LMDB": "module hints/store",
    "_HAVE_I18N": "option smtputf8_advertise_hosts",
    "_HAVE_ICONV": "",
    "_HAVE_IPV6": "",
    "_HAVE_MOVE_FROZEN_MESSAGES": "option move_frozen_messages",
    "_HAVE_NATIVE_SRS": "module expand/items/srs",
    "_HAVE_OCSP": "option tls_ocsp_file",
    "_HAVE_OPENSSL": "module tls/context",
    "_HAVE_PAM": "condition PAM",
    "_HAVE_PIPE_CONNECT": "option pipelining_connect_advertise_hosts",
    "_HAVE_PRDR": "option prdr_enable",
    "_HAVE_PROXY": "option hosts_proxy",
    "_HAVE_SOCKS": "module net/socks",
    "_HAVE_SPF": "option spf_guess",
    "_HAVE_SRS": "module expand/items/srs",
    "_HAVE_TCP_FASTOPEN": "module net/fast_open",
    "_HAVE_TLS": "module tls/context",
    "_HAVE_TLS1_3": "module tls/context",
    "_HAVE_TLS_ALPN": "option tls_alpn",
    "_HAVE_TLS_CA_CACHE": "module tls/context",
    "_HAVE_TLS_OCSP": "option tls_ocsp_file",
    "_HAVE_TLS_OCSP_LIST": "option tls_ocsp_file",
    "_HAVE_TLS_RESUME": "option tls_resumption_hosts",
    "_HAVE_TRANSPORT_APPEND_MAILDIR": "module transports/appendfile",
    "_HAVE_TRANSPORT_APPEND_MAILSTORE": "module transports/appendfile",
    "_HAVE_TRANSPORT_APPEND_MBX": "module transports/appendfile",
    "_HAVE_WELLKNOWN": "option acl_smtp_wellknown",
    "_HAVE_XCLIENT": "option hosts_xclient",
    "_CRYPTO_HASH_SHA3": "",
    "_CRYPTO_SIGN_ED25519": "option acl_smtp_dkim",
}


def built_in_macro(name: str) -> str | None:
    """The text of the built-in macro of that name; None if there is none."""
    if name in MACROS:
        return MACROS[name]
    if name in _HAVE:
        return YES if _is_here(_HAVE[name]) else None
    for prefix, names in _FAMILIES.items():
        if name.startswith(prefix):
            return YES if name[len(prefix) :] in names() else None
    return YES if _is_option_macro(name) else None


def is_missing(name: str) -> bool:
    """True if a macro of that name stands for a feature that this version does not have."""
    return name in _HAVE and not _is_here(_HAVE[name])


def built_in_macros() -> dict[str, str]:
    """All of them, in Exim's order: imports everything there is."""
    names: list[str] = []
    for prefix in ("_EXP_VAR_", "_EXP_COND_", "_EXP_OP_", "_EXP_ITEM_", "_LOG_"):
        names += _family(prefix)
    for kind in ("authenticator", "router", "transport"):
        names += _of_drivers(CLASSES[kind])
    names += _family("_OPT_MAIN_") + _family("_OPT_OPENSSL_")
    for prefix in ("_HAVE_MALWARE_", "_ACL_COND_", "_ACL_MOD_", "_HAVE_LOOKUP_"):
        names += _family(prefix)
    features = (name for name, need in _HAVE.items() if _is_here(need))
    names += sorted(features, key=lambda name: (name.startswith("_EXP_"), name), reverse=True)
    return MACROS | dict.fromkeys(names, YES)


def _family(prefix: str) -> list[str]:
    return [prefix + name for name in sorted(_FAMILIES[prefix](), key=str.lower, reverse=True)]


def _of_drivers(drivers: DriverClass) -> Iterator[str]:
    """Options and name of each driver, then the generic options."""
    kind = drivers.kind.upper()
    macros = sorted(_option_macros(drivers), key=str.lower, reverse=True)
    for driver in sorted(_FAMILIES[f"_DRIVER_{kind}_"]()):
        yield from (name for name in macros if name.startswith(f"_OPT_{kind}_{driver}_"))
        yield f"_DRIVER_{kind}_{driver}"
    yield from (name for name in macros if name.startswith(f"_OPT_{kind}S_"))


def _is_here(need: str) -> bool:
    kind, _, what = need.partition(" ")
    if kind == "option":
        from eximious.config.main import MainOptions

        return not MainOptions.options[what].later
    if kind == "condition":
        return what in _conditions()
    return kind != "module" or os.path.exists(f"{_ROOT}/{what}.py") or os.path.exists(f"{_ROOT}/{what}/__init__.py")


def _upper(names: Any) -> frozenset[str]:
    return frozenset(name.upper() for name in names)


def _usable(options: dict[str, Option]) -> frozenset[str]:
    """The names, old ones too, of the options whose feature is here. An on/off switch can always be switched off."""
    return _upper(
        name for name, option in options.items() if not option.later or kind_of(option).style.startswith("bool")
    )


@cache
def _main_options() -> frozenset[str]:
    from eximious.config.main import MainOptions

    return _usable(MainOptions.by_any_name)


@cache
def _logs() -> frozenset[str]:
    from eximious.logs.selector import ALIASES, ALL

    return _upper({*ALL, *ALIASES, "all"})


@cache
def _variables() -> frozenset[str]:
    return _upper(importlib.import_module("eximious.expand.variables").MODULES)


@cache
def _items() -> frozenset[str]:
    return _upper(importlib.import_module("eximious.expand.item").known_items())


@cache
def _operators() -> frozenset[str]:
    return _upper(importlib.import_module("eximious.expand.operator").known_operators())


@cache
def _openssl() -> frozenset[str]:
    names = importlib.import_module("eximious.tls.options").OPTIONS
    return frozenset(f"{name.upper()}_X" for name, bit in names.items() if bit)


@cache
def _conditions() -> frozenset[str]:
    return _upper(importlib.import_module("eximious.expand.condition").known_conditions())


def _modules(package: str) -> frozenset[str]:
    found = importlib.import_module(package)
    return _upper(module.name.rstrip("_") for module in pkgutil.iter_modules(found.__path__) if module.name != "base")


@cache
def _acl_conditions() -> frozenset[str]:
    conditions = importlib.import_module("eximious.acl.declare").conditions
    return _upper(name for name, found in conditions.load_all().items() if not _is_refused(found))


@cache
def _acl_modifiers() -> frozenset[str]:
    return _modules("eximious.acl.modifiers")


@cache
def _lookups() -> frozenset[str]:
    registry = importlib.import_module("eximious.lookups.base").lookups
    return _upper(name for name, lookup in registry.load_all().items() if not lookup.instead)


@cache
def _scanners() -> frozenset[str]:
    return _modules("eximious.scanners")


def _drivers_of(kind: str) -> Callable[[], frozenset[str]]:
    @cache
    def names() -> frozenset[str]:
        return _upper(name for name, found in _classes(CLASSES[kind]) if not _is_refused(found))

    return names


def _classes(drivers: DriverClass) -> Iterator[tuple[str, Any]]:
    yield from drivers.registry.load_all().items()


def _is_refused(found: Any) -> bool:
    """True for what is only declared: a driver, or a condition of ACLs."""
    return bool(getattr(found, "later", ""))


# Prefix -> the names that may follow.
_FAMILIES: Final[dict[str, Callable[[], frozenset[str]]]] = {
    "_OPT_MAIN_": _main_options,
    "_OPT_OPENSSL_": _openssl,
    "_LOG_": _logs,
    "_EXP_VAR_": _variables,
    "_EXP_ITEM_": _items,
    "_EXP_OP_": _operators,
    "_EXP_COND_": _conditions,
    "_ACL_COND_": _acl_conditions,
    "_ACL_MOD_": _acl_modifiers,
    "_HAVE_LOOKUP_": _lookups,
    "_HAVE_MALWARE_": _scanners,
    "_DRIVER_ROUTER_": _drivers_of("router"),
    "_DRIVER_TRANSPORT_": _drivers_of("transport"),
    "_DRIVER_AUTHENTICATOR_": _drivers_of("authenticator"),
}


def _is_option_macro(name: str) -> bool:
    """True for ``_OPT_ROUTERS_...`` and ``_OPT_ROUTER_ACCEPT_...`` of options that there are."""
    for kind, drivers in CLASSES.items():
        generic = f"_OPT_{kind.upper()}S_"
        if name.startswith(generic):
            return name[len(generic) :] in _usable(drivers.base.by_any_name)
        private = f"_OPT_{kind.upper()}_"
        if name.startswith(private):
            return name in _option_macros(drivers)
    return False


@cache
def _option_macros(drivers: DriverClass) -> frozenset[str]:
    kind = drivers.kind.upper()
    base = drivers.base.by_any_name
    names = {f"_OPT_{kind}S_{name}" for name in _usable(base)}
    for driver, found in _classes(drivers):
        if not _is_refused(found):
            private = {name: option for name, option in found.by_any_name.items() if name not in base}
            names |= {f"_OPT_{kind}_{driver.upper()}_{name}" for name in _usable(private)}
    return frozenset(names)
