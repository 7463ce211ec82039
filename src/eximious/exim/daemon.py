"""``exim -bd``, ``-bdf``, ``-bw`` and ``-q`` with a time: the daemon."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from eximious.errors import EximiousError
from eximious.exim.command_line import EXIT_FAILURE, EXIT_SUCCESS

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.exim.invocation import Invocation


def run(call: Invocation) -> int:
    """Start the daemon, and be its supervisor until it is told to stop."""
    from eximious.daemon.setup import Setup
    from eximious.daemon.supervisor import Supervisor
    from eximious.exim import local_server, overrides, start

    line = call.line
    if call.config.main.mua_wrapper:
        call.complain("Daemon cannot be run when mua_wrapper is set")
        return EXIT_FAILURE

    def read() -> Configuration:
        config = start.load_configuration(line)
        overrides.apply(line, config.main)
        return config

    setup = Setup(line, call.config, read, local_server.serve)
    setup.starter = call.services
    supervisor = Supervisor(setup)
    try:
        setup.make_spool_folder()
        setup.recover()
        supervisor.listen()
        if must_leave_terminal(call):
            if os.fork():
                return EXIT_SUCCESS
            leave_terminal()
        supervisor.start()
    except (EximiousError, OSError) as error:
        call.services.logs.panic(str(error))
        return EXIT_FAILURE
    supervisor.announce()
    return supervisor.run()


def must_leave_terminal(call: Invocation) -> bool:
    """True if the daemon is to go on in the background."""
    line = call.line
    return not (line.is_foreground or line.asks("bw") or line.debug or line.verbose)


def leave_terminal() -> None:
    """Go on in a session of our own, without a terminal."""
    os.setsid()
    sys.stdout.flush()
    sys.stderr.flush()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    os.close(null)
