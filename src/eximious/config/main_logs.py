"""Main options about logging and debugging. (Exim specification, "Log files".)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.config.option import Options, option

if TYPE_CHECKING:
    from eximious.config.values import StartText, StringList
    from eximious.lists.host import HostList


class LogOptions(Options):
    """What is logged, and where."""

    hosts_connection_nolog: HostList | None = option(None, doc="Clients whose connections are not logged.")
    log_file_path: StartText = option(
        "", doc="Log files with ``%s`` for main, reject or panic; ``syslog``; empty: in the spool directory."
    )
    log_ports: StringList | None = option("*", doc="Ports worth mentioning in the log, where selectors ask for ports.")
    log_selector: str | None = option(None, doc="What to log besides, or not: ``+all -skip_delivery``.")
    log_timezone: bool = option(False, doc="Times in logs have the time zone.")
    message_logs: bool = option(True, doc="Keep a log for each message while it is in the queue.")
    preserve_message_logs: bool = option(False, doc="Keep the logs of finished messages in msglog.OLD.")
    print_topbitchars: bool = option(False, doc="Characters above 127 count as printable in logs.")
    slow_lookup_log: int = option(0, doc="Log DNS lookups that take longer, in milliseconds; 0 never.")
    syslog_duplication: bool = option(True, doc="Lines for two logs go to syslog twice.")
    syslog_facility: str | None = option(None, doc="Facility for syslog; mail if unset.")
    syslog_pid: bool = option(True, doc="Process ids in syslog lines.")
    syslog_processname: str = option("exim", doc="Name for syslog.")
    syslog_timestamp: bool = option(True, doc="Our own time in syslog lines.")
    write_rejectlog: bool = option(True, doc="Write the reject log.")
