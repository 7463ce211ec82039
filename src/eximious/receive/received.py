"""The Received: header that every message gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.expand.variables.tod import tod_full
from eximious.spool.header_kinds import RECEIVED
from eximious.spool.message import DELETED, Header

if TYPE_CHECKING:
    from eximious.context import Context


class ReceivedError(ExpandError):
    """``received_header_text`` cannot be expanded."""


def received_text(context: Context) -> str:
    """The header without its date; "" if the configuration wants none. Raises ReceivedError."""
    template = context.config.main.received_header_text
    message = context.message
    if len(message.recipients) == 1:
        context.facts["received_for"] = message.recipients[0].address
    try:
        return template.expand(context)
    except ForcedFail:
        return ""
    except (ExpandError, Defer) as error:
        raise ReceivedError(f'Expansion of "{template.source}" (received_header_text) failed: {error}') from error
    finally:
        context.facts.pop("received_for", None)


def received_header(text: str, context: Context) -> Header:
    """The header of the present time; one that nobody will see if there is no text."""
    if not text:
        return Header(f"Received: ; {tod_full(context)}\n", DELETED)
    return Header(f"{text};\n\t{tod_full(context)}\n", RECEIVED)
