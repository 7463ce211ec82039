"""``exim -oPX``: remove the file with the process id of the daemon that asks for it.

Exim's daemon asks when it has no more right to do it itself. Ours keeps the right; the option is here for wrappers.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.daemon import pid_file
from eximious.exim.command_line import EXIT_SUCCESS

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation


def run(call: Invocation) -> int:
    """Remove the file if it names our parent. That there is none, or another's, is no error."""
    line = call.line
    path = pid_file.path(call.config.main, line.pid_file, is_listening=True, is_overridden=bool(line.listen_on))
    if path:
        pid_file.remove(path, os.getppid())
    return EXIT_SUCCESS
