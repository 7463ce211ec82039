"""Variables about this program, its configuration and this machine."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from eximious.expand.variable import variable

if TYPE_CHECKING:
    from eximious.context import Context

COUNTING_INTERVAL: Final = 60.0  # seconds between two counts of what is queued


@variable
def primary_hostname(context: Context) -> str:
    """The name of this host."""
    return context.config.main.primary_hostname


@variable
def qualify_domain(context: Context) -> str:
    """The domain added to senders without one."""
    main = context.config.main
    return main.qualify_domain or main.primary_hostname


@variable
def qualify_recipient(context: Context) -> str:
    """The domain added to recipients without one."""
    main = context.config.main
    return main.qualify_recipient or main.qualify_domain or main.primary_hostname


@variable
def spool_directory(context: Context) -> str:
    """Where messages are kept."""
    return context.config.main.spool_directory


@variable
def config_file(context: Context) -> str:
    """The configuration file in use."""
    return context.config.file


@variable
def config_dir(context: Context) -> str:
    """The directory of that file."""
    return context.config.file.rpartition("/")[0]


@variable
def exim_path(context: Context) -> str:
    """The program's path."""
    return context.config.main.exim_path


@variable
def exim_uid(context: Context) -> str:
    """The uid that the program works as."""
    return str(context.config.main.exim_user)


@variable
def exim_gid(context: Context) -> str:
    """The gid that the program works as."""
    return str(context.config.main.exim_group)


@variable
def exim_version(context: Context) -> str:
    """The version that the program says it has."""
    return context.config.main.exim_version


@variable
def version_number(context: Context) -> str:
    """The same."""
    return context.config.main.exim_version


@variable
def compile_number(context: Context) -> str:
    """How often this version was built."""
    return "1"


@variable
def compile_date(context: Context) -> str:
    """When this version was built."""
    import eximious

    built = time.localtime(os.stat(eximious.__file__).st_mtime)
    return time.strftime("%d-%b-%Y %H:%M:%S", built)


@variable
def localhost_number(context: Context) -> str:
    """The number of this host among those that share a queue; 0 if it has none."""
    number = context.config.main.localhost_number
    return "0" if number is None else number.expand(context)


@variable
def bounce_return_size_limit(context: Context) -> str:
    """How much of a message a bounce returns, in octets."""
    return str(context.config.main.bounce_return_size_limit)


@variable
def return_size_limit(context: Context) -> str:
    """The older name of ``$bounce_return_size_limit``."""
    return str(context.config.main.bounce_return_size_limit)


@variable
def pid(context: Context) -> str:
    """The id of this process."""
    return str(os.getpid())


@variable
def caller_uid(context: Context) -> str:
    """The real uid under which the program was started."""
    return str(context.services.real_uid)


@variable
def caller_gid(context: Context) -> str:
    """The real gid under which the program was started."""
    return str(context.services.real_gid)


@variable
def initial_cwd(context: Context) -> str:
    """The folder in which the program was started."""
    return context.services.initial_cwd


@variable
def load_average(context: Context) -> str:
    """The load of the last minute, times 1000."""
    return str(int(os.getloadavg()[0] * 1000))


@variable
def spool_space(context: Context) -> str:
    """Free space for the spool, in kilobytes; -1 if unknown."""
    return _free_space(context.config.main.spool_directory)


@variable
def spool_inodes(context: Context) -> str:
    """Free inodes for the spool; -1 if the file system has none."""
    return _free_inodes(context.config.main.spool_directory)


@variable
def log_space(context: Context) -> str:
    """Free space for the logs, in kilobytes; -1 if unknown."""
    return _free_space(_log_directory(context))


@variable
def log_inodes(context: Context) -> str:
    """Free inodes for the logs; -1 if the file system has none."""
    return _free_inodes(_log_directory(context))


def _log_directory(context: Context) -> str:
    """The directory of the first log file that is not syslog."""
    main = context.config.main
    for path in main.log_file_path.split(":"):
        path = path.strip()
        if path.startswith("/"):
            return os.path.dirname(path) or "/"
    return main.spool_directory


def _free_space(path: str) -> str:
    try:
        found = os.statvfs(path)
    except OSError:
        return "-1"
    return str(found.f_bavail * found.f_frsize // 1024)


def _free_inodes(path: str) -> str:
    try:
        found = os.statvfs(path)
    except OSError:
        return "-1"
    return str(found.f_favail) if found.f_files else "-1"


@variable
def queue_size(context: Context) -> str:
    """How many messages are queued, counted at most once a minute; empty if no daemon runs."""
    services = context.services
    socket = context.config.main.notifier_socket
    if not socket or not os.path.exists(socket):
        return ""
    now = services.now()
    counted = services.queue_size
    if counted is None or not 0 <= now - counted[0] < COUNTING_INTERVAL:
        counted = services.queue_size = now, len(services.spool.list_ids())
    return str(counted[1])
