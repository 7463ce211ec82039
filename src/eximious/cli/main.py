"""The ``eximious`` command. Subcommands are imported when they are called, or when their help is asked for."""

from __future__ import annotations

import importlib
import sys
from typing import Any, ClassVar, NoReturn

import click

import eximious


class Lazy(click.Group):
    """A group whose commands are in modules of `eximious.cli`, and described here so that --help imports none."""

    COMMANDS: ClassVar[dict[str, str]] = {
        "check": "Check a configuration: every fault, with its place.",
        "dmarc": "Look at reports about DMARC, and send them.",
        "explain": "Show how a result comes about, step by step.",
        "log": "Show the log, in colour, and go on showing it.",
        "lookup": "Make indexed files for lookups.",
        "queue": "Look at the queue and change it.",
        "serve": "Run the server in the foreground.",
        "status": "Ask a running server what it is doing.",
        "version": "Say what this installation is and can do.",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all subcommands."""
        return sorted({*self.COMMANDS, *self.commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A subcommand, from its module."""
        if cmd_name not in self.COMMANDS:
            return None
        found: Any = importlib.import_module(f"eximious.cli.{cmd_name}").command
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in --help."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(self.COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command if there is none of that name."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from eximious.errors import did_you_mean

            hint = did_you_mean(args[0], self.COMMANDS) if args else ""
            if not hint:
                raise
            raise click.UsageError(f"{error.message.rstrip('.')}; {hint}", ctx) from None


EPILOG = """\b
Try:
  eximious check /etc/exim4/exim4.conf   is this configuration all right?
  eximious explain expand '${lc:ABC}'     how does a string come to its result?
  eximious serve -C /etc/exim4/exim4.conf
  eximious queue                          what is waiting, and why?
  eximious queue show ID                  one message, and what became of it so far
  eximious log -f                         watch it work

The compatible command line is `exim`, with Exim's options and output.
"""


@click.command("eximious", cls=Lazy, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(eximious.__version__, "-V", "--version", prog_name="eximious")
def command() -> None:
    """A mail transfer agent that reads Exim's configuration.

    A message that has been accepted is on disk; a configuration is checked before it is used; no program needs to be
    set-user-id.
    """


def console() -> NoReturn:
    """Entry point of the ``eximious`` script."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    command()
    raise AssertionError("click ends the process")
