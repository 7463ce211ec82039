"""From a parsed command line to something a mode can work with: configuration, caller, rights, services."""

from __future__ import annotations

import importlib
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from eximious.daemon import environment, privilege
from eximious.errors import ConfigError, ConfigErrors
from eximious.exim import modes, overrides, permissions
from eximious.exim.command_line import CommandLine, CommandLineError
from eximious.exim.identity import Caller, caller_of_this_process
from eximious.exim.invocation import Invocation
from eximious.logs.printing import printing
from eximious.services import Services

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.config.trust import Trust

WITHOUT_WARNING = frozenset({"be", "bf", "bt", "bP", "bp"})  # modes that say nothing of a purged environment


def module_of(name: str) -> Any:
    """The module of `eximious.exim` that does what the mode of that name is for."""
    return importlib.import_module(f"eximious.exim.{modes.MODES[name].module}")


def prepare(line: CommandLine, name: str) -> Invocation:
    """Everything up to the point where the mode takes over. Raises CommandLineError."""
    initial_cwd = _working_directory()
    _make_paths_absolute(line)
    caller = caller_of_this_process()
    _settle_ids(line, name, caller)
    config = read_configuration(line)
    overrides.apply(line, config.main)
    caller.learn(config.main)
    permissions.check(line, name, caller, config.main)
    is_kept_list = environment.clean(config.main)
    services = Services(config)
    services.admin = caller.is_admin
    services.real_uid, services.real_gid = caller.uid, caller.gid
    services.initial_cwd = initial_cwd
    services.dont_deliver = line.dont_deliver
    if line.verbose:
        services.logs.verbose = services.show_dialogue = sys.stderr.write
    if modes.MODES[name].runs_as is modes.EXIM and privilege.is_root() and not keeps_deliverer(line, name):
        privilege.become(config.main.exim_user, config.main.exim_group)
    if modes.MODES[name].runs_as is not modes.CALLER:
        _leave_folder(config.main.spool_directory)
    if not is_kept_list and name not in WITHOUT_WARNING:
        services.logs.main("Warning: purging the environment.\n Suggested action: use keep_environment.")
    if "arguments" in services.logs.selected and not modes.MODES[name].is_check:
        services.logs.main(arguments_line(line, initial_cwd))
    return Invocation(line, caller, config, services)


def arguments_line(line: CommandLine, folder: str) -> str:
    """For the log: how, and where, the program was called."""
    words = [printing(word) for word in (line.called_as, *line.words)]
    shown = " ".join(f'"{word}"' if not word or " " in word or "\t" in word else word for word in words)
    return f"cwd={folder} {len(words)} args: {shown}"


def _working_directory() -> str:
    """The caller's folder; "" if that is no more."""
    try:
        return os.getcwdb().decode("latin-1")
    except OSError:
        return ""


def _make_paths_absolute(line: CommandLine) -> None:
    """Files that are opened later, when this process has left its caller's folder."""
    line.config_files = ":".join(map(os.path.abspath, _given_files(line)))
    if line.pid_file:
        line.pid_file = os.path.abspath(line.pid_file)
    if line.scan_file:
        line.scan_file = os.path.abspath(line.scan_file)


def _leave_folder(spool_directory: str) -> None:
    """Work in the spool directory: what lies about in the caller's folder must not matter (CVE-2017-10140)."""
    try:
        os.chdir(spool_directory)
    except OSError:
        os.chdir("/")


def keeps_deliverer(line: CommandLine, name: str) -> bool:
    """True if the mode itself gives up root, once it has made a process for deliveries."""
    return name in ("bs", "bS", "bm")


def _settle_ids(line: CommandLine, name: str, caller: Caller) -> None:
    """Become the caller where that is all it may be; else make the real ids the effective ones."""
    if not caller.has_root:
        return
    if modes.MODES[name].runs_as is modes.CALLER or not _keeps_root(line, caller):
        privilege.become_caller(caller.uid, caller.gid, caller.groups)
    elif caller.uid != caller.effective_uid:
        privilege.keep_effective()


def _keeps_root(line: CommandLine, caller: Caller) -> bool:
    """True unless -C or -D could make us do what the caller has no right to do."""
    if caller.uid == 0 or not (line.config_files or line.macros):
        return True
    from eximious.config import paths, users

    return _trust().keeps_root(caller.uid, users.user_id(paths.default_user()), _given_files(line), line.macros)


def _trust() -> Trust:
    from eximious.config.trust import read_trust

    try:
        return read_trust()
    except ConfigError as error:
        raise CommandLineError(f"exim: {error}") from error


def _given_files(line: CommandLine) -> list[str]:
    return line.config_files.split(":") if line.config_files else []


def read_configuration(line: CommandLine) -> Configuration:
    """The configuration that the command line names, or the usual one. Raises CommandLineError."""
    try:
        return load_configuration(line)
    except ConfigError as error:
        raise CommandLineError(_complaint(error, is_logged=not line.asks("bV"))) from error


def _complaint(error: ConfigError, *, is_logged: bool) -> str:
    """What to write to standard error; the panic log has it too, if the file got as far as saying where that is."""
    from eximious.config.errors import as_exim_says

    text = as_exim_says(error)
    config = error.config if isinstance(error, ConfigErrors) else None
    if not is_logged or config is None or not config.main.is_set("log_file_path"):
        return f"{_now()} {text}"
    from eximious.logs.log import PANIC, Logs

    try:
        logs = Logs.from_config(config)
    except ConfigError:
        return f"{_now()} {text}"
    logs.to_stderr = None
    logs.write((PANIC,), text)
    return f"LOG: PANIC DIE\n  {text}"


def load_configuration(line: CommandLine) -> Configuration:
    """Like `read_configuration`. Raises ConfigError."""
    from eximious.config import load, paths

    names = _given_files(line) or list(paths.CONFIGURATIONS)
    path = next((name for name in names if os.path.exists(name)), None)
    if path is None:
        shown = ":".join(os.path.abspath(name) for name in names)
        raise CommandLineError(f"{_now()} non-existent configuration file(s): {shown}")
    check_file = _trust().check_file if privilege.is_root() else None
    return load.load(os.path.abspath(path), line.macros, check_file=check_file)


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")
