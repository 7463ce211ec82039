"""The ``From`` line of UUCP, which may stand before the headers. (Exim specification, "The UUCP From line".)"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from eximious.address.parse import AddressError, parse
from eximious.errors import Defer, ExpandError
from eximious.expand import regex
from eximious.receive.envelope import rules

if TYPE_CHECKING:
    from eximious.context import Context


def recogniser(context: Context) -> Callable[[bytes], bool] | None:
    """What tells UUCP's From line from others; None if the configuration wants none recognised."""
    pattern = context.config.main.uucp_from_pattern
    if pattern is None:
        return None

    def is_from_line(line: bytes) -> bool:
        return line.startswith(b"From ") and _captures(line, context) is not None

    return is_from_line


def _captures(line: bytes, context: Context) -> list[str] | None:
    try:
        return regex.compile(context.config.main.uucp_from_pattern or "").search(line.decode("latin-1") + "\n")
    except ExpandError as error:
        context.services.logs.panic(f"uucp_from_pattern: {error}")
        return None


def sender_in(line: bytes, context: Context) -> str | None:
    """The sender that a From line names; None if it cannot be understood."""
    found = _captures(line, context)
    return None if found is None else _sender(found, context)


def _sender(captures: list[str], context: Context) -> str | None:
    main = context.config.main
    template = main.uucp_from_sender
    if template is None:
        return None
    saved = context.captures
    context.captures = captures
    try:
        text = template.expand(context)
    except (ExpandError, Defer) as error:
        context.services.logs.panic(f'expansion of "{template.source}" (uucp_from_sender) failed: {error}')
        return None
    finally:
        context.captures = saved
    try:
        parsed = parse(text, rules(main, allow_null=True))
    except AddressError:
        return None
    if parsed.at >= 0 or not parsed.address:
        return parsed.address
    return f"{parsed.address}@{main.qualify_domain}"
