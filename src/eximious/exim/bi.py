"""``exim -bi``, ``newaliases``: the command that rebuilds alias files, if the configuration names one."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from eximious.exim.command_line import EXIT_FAILURE, EXIT_SUCCESS

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation


def run(call: Invocation) -> int:
    """Run ``bi_command``, as the caller, with the argument of -oA; this process becomes the command."""
    command = call.config.main.bi_command
    if not command:
        return EXIT_SUCCESS
    argv = [command] if call.line.alias_file is None else [command, call.line.alias_file]
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execv(command, [word.encode("latin-1") for word in argv])
    except OSError as error:
        call.complain(f"exim: exec of {command} failed: {error.strerror}")
    return EXIT_FAILURE
