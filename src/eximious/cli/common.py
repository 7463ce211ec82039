"""What subcommands share: which configuration, who is asking, how text is shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from eximious.daemon import privilege
from eximious.errors import ConfigError
from eximious.exim import start
from eximious.exim.command_line import CommandLine, CommandLineError
from eximious.exim.identity import caller_of_this_process
from eximious.exim.invocation import Invocation
from eximious.services import Services

if TYPE_CHECKING:
    from rich.console import Console

F = TypeVar("F", bound=Callable[..., Any])


def configuration_options(function: F) -> F:
    """Decorator: -C and -D, as exim has them."""
    decorated = click.option(
        "-D", "macros", multiple=True, metavar="NAME[=TEXT]", help="Set a macro of the configuration."
    )(function)
    return click.option("-C", "config_file", default="", metavar="FILE", help="Use this configuration.")(decorated)


def invocation(config_file: str, macros: tuple[str, ...] = (), *, delivers: bool = False) -> Invocation:
    """A call under a configuration, as the mail user if we are root. Ends the program with a message if that fails.

    With `delivers`, messages that it queues are delivered, by a process that keeps the rights for that.
    """
    line = CommandLine("eximious")
    line.config_files = config_file
    for macro in macros:
        name, _, text = macro.partition("=")
        line.macros[name.strip()] = text.strip()
    caller = caller_of_this_process()
    try:
        config = start.load_configuration(line)
    except CommandLineError as error:
        raise click.ClickException(str(error)) from error
    except ConfigError as error:
        from eximious.config.errors import with_caret

        raise click.ClickException(f"the configuration cannot be used:\n{with_caret(error)}") from error
    caller.learn(config.main)
    services = Services(config)
    services.admin, services.real_uid = caller.is_admin, caller.uid
    call = Invocation(line, caller, config, services)
    if delivers:
        from eximious.exim import deliveries

        deliveries.arrange(call)
    elif privilege.is_root():
        privilege.become(config.main.exim_user, config.main.exim_group)
    return call


def require_admin(call: Invocation) -> None:
    """End the program if the caller may neither see nor change the queue."""
    if not call.caller.is_admin:
        raise click.ClickException("only administrators of the mail system may do this")


def readable(text: str) -> str:
    """Octets as a person reads them: UTF-8 where they are that."""
    return text.encode("latin-1", "replace").decode("utf-8", "replace")


def console() -> Console:
    """Standard output, in colour where that is a terminal."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not os.isatty(1))
