"""The logs that main options describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.logs import destination, selector
from eximious.logs.fields import Fields, PortList
from eximious.logs.log import Logs
from eximious.logs.syslog import Syslog

if TYPE_CHECKING:
    from eximious.config.main import MainOptions


def logs(main: MainOptions) -> Logs:
    """The logs that the options describe. Raises ConfigError if they cannot be understood."""
    default = f"{main.spool_directory}/log/%slog"
    made = Logs(
        destination.parse(main.log_file_path or "", default),
        selector.parse(main.log_selector or ""),
        uid=main.exim_user,
        gid=main.exim_group,
        log_timezone=main.log_timezone,
    )
    ports = PortList(main.log_ports) if main.log_ports else None
    made.fields = Fields(made.selected, ports, main.print_topbitchars)
    made.write_rejectlog = main.write_rejectlog
    made.syslog = Syslog(main.syslog_processname, main.syslog_facility or "mail")
    made.syslog_timestamp = main.syslog_timestamp
    made.syslog_pid = main.syslog_pid
    made.syslog_duplication = main.syslog_duplication
    return made
