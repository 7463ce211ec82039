"""``arc_sign`` of the smtp transport: one more set for the ARC chain of a message that goes on.

(Exim's description of experimental features, "ARC".)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from eximious.config.lists import split
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.send.dkim_sign import CannotSign, key_of, taken_apart

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.mailauth.arc import Sealer
    from eximious.transports.smtp import Smtp

WITHOUT_RESULTS: Final = "no Authentication-Results header for signing"  # Exim's words
MONTH: Final = 30 * 86_400  # seconds that a seal is good for, if "expire" does not say


def fields(transport: Smtp, context: Context, pieces: Iterable[bytes]) -> bytes:
    """The three fields of the set, with LF line ends; nothing if there can be none. Raises nothing."""
    assert transport.arc_sign is not None
    log = context.services.logs
    try:
        address = str(context.message.client.host_address)
        sealer = _sealer(transport.arc_sign.expand(context), context.services.now(), address)
        if sealer is None:
            return b""
        return _made(sealer, context, pieces)
    except ForcedFail:
        return b""
    except (CannotSign, ExpandError, Defer) as error:
        log.main(f"ARC: {str(error).partition(chr(10))[0]}", context.message.id)
        return b""


def _sealer(text: str, now: float, client_ip: str) -> Sealer | None:
    """``admd : selector : key [: options]``; None for an empty text. Raises CannotSign."""
    from eximious.mailauth.arc import Sealer

    items = [item.strip() for item in split(text)]
    if not any(items):
        return None
    if len(items) < 3 or not all(items[:3]):
        raise CannotSign("arc_sign needs an identity, a selector and a key")
    domain, selector, key = items[:3]
    with_time, expire = False, None
    for option in ",".join(items[3:]).split(","):
        name, equals, value = option.strip().partition("=")
        if name == "timestamps":
            with_time = True
        elif name == "expire":
            expire = _expiry(value, now) if equals else MONTH
        elif name:
            raise CannotSign(f'arc_sign has no option "{name}"')
    return Sealer(
        domain,
        selector,
        key_of(key, "AMS signing"),
        domain,
        with_time=with_time,
        expire_after=expire,
        is_body_relaxed=False,  # as Exim has it
        takes_block_only=True,
        client_ip=client_ip,
    )


def _expiry(value: str, now: float) -> int:
    """``+seconds`` from now on, or a UNIX time. Raises CannotSign."""
    number = value.strip().removeprefix("+")
    if not number.isdigit():
        raise CannotSign(f'arc_sign: expire "{value}" is no number')
    return int(number) if value.strip().startswith("+") else max(0, int(number) - int(now))


def _made(sealer: Sealer, context: Context, pieces: Iterable[bytes]) -> bytes:
    from eximious.mailauth.arc.seal import NO_RESULTS, Sealing

    headers, body = taken_apart(pieces)
    sealing = Sealing(headers, sealer)
    for piece in body:
        sealing.feed(piece)
    made = sealing.fields(context.services.now())
    if not made:
        why = WITHOUT_RESULTS if sealing.why_not == NO_RESULTS else f"not sealed: {sealing.why_not}"
        context.services.logs.main(f"ARC: {why}", context.message.id)
    return b"".join(made).replace(b"\r\n", b"\n")
