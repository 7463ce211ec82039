"""``exim -z``: a line of the administrator's own in the main log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.exim.command_line import EXIT_FAILURE, EXIT_SUCCESS

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation


def run(call: Invocation) -> int:
    """Write it; nobody but an administrator may."""
    if not call.caller.is_admin or call.line.log_line is None:
        return EXIT_FAILURE
    call.services.logs.main(call.line.log_line)
    return EXIT_SUCCESS
