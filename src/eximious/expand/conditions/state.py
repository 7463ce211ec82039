"""Conditions without data, about what is going on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.condition import condition

if TYPE_CHECKING:
    from eximious.context import Context


@condition("first_delivery", 0)
def first_delivery(context: Context) -> bool:
    """This is the message's first delivery attempt."""
    return bool(context.facts.get("delivering")) and context.message.deliver_first_time


@condition("queue_running", 0)
def queue_running(context: Context) -> bool:
    """A queue runner started this delivery."""
    return bool(context.facts.get("queue_running"))
