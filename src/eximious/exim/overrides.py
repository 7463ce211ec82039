"""Options of the command line that stand in for options of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.config.main import MainOptions
    from eximious.exim.command_line import CommandLine


def apply(line: CommandLine, main: MainOptions) -> None:
    """Let the configuration, which nobody else uses yet, say what the command line says."""
    if line.receive_timeout is not None:
        main.receive_timeout = line.receive_timeout
    if line.smtp_receive_timeout is not None:
        main.smtp_receive_timeout = line.smtp_receive_timeout
    if line.syslog_name:
        main.syslog_processname = line.syslog_name
        main.log_file_path = "syslog"
