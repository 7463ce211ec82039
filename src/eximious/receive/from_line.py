"""The ``From`` line of UUCP, which may stand before the headers. (Exim specification, "The UUCP From line".)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.address.parse import AddressError, parse
from eximious.errors import Defer, ExpandError
from eximious.expand import regex
from eximious.receive.envelope import rules

if TYPE_CHECKING:
    from eximious.context import Context

START = b"From "


def take_off(text: bytes, context: Context) -> tuple[bytes, str | None]:
    """The text without a From line at its beginning, and the sender that the line names.

    The sender is None if there is no such line, or none that can be understood.
    """
    pattern = context.config.main.uucp_from_pattern
    if pattern is None or not text.startswith(START):
        return text, None
    line, _, rest = text.partition(b"\n")
    try:
        found = regex.compile(pattern).search(line.decode("latin-1") + "\n")
    except ExpandError as error:
        context.services.logs.panic(f"uucp_from_pattern: {error}")
        return text, None
    if found is None:
        return text, None
    return rest, _sender(found, context)


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
