"""The TLS context for a client, from the main options."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.lists.split import split
from eximious.receive.hosts import is_in
from eximious.tls.cache import ContextCache
from eximious.tls.context import ServerContext, Verify
from eximious.tls.errors import TlsError
from eximious.tls_session import TlsSession

if TYPE_CHECKING:
    from eximious.context import Context

_cache: Final = ContextCache()
_WITH_NAME: Final = ("tls_certificate", "tls_privatekey", "tls_verify_certificates", "tls_crl", "tls_require_ciphers")


def server_context(context: Context) -> ServerContext | Callable[[str], ServerContext]:
    """The context for the client, or what chooses it by the server name that the client asks for. Raises TlsError."""
    plain = _make(context)
    if not any(_mentions_name(context, option) for option in _WITH_NAME):
        return plain

    def choose(name: str) -> ServerContext:
        if not name:
            return plain
        client = context.client
        client.tls = TlsSession()
        client.tls.sni = name
        try:
            return _make(context, for_name=True)
        except TlsError as error:
            text = f"expansion of {error.operation} failed" if error.operation in _WITH_NAME else str(error)
            context.services.logs.panic(text)
            raise TlsError("SSL_accept", "error:0A0000EA:SSL routines::callback failed") from None
        finally:
            client.tls = None

    return choose


def _mentions_name(context: Context, option: str) -> bool:
    template = getattr(context.config.main, option)
    return template is not None and ("tls_in_sni" in template.source or "tls_sni" in template.source)


def _make(context: Context, *, for_name: bool = False) -> ServerContext:
    """The context, for a client that may have asked for a server name. Raises TlsError."""
    main = context.config.main
    certificates = _items(context, "tls_certificate", must_be=for_name)
    keys = _items(context, "tls_privatekey", must_be=for_name)
    verify_certificates = _text(context, "tls_verify_certificates")
    crl = _text(context, "tls_crl")
    dh = _text(context, "tls_dhparam")
    curves = _items(context, "tls_eccurve")
    files = [*certificates, *keys, *(path for path in (verify_certificates, crl, dh) if path.startswith("/"))]
    verify = _verify(context)
    try:
        return _cache.get(
            ServerContext,
            files,
            certificates=tuple(certificates),
            private_keys=tuple(keys),
            ciphers=_text(context, "tls_require_ciphers"),
            options=main.openssl_options or "",
            verify=verify,
            verify_certificates=verify_certificates if verify is not Verify.NONE else "",
            crl=crl if verify is not Verify.NONE else "",
            dh=dh,
            dh_max_bits=int(main.tls_dh_max_bits),
            curves=() if curves == ["auto"] else tuple(curves),
            alpn=tuple(_items(context, "tls_alpn")),
            require_alpn=is_in(context, "hosts_require_alpn"),
            self_signed_for="" if certificates else str(main.primary_hostname),
        )
    except ValueError as error:
        raise TlsError("openssl_options", str(error)) from None


def _verify(context: Context) -> Verify:
    if is_in(context, "tls_verify_hosts"):
        return Verify.REQUIRE
    return Verify.TRY if is_in(context, "tls_try_verify_hosts") else Verify.NONE


def _text(context: Context, option: str, *, must_be: bool = False) -> str:
    """What an option expands to; "" if it is not set, or forced to fail unless it `must_be` there."""
    template: Any = getattr(context.config.main, option)
    if template is None:
        return ""
    try:
        return str(template.expand(context)).strip()
    except ForcedFail as error:
        if must_be:
            raise TlsError(option, str(error)) from None
        return ""
    except (ExpandError, Defer) as error:
        context.services.logs.panic(f"expansion of {option} failed: {error}")
        raise TlsError(option, str(error)) from None


def _items(context: Context, option: str, *, must_be: bool = False) -> list[str]:
    return [item for item in split(_text(context, option, must_be=must_be)) if item]
