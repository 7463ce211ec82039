"""DKIM signatures of messages that go out, as the dkim_ options of the smtp transport say.

(Exim specification, "Signing outgoing messages".)
"""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Final

from eximious.config.dkim_headers import SIGN_HEADERS
from eximious.config.lists import split
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.octets import lower
from eximious.smtp.sending import TextSender
from eximious.transports.outcome import Outcome, Unable, deferred

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.mailauth.dkim import PrivateKey, Signer
    from eximious.mailauth.message import Headers
    from eximious.transports.smtp import Smtp

NO_KEY: Final = frozenset({"", "0", "false"})
SIGNER_LIMIT: Final = 50
KEY_LIMIT: Final = 100_000  # octets of a file
UNDECODABLE: Final = "error:1E08010C:DECODER routines::unsupported"  # OpenSSL's words for what is no key
LOG_NAMES: Final = {"dkim_sign_headers": "dkim_sign_header"}  # Exim's log has some options under other names
STRICT: Final = "DKIM: message could not be signed, and dkim_strict is set. Deferring message delivery."


HASHES: Final = frozenset({"sha1", "sha256", "sha512"})


class CannotSign(Exception):
    """A signature cannot be made; `str()` is for the log, and never has anything of a key.

    `reason` is what a delivery that is put off says of it.
    """

    def __init__(self, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.reason = reason


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
    except CannotSign as error:
        logs = context.services.logs
        for line in str(error).split("\n"):
            logs.panic(line, context.message.id)
        if _is_strict(transport, context):
            logs.main(STRICT, context.message.id)
            raise Unable(_put_off(context, error.reason)) from None
        return b"", ""
    finally:
        for name in ("domain", "selector"):
            context.facts.pop(f"dkim_signing_{name}", None)


def _is_strict(transport: Smtp, context: Context) -> bool:
    try:
        return lower(_expanded(transport, "dkim_strict", context)) in ("1", "true")
    except CannotSign:
        return True


def _put_off(context: Context, reason: str) -> Outcome:
    """The delivery is tried again later, when signing may work."""
    where = ""
    if context.sending is not None and context.sending.host is not None:
        host = context.sending.host
        where = f"{host.name} [{host.address}]"
    text = f"smtp send to {where} failed: {reason}"
    context.services.logs.main(f"H={where}: {text}: {os.strerror(errno.EACCES)}", context.message.id)
    return deferred(text, errno.EACCES)


def _expanded(transport: Smtp, option: str, context: Context) -> str:
    """The value of an option; "" if it is unset. Raises CannotSign."""
    template: Template | None = getattr(transport, option)
    try:
        return "" if template is None else template.expand(context).strip()
    except (ExpandError, Defer, ForcedFail) as error:
        text = f"failed to expand {LOG_NAMES.get(option, option)}: {error}"
        raise CannotSign(text, text) from None


def _signers(transport: Smtp, context: Context) -> list[Signer]:
    """Raises CannotSign."""
    found = []
    for domain in split(lower(_expanded(transport, "dkim_domain", context))):
        if not domain.strip():
            continue
        context.facts["dkim_signing_domain"] = domain.strip()
        for selector in split(_expanded(transport, "dkim_selector", context)):
            if not selector.strip():
                continue
            context.facts["dkim_signing_selector"] = selector.strip()
            one = _signer(transport, context, domain.strip(), selector.strip())
            if one is not None:
                found.append(one)
    return found[:SIGNER_LIMIT]


def _signer(transport: Smtp, context: Context, domain: str, selector: str) -> Signer | None:
    from eximious.mailauth.dkim import Signer

    text = _expanded(transport, "dkim_private_key", context)
    if lower(text) in NO_KEY:
        return None
    key = key_of(text, "signing_init")
    canonicalization = _expanded(transport, "dkim_canon", context)
    if canonicalization not in ("", "relaxed", "simple"):
        context.services.logs.main(
            f"DKIM: unknown canonicalization method '{canonicalization}', defaulting to 'relaxed'.", context.message.id
        )
    is_relaxed = canonicalization != "simple"
    hash_name = "sha256" if transport.dkim_hash is None else _expanded(transport, "dkim_hash", context)
    if hash_name not in HASHES:
        raise CannotSign(f"DKIM: unrecognised hashname '{hash_name}'")
    times = _expanded(transport, "dkim_timestamps", context)
    if times and not times.isdigit():
        raise CannotSign(f'DKIM: dkim_timestamps "{times}" is no number')
    names = _expanded(transport, "dkim_sign_headers", context) if transport.dkim_sign_headers else SIGN_HEADERS
    try:
        return Signer(
            domain,
            selector,
            key,
            [name.strip() for name in split(names) if name.strip()],
            hash_name,
            is_relaxed,
            is_relaxed,
            _expanded(transport, "dkim_identity", context),
            transport.dkim_timestamps is not None,
            int(times) if times and int(times) else None,
        )
    except ValueError as error:
        raise CannotSign(f"DKIM: {domain}: {error}") from None


def key_of(text: str, what: str) -> PrivateKey:
    """The key in the text, or in the file that it names. `what` is done with it. Raises CannotSign."""
    if text.startswith("/"):
        try:
            with open(text, encoding="latin-1") as file:
                text = file.read(KEY_LIMIT)
        except OSError as error:
            raise CannotSign(f"unable to open file '{text}' for reading: {error.strerror}") from None
    try:
        return _loaded(text)
    except CannotSign as error:
        raise CannotSign(f"{what}: {error.reason}\nDKIM: signing failed: PRIVKEY", error.reason) from None


@functools.lru_cache(maxsize=500)
def _loaded(content: str) -> PrivateKey:
    from eximious.mailauth.dkim import KeyFault, PrivateKey

    try:
        return PrivateKey.load(content)
    except KeyFault as fault:
        text = f"privkey PEM-block import: {UNDECODABLE}"
        raise CannotSign(f"{text} ({fault})", text) from None


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
