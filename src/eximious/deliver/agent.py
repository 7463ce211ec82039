"""The local agent: the one process of the daemon that can become other users, and does nothing else.

Each worker has a socket to it and asks for job servers (`eximious.deliver.local`): a request names a user, the answer
hands over the socket of a job server that has become that user. The agent parses no mail and reads no configuration; it
is told which users are never to be used.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import socket
from typing import Any, Final

from eximious import waiting
from eximious.deliver.channel import Channel, received_descriptor, rights
from eximious.deliver.local import LocalJobs, NotPermitted, fork_server, refuse_never_users
from eximious.transports.job import Identity, JobLost

REQUEST_LIMIT: Final = 65536  # octets of a request: a user with thousands of groups fits


class AgentJobs(LocalJobs):
    """For workers of the daemon: job servers come from the agent at the other end of the socket.

    The socket is of type SOCK_SEQPACKET. Requests are short and answered at once, so they are made one after another.
    """

    def __init__(self, agent: socket.socket) -> None:
        super().__init__()
        self._agent = agent

    def open_server(self, identity: Identity) -> Channel:
        """Ask the agent for one."""
        request = json.dumps((identity.uid, identity.gid, identity.groups)).encode("ascii")
        self._agent.setblocking(True)
        self._agent.send(request)
        answer, ancillary, _, _ = self._agent.recvmsg(REQUEST_LIMIT, socket.CMSG_SPACE(4))
        descriptor = received_descriptor(ancillary)
        if descriptor is None:
            if not answer:
                raise JobLost("the local agent has gone")
            raise NotPermitted(answer.decode("latin-1"))
        return Channel(socket.socket(fileno=descriptor))

    def _may_do_it_here(self, identity: Identity) -> bool:
        return not waiting.on_loop() and super()._may_do_it_here(identity)


class Agent:
    """The agent itself: `run` returns when all workers have closed their sockets."""

    def __init__(self, workers: list[socket.socket], never: frozenset[int]) -> None:
        self._poll = select.poll()
        self._workers: dict[int, socket.socket] = {}
        self.never = never | {0}
        for worker in workers:
            self.add_worker(worker)

    def add_worker(self, worker: socket.socket) -> None:
        """Serve one more worker: our end of a SOCK_SEQPACKET pair."""
        self._workers[worker.fileno()] = worker
        self._poll.register(worker.fileno(), select.POLLIN)

    def run(self) -> None:
        """Answer requests until no worker is left."""
        preload()
        while self._workers:
            for descriptor, _ in self._poll.poll(5000):
                self.answer(descriptor)
            reap()

    def answer(self, descriptor: int) -> None:
        """Answer one request of the worker with this descriptor, or forget a worker that has gone."""
        worker = self._workers[descriptor]
        try:
            request = worker.recv(REQUEST_LIMIT)
        except OSError:
            request = b""
        if not request:
            self._poll.unregister(descriptor)
            del self._workers[descriptor]
            worker.close()
            return
        try:
            ours, theirs = socket.socketpair()
            with ours:
                identity = decode_identity(request)
                refuse_never_users(identity, self.never)
                _refuse_others(identity)
                fork_server(identity, theirs)
                worker.sendmsg([b"+"], rights(ours.fileno()))
        except (NotPermitted, ValueError) as error:
            theirs.close()
            _say(worker, str(error))
        except OSError as error:
            _say(
                worker,
                f"cannot start a local delivery process: {error.strerror or errno.errorcode.get(error.errno or 0)}",
            )


def _refuse_others(identity: Identity) -> None:
    """Without root, only what is to be done as the user that we are already. Raises NotPermitted."""
    if os.geteuid() != 0 and (identity.uid, identity.gid) != (os.geteuid(), os.getegid()):
        raise NotPermitted(
            f"unable to set gid={identity.gid} or uid={identity.uid} (euid={os.geteuid()}): local delivery"
        )


def _say(worker: socket.socket, text: str) -> None:
    with contextlib.suppress(OSError):
        worker.send(text.encode("latin-1", "replace"))


def decode_identity(request: bytes) -> Identity:
    """The user that a request names. Raises ValueError for anything that is not three lawful ids."""
    try:
        record: Any = json.loads(request)
        uid, gid, groups = record
        numbers = [uid, gid, *groups]
    except (ValueError, TypeError):
        raise ValueError("unintelligible request for a local delivery process") from None
    if any(type(number) is not int or not 0 <= number < 0xFFFFFFFF for number in numbers):
        raise ValueError("unintelligible request for a local delivery process")
    return Identity(uid, gid, tuple(groups))


def preload() -> None:
    """Import what job servers need, so that they have it without reading a file."""
    import importlib

    from eximious.transports.job import KINDS

    importlib.import_module("eximious.transports.jobs.perform")
    for kind in KINDS:
        importlib.import_module(f"eximious.transports.jobs.{kind}")


def reap() -> None:
    """Forget job servers that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
