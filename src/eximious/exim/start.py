"""From a parsed command line to something a mode can work with: configuration, caller, rights, services."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from eximious.daemon import privilege
from eximious.errors import ConfigError
from eximious.exim import modes
from eximious.exim.command_line import EXIT_FAILURE, CommandLine, CommandLineError
from eximious.exim.identity import Caller, caller_of_this_process
from eximious.exim.invocation import Invocation
from eximious.services import Services

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration


def module_of(name: str) -> Any:
    """The module of `eximious.exim` that does what the mode of that name is for."""
    return importlib.import_module(f"eximious.exim.{modes.MODES[name].module}")


def prepare(line: CommandLine, name: str) -> Invocation | int:
    """Everything up to the point where the mode takes over; an exit status if it does not come to that.

    Raises CommandLineError.
    """
    mode = modes.MODES[name]
    caller = caller_of_this_process()
    if caller.has_root and (mode.runs_as is modes.CALLER or not _is_trusted_start(line, caller)):
        privilege.become_caller(caller.uid, caller.gid, caller.groups)
    elif os.getuid() != os.geteuid():
        privilege.keep_effective()
    config = _read_configuration(line)
    if config is None:
        return EXIT_FAILURE
    caller.learn(config.main)
    _check_permissions(line, mode, caller, config)
    services = Services(config)
    services.admin = caller.is_admin
    services.real_uid = caller.uid
    if mode.runs_as is modes.EXIM and privilege.is_root():
        privilege.become(config.main.exim_user, config.main.exim_group)
    return Invocation(line, caller, config, services)


def _is_trusted_start(line: CommandLine, caller: Caller) -> bool:
    """True if nothing on the command line makes the process give up the rights that its caller does not have."""
    return not (line.config_files or line.macros) or caller.uid == 0


def _read_configuration(line: CommandLine) -> Configuration | None:
    from eximious.config import load, paths

    names = line.config_files.split(":") if line.config_files else list(paths.CONFIGURATIONS)
    path = next((name for name in names if os.path.exists(name)), None)
    if path is None:
        raise CommandLineError(f"non-existent configuration file(s): {':'.join(names)}")
    try:
        return load.load(path, line.macros)
    except ConfigError as error:
        raise CommandLineError(str(error)) from error


def _check_permissions(line: CommandLine, mode: modes.Mode, caller: Caller, config: Configuration) -> None:
    """Raise CommandLineError if the caller may not do this."""
