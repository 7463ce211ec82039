"""What a daemon is started with: its command line and configuration, and what its processes are made from."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from eximious.daemon import privilege, processes
from eximious.services import Services
from eximious.spool.errors import SpoolError

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.exim.command_line import CommandLine
    from eximious.logs.log import Logs
    from eximious.net.loop import LoopStream


ServeLocal = Callable[["LoopStream", Services], None]


class Setup:
    """Replaced in part when the configuration is read again."""

    def __init__(
        self,
        line: CommandLine,
        config: Configuration,
        read: Callable[[], Configuration],
        serve_local: ServeLocal,
    ) -> None:
        self.line = line
        self.config = config
        self._read = read
        self.serve_local = serve_local  # what a worker does with a local user's connection
        self.worker_count = worker_count(config)
        self.starter: Services | None = None  # of the process that became the daemon
        self._logs: Logs | None = None

    def read_again(self) -> Configuration:
        """A fresh reading of the configuration. Raises ConfigError."""
        return self._read()

    @property
    def logs(self) -> Logs:
        """The supervisor's logs."""
        if self._logs is None:
            self._logs = Services(self.config).logs
        return self._logs

    def forget_logs(self) -> None:
        """Open the logs again, perhaps elsewhere, when next needed."""
        if self._logs is not None:
            self._logs.close()
        self._logs = None

    @property
    def never_users(self) -> frozenset[int]:
        """Nothing is ever done as one of these."""
        return frozenset({0, *(self.config.main.never_users or ())})

    @property
    def queue_run_max(self) -> int:
        """How many queue runs there may be at the same time; 0 for no limit, and for what cannot be understood."""
        from eximious.context import Context
        from eximious.errors import Defer, ExpandError

        setting = self.config.main.queue_run_max
        if setting is None:
            return 0
        try:
            text = setting.expand(Context(self.config, Services(self.config))).strip()
        except (ExpandError, Defer) as error:
            self.logs.panic(f"expansion of queue_run_max failed: {error}")
            return 0
        return int(text) if text.isascii() and text.isdigit() else 0

    def worker_services(self, agent: socket.socket) -> Services:
        """The services of a worker."""
        from eximious.deliver.agent import AgentJobs

        services = Services(self.config)
        services.delivery = self.line.delivery
        services.queue_smtp = self.line.queue_smtp
        services.admin = True
        if self.starter is not None:
            services.started_like(self.starter)
        services.local = AgentJobs(agent)
        if self.line.debug or self.line.verbose:
            services.logs.verbose = services.show_dialogue = sys.stderr.write
        else:
            services.logs.to_stderr = None
        return services

    def make_spool_folder(self) -> None:
        """The first daemon of a machine finds no spool directory. Raises SpoolError if none can be made."""
        layout = Services(self.config).spool.layout
        layout.make_folder(layout.directory)

    def recover(self) -> None:
        """What processes that died had accepted and not finished is put where queue runs find it.

        That is done by a process of the mail user, which has ended when this returns.
        """
        main = self.config.main
        if not os.path.isdir(f"{main.spool_directory}/journal"):
            return

        def live() -> None:
            if privilege.is_root():
                privilege.become(main.exim_user, main.exim_group)
            services = Services(self.config)
            try:
                services.spool.recover()
            except SpoolError as error:
                services.logs.panic(str(error))

        os.waitpid(processes.fork(live), 0)


def worker_count(config: Configuration) -> int:
    """One worker a core, unless the configuration says otherwise."""
    return config.main.daemon_workers or len(os.sched_getaffinity(0))
