"""TLS for connections that we make: contexts from the options of the smtp transport, kept for use again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eximious.config.lists import split
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.tls.context import ClientContext, Verify
from eximious.tls.errors import TlsError

if TYPE_CHECKING:
    from eximious.address.delivery import Host
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.transports.smtp import Smtp

MOST_KEPT = 64  # contexts of one transport


def client_context(transport: Smtp, host: Host, context: Context) -> ClientContext:
    """The context for connections to the host. Raises TlsError."""
    from eximious.send.opening import is_listed

    verify = Verify.NONE
    if _asks_everybody(transport) or is_listed(transport, "tls_verify_hosts", host, context):
        verify = Verify.REQUIRE
    elif is_listed(transport, "tls_try_verify_hosts", host, context):
        verify = Verify.TRY
    names: tuple[str, ...] = ()
    if verify is not Verify.NONE and is_listed(transport, "tls_verify_cert_hostnames", host, context):
        # Without DNSSEC, an alias must not lead to another host's certificate.
        names = ((not host.dnssec and host.asked_name) or host.name,)
    certificate = _text(transport.tls_certificate, "tls_certificate", context)
    settings: dict[str, Any] = {
        "certificates": tuple(split(certificate)),
        "private_keys": tuple(split(_text(transport.tls_privatekey, "tls_privatekey", context))),
        "ciphers": _text(transport.tls_require_ciphers, "tls_require_ciphers", context),
        "options": context.config.main.openssl_options or "",
        "verify": verify,
        "verify_certificates": "",
        "crl": "",
        "verify_names": names,
        "alpn": tuple(split(_text(transport.tls_alpn, "tls_alpn", context))),
        "curves": tuple(item for item in split(_text(transport.tls_eccurve, "tls_eccurve", context)) if item != "auto"),
    }
    if verify is not Verify.NONE:
        settings["verify_certificates"] = _text(transport.tls_verify_certificates, "tls_verify_certificates", context)
        settings["crl"] = _text(transport.tls_crl, "tls_crl", context)
    return _kept(transport, settings)


def _asks_everybody(transport: Smtp) -> bool:
    """Neither option says whose certificates matter: then everybody's do. (A list without items says: nobody's.)"""
    lists = (transport.tls_verify_hosts, transport.tls_try_verify_hosts)
    return all(hosts is None or not hosts.source.strip() for hosts in lists)


def _kept(transport: Smtp, settings: dict[str, Any]) -> ClientContext:
    contexts: dict[tuple[Any, ...], ClientContext] = transport.__dict__.setdefault("_tls_contexts", {})
    key = tuple(settings.values())
    found = contexts.get(key)
    if found is None:
        if len(contexts) >= MOST_KEPT:
            contexts.clear()
        found = contexts[key] = ClientContext(**settings)
    return found


def _text(template: Template | None, option: str, context: Context) -> str:
    if template is None:
        return ""
    try:
        return template.expand(context).strip()
    except ForcedFail:
        return ""
    except (ExpandError, Defer) as error:
        raise TlsError(option, f'expansion of "{template.source}" failed: {error}') from error


def server_name(transport: Smtp, context: Context) -> str:
    """The server name to ask for. Raises TlsError."""
    return _text(transport.tls_sni, "tls_sni", context)
