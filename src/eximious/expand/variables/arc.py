"""Variables about the ARC chain of the message, after ``verify = arc`` has looked at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.variable import variable
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.spool.message import Message


@variable
def arc_state(message: Message) -> str | None:
    """``none``, ``pass`` or ``fail``."""
    found = message.facts.get("arc")
    return None if found is None else found.state


@variable
def arc_state_reason(message: Message) -> str | None:
    """Why the chain fails."""
    found = message.facts.get("arc")
    return None if found is None else Tainted(found.reason)


@variable
def arc_domains(message: Message) -> str | None:
    """Who sealed the message, as a list, the first one first."""
    found = message.facts.get("arc")
    return None if found is None else Tainted(found.domains)


@variable
def arc_oldest_pass(message: Message) -> str:
    """The first set whose message signature is still good; 0 if there is none."""
    found = message.facts.get("arc")
    return "0" if found is None else str(found.oldest_pass)
