"""``exiwhat``: what the mail server's processes are doing."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import Final, NoReturn

from eximious.daemon import control
from eximious.daemon.process_log import path
from eximious.errors import ConfigError
from eximious.exim.utilities import complain, run

REACTION: Final = 1.0  # seconds that processes get to answer


def console() -> NoReturn:
    """The installed script."""
    run(main)


def main(arguments: list[str]) -> int:
    """-C and -D, as for exim."""
    import json

    from eximious.exim import start
    from eximious.exim.command_line import CommandLineError
    from eximious.exim.options import parse

    try:
        config = start.load_configuration(parse(["exiwhat", *arguments]))
    except (CommandLineError, ConfigError) as error:
        return complain(str(error))
    answer = control.ask(config, "status")
    if answer is None:
        print("No exim process data")
        return 0
    with contextlib.suppress(FileNotFoundError):
        os.truncate(path(config), 0)
    facts = json.loads(answer)
    try:
        os.kill(facts["pid"], signal.SIGUSR1)
    except OSError as error:
        return complain(f"exiwhat: cannot signal process {facts['pid']}: {error.strerror}")
    time.sleep(REACTION)
    try:
        with open(path(config), encoding="latin-1") as file:
            sys.stdout.writelines(sorted(file))
    except OSError as error:
        return complain(f"exiwhat: {path(config)}: {error.strerror}")
    return 0
