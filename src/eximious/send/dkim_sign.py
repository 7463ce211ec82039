"""DKIM signatures of messages that go out, as the dkim_ options of the smtp transport say.

(Exim specification, "Signing outgoing messages".)
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Final

from eximious.config.dkim_headers import SIGN_HEADERS
from eximious.config.lists import split
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.octets import lower
from eximious.smtp.sending import TextSender
from eximious.transports.outcome import Unable, deferred

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.mailauth.dkim import PrivateKey, Signer
    from eximious.mailauth.message import Headers
    from eximious.transports.smtp import Smtp

NO_KEY: Final = frozenset({"", "0", "false"})
SIGNER_LIMIT: Final = 50
STRICT: Final = "DKIM: message could not be signed, and dkim_strict is set. Deferring message delivery."


class CannotSign(Exception):
    """A signature cannot be made; the text never has anything of a key."""


def is_wanted(transport: Smtp) -> bool:
    """True if the transport's options may lead to signatures."""
    return transport.dkim_domain is not None and transport.dkim_private_key is not None


def signatures(transport: Smtp, context: Context, pieces: Iterable[bytes]) -> tuple[bytes, str]:
    """The DKIM-Signature fields for a message (with LF line ends), and what the log says of them.

    Raises Unable if the message must not go out without.
    """
    try:
        signers = _signers(transport, context)
        if not signers:
            return b"", ""
        return _made(signers, pieces, context.services.now())
    except (CannotSign, ExpandError, Defer, ForcedFail) as error:
        context.services.logs.panic(f"DKIM signing: {error}", context.message.id)
        if _is_strict(transport, context):
            context.services.logs.main(STRICT, context.message.id)
            raise Unable(deferred(STRICT, 0)) from None
        return b"", ""
    finally:
        for name in ("domain", "selector"):
            context.facts.pop(f"dkim_signing_{name}", None)


def _is_strict(transport: Smtp, context: Context) -> bool:
    try:
        return lower(_expanded(transport.dkim_strict, context)) in ("1", "true")
    except (ExpandError, Defer, ForcedFail):
        return True


def _expanded(template: Template | None, context: Context) -> str:
    return "" if template is None else template.expand(context).strip()


def _signers(transport: Smtp, context: Context) -> list[Signer]:
    """Raises CannotSign and what expansion raises."""
    found = []
    domains = dict.fromkeys(lower(item.strip()) for item in split(_expanded(transport.dkim_domain, context)))
    for domain in domains:
        if not domain:
            continue
        context.facts["dkim_signing_domain"] = domain
        for selector in split(_expanded(transport.dkim_selector, context)):
            if not selector.strip():
                continue
            context.facts["dkim_signing_selector"] = selector.strip()
            one = _signer(transport, context, domain, selector.strip())
            if one is not None:
                found.append(one)
    return found[:SIGNER_LIMIT]


def _signer(transport: Smtp, context: Context, domain: str, selector: str) -> Signer | None:
    from eximious.mailauth.dkim import Signer

    text = _expanded(transport.dkim_private_key, context)
    if lower(text) in NO_KEY:
        return None
    key = key_of(text)
    canonicalization = lower(_expanded(transport.dkim_canon, context))
    if canonicalization not in ("", "relaxed", "simple"):
        context.services.logs.panic(
            f"DKIM: unknown canonicalization method '{canonicalization}', defaulting to 'relaxed'.", context.message.id
        )
    is_relaxed = canonicalization != "simple"
    times = _expanded(transport.dkim_timestamps, context)
    if times and not times.isdigit():
        raise CannotSign(f'dkim_timestamps "{times}" is no number')
    names = SIGN_HEADERS if transport.dkim_sign_headers is None else _expanded(transport.dkim_sign_headers, context)
    try:
        return Signer(
            domain,
            selector,
            key,
            [name.strip() for name in split(names) if name.strip()],
            lower(_expanded(transport.dkim_hash, context)) or "sha256",
            is_relaxed,
            is_relaxed,
            _expanded(transport.dkim_identity, context),
            bool(times),
            int(times) if times and int(times) else None,
        )
    except ValueError as error:
        raise CannotSign(f"{domain}: {error}") from None


def key_of(text: str) -> PrivateKey:
    """The key in the text, or in the file that it names. Raises CannotSign."""
    if text.startswith("/"):
        try:
            with open(text, encoding="latin-1") as file:
                content = file.read(100_000)
        except OSError as error:
            raise CannotSign(f"unable to open file for reading: {text}: {error.strerror}") from None
        return _loaded(content, text)
    return _loaded(text, "dkim_private_key")


@functools.lru_cache(maxsize=500)
def _loaded(content: str, name: str) -> PrivateKey:
    from eximious.mailauth.dkim import KeyFault, PrivateKey

    try:
        return PrivateKey.load(content)
    except KeyFault as fault:
        raise CannotSign(f"{name}: {fault}") from None


def _made(signers: list[Signer], pieces: Iterable[bytes], now: float) -> tuple[bytes, str]:
    from eximious.mailauth.dkim import Signing

    signing = Signing(signers)
    headers, body = taken_apart(pieces)
    for piece in body:
        signing.feed(piece)
    fields = signing.fields(headers, now)
    what = ":".join(f"{signer.domain}:{signer.selector}" for signer in signers)
    return b"".join(fields).replace(b"\r\n", b"\n"), what


def taken_apart(pieces: Iterable[bytes]) -> tuple[Headers, Iterator[bytes]]:
    """Header and body of a message as they will be sent, with CRLF line ends."""
    from eximious.mailauth.message import split as split_message

    texts = _on_the_wire(pieces)
    text = b""
    for piece in texts:
        text += piece
        end = text.find(b"\r\n\r\n")
        if end >= 0:
            return split_message(text[: end + 4])[0], chain((text[end + 4 :],), texts)
    return split_message(text)[0], iter(())


def _on_the_wire(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What is sent is signed: also where single CRs become line ends."""
    sender = TextSender(stuffs_dots=False)
    for piece in pieces:
        yield sender.send(piece)
    yield sender.finish()
