"""Everything that a mode of the command line works with."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.context import Context
    from eximious.exim.command_line import CommandLine
    from eximious.exim.identity import Caller
    from eximious.services import Services


class Invocation:
    """One call of the program: what was asked, by whom, under which configuration."""

    def __init__(self, line: CommandLine, caller: Caller, config: Configuration, services: Services) -> None:
        self.line = line
        self.caller = caller
        self.config = config
        self.services = services

    def context(self) -> Context:
        """A fresh context, of nobody and no message."""
        from eximious.context import Context

        context = Context(self.config, self.services)
        if self.line.debug:
            from eximious.exim.trace import Trace

            context.trace = Trace(self.line.debug)
        return context

    def print(self, text: str) -> None:
        """Write a line to standard output, octet for octet."""
        sys.stdout.write(text + "\n")

    def complain(self, text: str) -> None:
        """Write a line to standard error, octet for octet."""
        sys.stdout.flush()
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
