"""Main options about the daemon: interfaces, ports, load, disk space, where its files are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.config import paths
from eximious.config.option import Options, option

if TYPE_CHECKING:
    from eximious.config.values import Fixed, Kilobytes, Ports, Seconds, StartText, StringList


class DaemonOptions(Options):
    """Listening, limits of the machine, files of the daemon."""

    check_log_inodes: int = option(
        100, doc="Refuse mail if the log file system has fewer free inodes; 0 does not check."
    )
    check_log_space: Kilobytes = option("10M", doc="Refuse mail if the log file system has less free space.")
    check_spool_inodes: int = option(100, doc="Refuse mail if the spool file system has fewer free inodes.")
    check_spool_space: Kilobytes = option("10M", doc="Refuse mail if the spool file system has less free space.")
    daemon_modules_load: StringList | None = option(
        None,
        doc="Modules to load before the daemon starts.",
        no_effect="what the configuration needs is loaded when it is read",
    )
    daemon_smtp_ports: Ports = option(
        "smtp", doc="Ports to listen on, as numbers or service names.", aliases=("daemon_smtp_port",)
    )
    daemon_workers: int = option(0, doc="How many processes serve connections; 0: one for each processor.")
    daemon_startup_retries: int = option(9, doc="How many more times to try if a port cannot be bound.")
    daemon_startup_sleep: Seconds = option("30s", doc="How long to wait between those tries.")
    debug_store: bool = option(
        False, doc="Check memory that was freed.", no_effect="there is no memory allocator to debug"
    )
    disable_ipv6: bool = option(False, doc="Do nothing with IPv6: no sockets, no AAAA lookups.")
    extra_local_interfaces: StringList | None = option(
        None, doc="Addresses that count as local although nothing listens there."
    )
    local_interfaces: StringList = option(
        "<; ::0 ; 0.0.0.0", doc="Addresses to listen on, each may have a port; they also say what is the local host."
    )
    local_submission_socket: StartText = option(
        paths.SUBMISSION_SOCKET, doc="Unix socket on which the daemon takes messages from local users; empty for none."
    )
    notifier_socket: StartText | None = option(
        "$spool_directory/exim_daemon_notify", doc="Unix socket on which the daemon takes commands; empty for none."
    )
    panic_coredump: bool = option(
        False, doc="Leave a core dump after a panic.", no_effect="the panic log has a traceback instead"
    )
    pid_file_path: StartText = option("", doc="Where the daemon writes its process id; empty: in the spool directory.")
    process_log_path: StartText | None = option(None, doc="Where exiwhat's answers are written.")
    rfc1413_port: int = option(113, doc="Port of clients' ident servers.")
    rfc1413_query_timeout: Seconds = option("0s", doc="How long an ident query may take; 0 asks nobody.")
    smtp_accept_keepalive: bool = option(True, doc="Set SO_KEEPALIVE on incoming connections.")
    smtp_accept_max: int = option(20, doc="Connections at the same time; 0 for no limit.")
    smtp_accept_reserve: int = option(0, doc="Connections of smtp_accept_max kept for smtp_reserve_hosts.")
    smtp_backlog_monitor: int = option(
        0,
        doc="Log when more connections than this wait to be accepted; 0 never.",
    )
    smtp_connect_backlog: int = option(20, doc="Connections that may wait to be accepted.")
    smtp_load_reserve: Fixed | None = option(None, doc="Above this system load only smtp_reserve_hosts are served.")
    tcp_nodelay: bool = option(True, doc="Set TCP_NODELAY on incoming connections.")
    tcp_wrappers_daemon_name: str | None = option(None, doc="Name to use with TCP wrappers.", later="TCP wrappers")
    tls_on_connect_ports: Ports = option("", doc="Ports where TLS begins at once, before the greeting.")
    spool_directory: StartText = option(paths.SPOOL, doc="Where messages and hints are kept.")
    spool_journal: bool = option(
        True, doc="Eximious only: new messages go to a journal, and to files of their own if they stay."
    )
    split_spool_directory: bool = option(False, doc="Spread messages over 62 subdirectories of the spool.")
    spool_wireformat: bool = option(
        False, doc="Allow data files with CRLF.", no_effect="data files are written with LF; both kinds are read"
    )
    timezone: str | None = option(
        paths.default_timezone, doc="Time zone for logs and headers, as in TZ; empty for the system's."
    )
