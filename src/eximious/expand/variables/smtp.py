"""Variables about the SMTP session that is going on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.variable import variable
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context


@variable
def smtp_command(context: Context) -> str:
    """The command that is being dealt with, as it came."""
    return context.smtp_command


@variable
def smtp_command_argument(context: Context) -> str:
    """What follows the name of that command."""
    argument = context.smtp_command.partition(" ")[2].lstrip(" \t")
    if argument[:5].upper() == "FROM:" or argument[:3].upper() == "TO:":
        argument = argument.partition(":")[2].lstrip(" \t")
    return Tainted(argument) if argument else ""


@variable
def smtp_command_history(context: Context) -> str | None:
    """The last commands of the session, with commas between."""
    return None if context.session is None else context.session.command_history


@variable
def smtp_count_at_connection_start(context: Context) -> str:
    """How many connections there were when this one began."""
    return str(context.facts.get("connection_count", 0))


@variable
def smtp_notquit_reason(context: Context) -> str | None:
    """Why the session ended without QUIT."""
    return context.facts.get("smtp_notquit_reason")


@variable
def rcpt_count(context: Context) -> str:
    """How many RCPT commands there were for this message."""
    return "0" if context.session is None else str(context.session.rcpt_count)


@variable
def rcpt_defer_count(context: Context) -> str:
    """How many of them got a 4xx answer."""
    return "0" if context.session is None else str(context.session.rcpt_defer_count)


@variable
def rcpt_fail_count(context: Context) -> str:
    """How many of them got a 5xx answer."""
    return "0" if context.session is None else str(context.session.rcpt_fail_count)


@variable
def connection_id(context: Context) -> str | None:
    """The id of the connection, if connections have one."""
    return context.client.connection_id or None
