"""What policy may ask for: DNS, lookups, hints, spool, logs, other processes, the clock.

Policy opens no socket and no file itself; it is handed these. Tests hand in others. Each is created at its first use,
so that a process pays only for what it needs.
"""

from __future__ import annotations

import importlib
import os
import random
import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.dns.resolver import Resolver
    from eximious.hints.store import Hints
    from eximious.logs.log import Logs
    from eximious.spool.store import QueueStore


class Deliveries(Protocol):
    """Whoever starts the delivery of messages that have just been accepted.

    In a one-shot process this is a process of its own with the rights for it (`eximious.exim.deliveries`), in a worker
    of the daemon a greenlet (`eximious.daemon.deliveries`). Whether a message is to be delivered at once or only queued
    (``queue_only``, ``-odq``, load, ``control = queue``, ...) is for whoever received it to say.
    """

    def start(self, message_id: str, queue_name: str = "", *, no_remote: bool = False) -> None:
        """Begin; with `no_remote`, addresses that need SMTP stay in the queue. Waits only where ``-odi`` says so."""


class Services:
    """The services of one process under one configuration."""

    def __init__(self, config: Configuration) -> None:
        self.config = config
        self.now: Callable[[], float] = time.time
        self.random: random.Random = random.Random()
        self.local: Any = None  # runs jobs as other users: eximious.deliver.local.LocalJobs (or the daemon's agent)
        self.deliveries: Deliveries | None = None  # starts deliveries of what was received; None: all of it is queued
        self.delivery = ""  # what -od said of received messages: "b", "i", "q"; "" if nothing
        self.queue_smtp = False  # -odqs: addresses that need SMTP stay in the queue
        self.queue_runner: Any = None  # starts queue runs for ETRN: start(text), is_running(text); None: nobody does
        self.server_user: Any = None  # eximious.receive.submitter.Submitter for messages from the network
        self.localhost_number: int | None = -1  # of this host in its cluster; None: not set; -1: not looked at yet
        self.connections: Any = None  # idle connections to other hosts: eximious.send.pool.Pool, made at its first use
        self.file_systems: dict[str, tuple[float, os.statvfs_result]] = {}  # when asked, and the answer; by folder
        self.dont_deliver = False  # -N: messages that this process handles are delivered only in appearance
        self.show_dialogue: Callable[[str], object] | None = None  # -v: shown what is said to other hosts
        self.admin = False  # the caller may see and change the queue
        self.real_uid = self.real_gid = 0  # of whoever started this process
        self.initial_cwd = ""  # where that was
        self.queue_size: tuple[float, int] | None = None  # when messages were counted for $queue_size, and their number

    def started_like(self, other: Services) -> None:
        """Take over by whom and where this process was started."""
        self.real_uid, self.real_gid, self.initial_cwd = other.real_uid, other.real_gid, other.initial_cwd

    @cached_property
    def logs(self) -> Logs:
        """Main, reject and panic log."""
        from eximious.logs.log import Logs

        return Logs.from_config(self.config)

    @cached_property
    def dns(self) -> Resolver:
        """The resolver, with its cache."""
        from eximious.dns.resolver import Resolver

        resolver = Resolver.from_config(self.config)
        # Some options are domain lists, which are above this layer.
        importlib.import_module("eximious.lists.dns_options").attach(resolver, self)
        return resolver

    @cached_property
    def hints(self) -> Hints:
        """Retry, wait, ratelimit, callout and other hints."""
        from eximious.hints.store import Hints

        return Hints.from_config(self.config, lambda line: self.logs.panic(line))

    @cached_property
    def spool(self) -> QueueStore:
        """The queue."""
        from eximious.spool.store import QueueStore

        return QueueStore.from_config(self.config)

    @cached_property
    def python(self) -> Any:
        """The process that runs functions of ``${python``."""
        return importlib.import_module("eximious.expand.python_process").PythonProcess.from_config(self.config)

    @cached_property
    def lookups(self) -> Any:
        """Open lookup files and connections, and their cached answers."""
        return importlib.import_module("eximious.lookups.cache").LookupCache()
