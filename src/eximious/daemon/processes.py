"""Forking the daemon's processes."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NoReturn

from eximious.acl import ahead
from eximious.daemon import link, privilege

PRELOADED: Final = (
    "uvloop",
    "eximious.daemon.worker",
    "eximious.daemon.deliveries",
    "eximious.deliver.agent",
    "eximious.deliver.message",
    "eximious.deliver.reports",
    "eximious.receive.session",
    "eximious.receive.connect",
    "eximious.receive.smtp_message",
    "eximious.spool.journal.journal",
)

# Check of mail authentication that an ACL asks for -> what it takes.
PRELOADED_CHECKS: Final = {
    "spf": ("eximious.mailauth.spf",),
    "dmarc": ("eximious.mailauth.dmarc",),
    "arc": ("eximious.mailauth.arc",),
}
# What every check takes, and the verification of DKIM signatures, which a site that has checks wants as well.
PRELOADED_FOR_CHECKS: Final = ("eximious.mailauth.program_resolver", "eximious.mailauth.dkim")

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.daemon.connections import OwnConnections
    from eximious.daemon.setup import Setup
    from eximious.daemon.supervisor import Supervisor


class WorkerProcess:
    """A worker, as the supervisor knows it."""

    __slots__ = ("generation", "is_ready", "is_retired", "link", "number", "part", "pid", "runs", "started_at")

    def __init__(self, pid: int, number: int, part: int, connection: link.Link, generation: int) -> None:
        self.pid = pid
        self.number = number
        self.part = part  # of the connection table
        self.link = connection
        self.generation = generation
        self.is_ready = False
        self.is_retired = False  # it has been told to end when it is idle
        self.runs = 0  # queue runs that it is busy with
        self.started_at = time.monotonic()


class AgentProcess:
    """The local agent, as the supervisor knows it: workers reach it through the sockets made with it."""

    __slots__ = ("pid", "sockets")

    def __init__(self, pid: int, sockets: list[socket.socket]) -> None:
        self.pid = pid
        self.sockets = sockets  # one a worker; kept for workers that are started again

    def close(self) -> None:
        """Let the agent go: it ends when the workers have closed their ends too."""
        for sock in self.sockets:
            sock.close()


def start_agent(supervisor: Supervisor) -> AgentProcess:
    """Fork the local agent. It keeps root if there is any, imports what it needs, and reads nothing from outside."""
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(supervisor.setup.worker_count)]
    ours = [pair[0] for pair in pairs]
    theirs = [pair[1] for pair in pairs]
    never = supervisor.setup.never_users

    def live() -> None:
        from eximious.deliver.agent import Agent

        for sock in ours:
            sock.close()
        close_all(supervisor)
        main = supervisor.config.main
        if privilege.is_root() and main.deliver_drop_privilege:
            privilege.become(main.exim_user, main.exim_group)
        Agent(theirs, never).run()

    pid = fork(live)
    for sock in theirs:
        sock.close()
    return AgentProcess(pid, ours)


def start_worker(supervisor: Supervisor, number: int, part: int) -> WorkerProcess:
    """Fork a worker, which becomes the mail user before it does anything else."""
    ours, theirs = link.pair()
    assert supervisor.agent is not None
    agents = supervisor.agent.sockets
    agent = agents[number]
    setup, table, sockets = supervisor.setup, supervisor.table, list(supervisor.sockets.values())
    local = supervisor.submission

    def live() -> None:
        ours.close()
        close_all(supervisor, but=sockets)
        for sock in agents:
            if sock is not agent:
                sock.close()
        work(setup, table.part(part), theirs, sockets, local, agent)

    pid = fork(live)
    theirs.close()
    return WorkerProcess(pid, number, part, ours, supervisor.generation)


def work(
    setup: Setup,
    connections: OwnConnections,
    connection: link.Link,
    sockets: list[socket.socket],
    local: socket.socket | None,
    agent: socket.socket,
) -> None:
    """The life of a worker."""
    main = setup.config.main
    if privilege.is_root():
        privilege.become(main.exim_user, main.exim_group)
    os.chdir(main.spool_directory)
    services = setup.worker_services(agent)
    from eximious.daemon import worker

    worker.main(lambda: worker.Worker(services, connection, connections, setup.serve_local), sockets, local)


def preload(config: Configuration) -> None:
    """Import what workers need, so that they share it, and a new one starts at once."""
    import gc
    import importlib

    for name in (*PRELOADED, *_for_checks(config)):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is there now stays: looking through it again and again would only copy its pages


def _for_checks(config: Configuration) -> list[str]:
    """Modules without which the first message that is checked would keep all others waiting while they are read."""
    checks = ahead.wanted(config)
    if not checks and config.main.acl_smtp_dkim is None:
        return []
    return [*PRELOADED_FOR_CHECKS, *(name for check in sorted(checks) for name in PRELOADED_CHECKS[check])]


def close_all(supervisor: Supervisor, but: list[socket.socket] | None = None) -> None:
    """In a new process: close what belongs to the supervisor alone."""
    supervisor.close_private()
    if but is None and supervisor.submission is not None:
        supervisor.submission.close()
    keep = but or []
    for sock in supervisor.sockets.values():
        if sock not in keep:
            sock.close()
    for other in supervisor.workers.values():
        other.link.close()


def fork(live: Callable[[], None]) -> int:
    """Fork; the child lives its life and ends. Gives the child's process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _live(live)
    return pid


def _live(live: Callable[[], None]) -> NoReturn:
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        live()
        status = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(status)
