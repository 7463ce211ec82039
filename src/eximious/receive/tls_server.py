"""What the server needs for TLS with one client, from the ``tls_...`` options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.receive.hosts import is_in
from eximious.tls.context import ServerContext, Verify
from eximious.tls.errors import TlsError

if TYPE_CHECKING:
    from eximious.context import Context

MOST_KEPT = 100  # contexts; different ones come from options that contain variables


def server_context(context: Context) -> ServerContext:
    """The context for this client. Those made before are used again. Raises TlsError."""
    main = context.config.main
    verify = _verify(context)
    settings: dict[str, Any] = {
        "certificates": _files(_expanded(context, "tls_certificate")),
        "private_keys": _files(_expanded(context, "tls_privatekey")),
        "ciphers": _expanded(context, "tls_require_ciphers"),
        "options": main.openssl_options or "",
        "verify": verify,
        "verify_certificates": _expanded(context, "tls_verify_certificates") if verify is not Verify.NONE else "",
        "crl": _expanded(context, "tls_crl") if verify is not Verify.NONE else "",
        "dh_file": _dh_file(_expanded(context, "tls_dhparam")),
        "curve": _curve(_expanded(context, "tls_eccurve")),
    }
    if not settings["certificates"]:
        settings["self_signed_for"] = main.primary_hostname
    key = tuple(settings.values())
    kept: dict[Any, ServerContext] = context.config.server_contexts
    found = kept.get(key)
    if found is None:
        if len(kept) >= MOST_KEPT:
            kept.clear()
        try:
            found = kept[key] = ServerContext(**settings)
        except ValueError as error:
            raise TlsError("openssl_options", str(error)) from error
    return found


def _verify(context: Context) -> Verify:
    main = context.config.main
    if main.tls_verify_hosts is not None and is_in(context, "tls_verify_hosts"):
        return Verify.REQUIRE
    if main.tls_try_verify_hosts is not None and is_in(context, "tls_try_verify_hosts"):
        return Verify.TRY
    return Verify.NONE


def _expanded(context: Context, option: str) -> str:
    template = getattr(context.config.main, option)
    if template is None:
        return ""
    try:
        return str(template.expand(context)).strip()
    except ForcedFail:
        return ""
    except (ExpandError, Defer) as error:
        context.services.logs.panic(f"expansion of {option} failed: {error}")
        raise TlsError(option, str(error)) from error


def _files(text: str) -> tuple[str, ...]:
    from eximious.lists.split import split

    return tuple(item for item in split(text) if item) if text else ()


def _dh_file(text: str) -> str:
    """A file of parameters; standard names are OpenSSL's business, and ``none`` switches them off."""
    return text if text.startswith("/") else ""


def _curve(text: str) -> str:
    return "" if text in ("", "auto") else text
