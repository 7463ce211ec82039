"""Who may ask for what. (Exim specification, "Trusted and admin users", and the options themselves.)"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.exim import modes
from eximious.exim.command_line import CommandLine, CommandLineError

if TYPE_CHECKING:
    from eximious.config.main import MainOptions
    from eximious.exim.identity import Caller

NOT_ADMIN = "exim: permission denied; not admin"
DENIED = "exim: Permission denied"


def check(line: CommandLine, name: str, caller: Caller, main: MainOptions) -> None:
    """Raise CommandLineError if the caller may not do this; the configuration is known, and so who is an admin."""
    _check_private(line, name, caller, main)
    if caller.is_admin:
        return
    if line.debug:
        raise CommandLineError("exim: debugging permission denied; not admin")
    if main.commandline_checks_require_admin and modes.MODES[name].is_check:
        raise CommandLineError("exim: those command-line flags are set to require admin")
    if _needs_admin(line, name, main):
        raise CommandLineError(NOT_ADMIN)
    if name == "M" and line.message_action in ("deliver", "c") and main.prod_requires_admin:
        raise CommandLineError(DENIED)
    if line.load_message:
        raise CommandLineError("exim: permission denied")
    if line.syslog_name:
        raise CommandLineError("exim: you lack sufficient privilege to specify syslog process name")


def _check_private(line: CommandLine, name: str, caller: Caller, main: MainOptions) -> None:
    """What being an administrator is not enough, or not needed, for."""
    is_exim = caller.uid in (0, main.exim_user)
    if (line.pid_file or line.remove_pid_file) and not is_exim:
        raise CommandLineError(
            f"exim: only uid=0 or uid={main.exim_user} can use -oP and -oPX "
            f"(uid={caller.uid} euid={os.geteuid()} | {caller.uid})"
        )
    if line.dont_deliver and not is_exim and name in ("M", "queue run", "bd", "bw"):
        raise CommandLineError("exim: Permission denied; not exim user or root")
    if line.suppress_fixups and not caller.is_trusted:
        raise CommandLineError("exim: permission denied (-G requires a trusted user)")


def _needs_admin(line: CommandLine, name: str, main: MainOptions) -> bool:
    if name in ("bd", "bw", "bmalware"):
        return True
    if name == "M":
        return line.message_action in ("g", "G")
    if name == "bp":
        return bool(main.queue_list_requires_admin)
    if name == "queue run":
        return bool(main.prod_requires_admin)
    return name == "bP" and any(word in ("macro", "macros", "macro_list") for word in line.arguments)
