"""Local deliveries: having a job done by a process that is the user it is for.

`context.services.local.run(job)` is the whole interface. Behind it is a job server: a process that has become the user
(for good: all ids are set and checked) and does one job after another, as they come over a socket, until nobody has
wanted anything for some seconds. A one-shot process forks its job servers itself (`ForkedJobs`); the workers of the
daemon, which cannot become anybody, get theirs from the local agent (`eximious.deliver.agent`). A process that is the
user already, and may wait, does the job itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from typing import Final, NoReturn

from eximious import waiting
from eximious.deliver.channel import Channel, receive_frame, send_frame
from eximious.errors import EximiousError
from eximious.transports.job import Ended, Identity, Job, JobLost, own_identity
from eximious.transports.outcome import DEFERRED, NO_USER

IDLE_LIMIT: Final = 10.0  # seconds a job server waits for the next job before it ends
KEPT: Final = 64  # idle job servers that a process keeps, of all users together


class NotPermitted(EximiousError):
    """This process cannot, or must not, act as that user."""


class LocalJobs:
    """Runs jobs as other users; base of those that know where a job server comes from."""

    def __init__(self) -> None:
        self._idle: dict[tuple[int, int, tuple[int, ...]], list[Channel]] = {}
        self._kept = 0

    def open_server(self, identity: Identity) -> Channel:
        """A new job server for that user. Raises NotPermitted or OSError."""
        raise NotImplementedError

    def run(self, job: Job) -> Ended:
        """Have the job done and tell how it ended. Never raises for what goes wrong with the job or its user."""
        identity = job.identity
        try:
            if self._may_do_it_here(identity):
                return perform_here(job)
            return self._run_elsewhere(job)
        except NotPermitted as error:
            return Ended(DEFERRED, str(error), NO_USER)
        except JobLost as error:
            return Ended(DEFERRED, str(error))
        except OSError as error:
            return Ended(DEFERRED, "local delivery process failed", error.errno or 0)

    def can_become(self, uid: int, gid: int) -> bool:
        """False if nothing can ever be done as that user here, since there is no root to change users."""
        return True

    def _may_do_it_here(self, identity: Identity) -> bool:
        return False

    def _run_elsewhere(self, job: Job) -> Ended:
        channel = self._take(job.identity)
        try:
            ended = channel.ask(job)
        except BaseException:
            channel.close()
            raise
        self._give_back(job.identity, channel)
        return ended

    def _take(self, identity: Identity) -> Channel:
        idle = self._idle.get(identity.key)
        while idle:
            self._kept -= 1
            channel = idle.pop()
            if channel.is_alive():
                return channel
            channel.close()
        return self.open_server(identity)

    def _give_back(self, identity: Identity, channel: Channel) -> None:
        if self._kept >= KEPT:
            self._drop_one()
        self._idle.setdefault(identity.key, []).append(channel)
        self._kept += 1

    def _drop_one(self) -> None:
        key, idle = next(iter(self._idle.items()))
        if idle:
            idle.pop(0).close()
            self._kept -= 1
        if not idle:
            del self._idle[key]

    def close(self) -> None:
        """End the idle job servers."""
        for idle in self._idle.values():
            for channel in idle:
                channel.close()
        self._idle.clear()
        self._kept = 0


class ForkedJobs(LocalJobs):
    """For one-shot processes: does the job here if it may, else forks a job server."""

    def __init__(self, never: frozenset[int] = frozenset((0,))) -> None:
        super().__init__()
        self.never = never  # users as whom nothing is ever done
        self._own = own_identity()

    def _may_do_it_here(self, identity: Identity) -> bool:
        if waiting.on_loop() or os.geteuid() == 0:
            return False
        # Without root, supplementary groups are what they are.
        return (identity.uid, identity.gid) == (self._own.uid, self._own.gid)

    def can_become(self, uid: int, gid: int) -> bool:
        return os.geteuid() == 0 or (uid == os.geteuid() and gid == os.getegid())

    def open_server(self, identity: Identity) -> Channel:
        """Fork one."""
        if os.geteuid() == 0:
            refuse_never_users(identity, self.never)
        elif not self.can_become(identity.uid, identity.gid):
            raise NotPermitted(
                f"unable to set gid={identity.gid} or uid={identity.uid} (euid={os.geteuid()}): local delivery"
            )
        ours, theirs = socket.socketpair()
        return Channel(ours, fork_server(identity, theirs))


def refuse_never_users(identity: Identity, never: frozenset[int]) -> None:
    """Raises NotPermitted for users as whom nothing is done."""
    if identity.uid in never:
        raise NotPermitted(f"local delivery: uid {identity.uid} is on the never_users list")


def perform_here(job: Job) -> Ended:
    """Do the job in this process, which is the right user, and come back to where it was."""
    from eximious.transports.jobs.perform import perform

    before = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    umask = os.umask(0o022)
    try:
        return perform(job)
    finally:
        os.umask(umask)
        os.fchdir(before)
        os.close(before)


def fork_server(identity: Identity, channel: socket.socket) -> int:
    """Fork a job server that speaks over `channel`; its process id. The caller's copy of the channel is closed."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _serve_for_ever(identity, channel)
    channel.close()
    return pid


def _serve_for_ever(identity: Identity, channel: socket.socket) -> NoReturn:
    """The life of a job server. It never returns into the program that it was forked from."""
    status = 1
    try:
        _leave_everything_behind(channel.fileno())
        become(identity)
        serve(channel, identity)
        status = 0
    finally:
        os._exit(status)


def _leave_everything_behind(keep: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    os.closerange(3, keep)
    os.closerange(keep + 1, 65536)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.set_wakeup_fd(-1)
    os.environ.clear()


def become(identity: Identity) -> None:
    """Turn this process into the user's, with no way back. Raises OSError, or RuntimeError if the system lied.

    CVE-2011-0017: that the calls succeeded is checked, and so is what they did.
    """
    uid, gid = identity.uid, identity.gid
    if os.geteuid() == 0:
        os.setgroups(identity.groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid):
        raise RuntimeError(f"could not become {identity}: {os.getresuid()} {os.getresgid()}")


def serve(channel: socket.socket, identity: Identity, idle_limit: float = IDLE_LIMIT) -> None:
    """Do jobs as they come over the channel, until it is closed or nothing has come for a while."""
    from eximious.transports.jobs.perform import perform

    channel.settimeout(idle_limit)
    while True:
        try:
            frame, descriptor = receive_frame(channel)
        except (EOFError, OSError):
            return
        channel.settimeout(None)
        ended = perform(Job.decode(frame, descriptor, identity))
        if descriptor is not None:
            os.close(descriptor)
        send_frame(channel, ended.encode(), ended.descriptor)
        if ended.descriptor is not None:
            os.close(ended.descriptor)
        _reap()
        channel.settimeout(idle_limit)


def _reap() -> None:
    """Forget commands that have ended since they were started for a dialogue."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
