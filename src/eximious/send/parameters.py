"""The parameters of the MAIL command.

(RFC 1870 SIZE, 6152 8BITMIME, 3461 DSN, 4954 AUTH; PRDR.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.smtp.dsn import encode_xtext, format_return

if TYPE_CHECKING:
    from eximious.send.connection import Connection
    from eximious.spool.message import Message


def mail_parameters(
    connection: Connection, message: Message, *, size: int, authenticated_sender: str | None, prdr: bool
) -> str:
    """The parameters of the MAIL command that the host understands."""
    features, transport = connection.features, connection.transport
    text = ""
    if "SIZE" in features and transport.size_addition >= 0:
        text += f" SIZE={size + transport.size_addition}"
    body_type = message.facts.get("body_type", 0)
    if "8BITMIME" in features and body_type:
        text += f" BODY={'8BITMIME' if body_type == 8 else '7BIT'}"
    if prdr:
        text += " PRDR"
    if "DSN" in features:
        if message.dsn_return:
            text += f" RET={format_return(message.dsn_return)}"
        if message.dsn_envid:
            text += f" ENVID={message.dsn_envid}"
    if authenticated_sender is not None:
        text += f" AUTH={encode_xtext(authenticated_sender)}" if authenticated_sender else " AUTH=<>"
    return text
