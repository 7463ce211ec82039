"""Variables about TLS, of the connection to us (``in``) and of ours to another host (``out``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eximious.expand.variable import ContextVariable, variables
from eximious.expand.variables import CERTIFICATES

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.context import Context

# Variable without its direction -> attribute of the TLS session, and the value without TLS.
_ATTRIBUTES = {
    "bits": ("bits", "0"),
    "certificate_verified": ("is_verified", "0"),
    "cipher": ("cipher", ""),
    "cipher_std": ("cipher_std", ""),
    "ocsp": ("ocsp", "0"),
    "peerdn": ("peer_dn", ""),
    "resumption": ("resumption", "0"),
    "sni": ("sni", ""),
    "ver": ("version", ""),
}
_ONLY_OUT = {"dane": ("dane", "no"), "tlsa_usage": ("tlsa_usage", "0")}
_OLD_NAMES = ("bits", "certificate_verified", "cipher", "peerdn", "sni")


def _incoming(context: Context) -> Any:
    return context.client.tls


def _outgoing(context: Context) -> Any:
    return None if context.sending is None else context.sending.tls


def _either(context: Context) -> Any:
    """What the names without a direction mean: outgoing while a transport talks to a host."""
    return context.client.tls if context.sending is None else context.sending.tls


def _declare(name: str, session: Callable[[Context], Any], attribute: str, without: str) -> None:
    def read(context: Context) -> str:
        tls = session(context)
        if tls is None:
            return without
        value = getattr(tls, attribute)
        if isinstance(value, bool):
            return "10"[not value] if name != "tls_out_dane" else ("no", "yes")[value]
        return value if isinstance(value, str) else str(value)

    variables.register(name)(ContextVariable(name, read))


for _name, (_attribute, _without) in _ATTRIBUTES.items():
    _declare(f"tls_in_{_name}", _incoming, _attribute, _without)
    _declare(f"tls_out_{_name}", _outgoing, _attribute, _without)
for _name, (_attribute, _without) in _ONLY_OUT.items():
    _declare(f"tls_out_{_name}", _outgoing, _attribute, _without)
for _name in _OLD_NAMES:
    _declare(f"tls_{_name}", _either, *_ATTRIBUTES[_name])


def _declare_certificate(name: str) -> None:
    def read(context: Context) -> str:
        from eximious.expand.certificate import der

        octets = der(name, context)
        if octets is None:
            return ""
        import binascii

        return binascii.b2a_base64(octets, newline=False).decode("ascii")

    variables.register(name)(ContextVariable(name, read))


for _name in CERTIFICATES:
    _declare_certificate(_name)
