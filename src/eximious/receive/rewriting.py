"""Rewriting of a message's envelope when it comes in; what was there before stays among its headers, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.spool.message import DELETED, Header
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.spool.message import Message


def rewrite_sender(context: Context) -> None:
    """Rewrite the sender, unless its verification has done so already."""
    message = context.message
    if not context.config.rewrite_rules or message.sender_rewritten_from:
        return
    from eximious.rewrite import engine

    sender = engine.rewrite_sender(message.sender, context)
    if sender != message.sender:
        message.sender_rewritten_from = message.sender
        message.sender = Tainted(sender)
        _note(message, "sender", message.sender_rewritten_from)


def rewrite_recipients(context: Context) -> None:
    """Rewrite the recipients."""
    if not context.config.rewrite_rules:
        return
    from eximious.rewrite import engine

    message = context.message
    for recipient in message.recipients:
        address = engine.rewrite_recipient(recipient.address, context)
        if address != recipient.address:
            _note(message, "original-recipient", recipient.address)
            recipient.given = recipient.given or recipient.address
            recipient.address = Tainted(address)


def _note(message: Message, what: str, address: str) -> None:
    message.headers.append(Header(f"X-rewrote-{what}: {address}\n", DELETED))
