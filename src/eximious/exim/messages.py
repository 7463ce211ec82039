"""``exim -M...``: what is done to single messages in the queue.

Each action is one function: it says on standard output what became of the message, and is false if that failed.
Exim specification, "Command line options", from -M to -Mvl.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from eximious.exim.command_line import EXIT_FAILURE, EXIT_SUCCESS

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation

# The module and function for the letters that follow -M.
ACTIONS: Final[dict[str, str]] = {
    "deliver": "deliver_messages:deliver",
    "c": "deliver_messages:deliver",
    "g": "deliver_messages:give_up",
    "G": "change_messages:move",
    "f": "change_messages:freeze",
    "t": "change_messages:thaw",
    "rm": "change_messages:remove",
    "mad": "change_messages:mark_all_delivered",
    "md": "change_messages:mark_delivered",
    "ar": "change_messages:add_recipients",
    "es": "change_messages:edit_sender",
    "vb": "show_messages:body",
    "vc": "show_messages:complete",
    "vh": "show_messages:header",
    "vl": "show_messages:log",
}


def run(call: Invocation) -> int:
    """Do it to each message in turn; the status tells if all of it could be done."""
    from eximious.daemon import control

    control.spill(call.services)
    module, _, function = ACTIONS[call.line.message_action].partition(":")
    act = getattr(importlib.import_module(f"eximious.exim.{module}"), function)
    done = [act(call, message_id) for message_id in call.line.message_ids]
    return EXIT_SUCCESS if all(done) else EXIT_FAILURE
