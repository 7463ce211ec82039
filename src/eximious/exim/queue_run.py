"""``exim -q``, ``-R``, ``-S``: one run over the queue, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.daemon.schedule import order
from eximious.deliver.how import How
from eximious.deliver.queue import BadSelection, Run, run_queue
from eximious.exim.command_line import EXIT_SUCCESS, CommandLineError
from eximious.exim.deliver_messages import attempt, prepare_deliveries

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation


def run(call: Invocation) -> int:
    """Run the queue, or several, one after another."""
    from eximious.daemon import control

    control.spill(call.services)
    prepare_deliveries(call)
    for wanted in call.line.queue_runs:
        try:
            chosen = Run.of(order(wanted, call.line))
        except BadSelection as error:
            raise CommandLineError(f"exim: {error}") from None
        _run(call, chosen)
    return EXIT_SUCCESS


def _run(call: Invocation, chosen: Run) -> None:
    def try_one(message_id: str, how: How) -> object:
        return attempt(call, message_id, chosen.name, how)

    run_queue(call.services, chosen, try_one)
