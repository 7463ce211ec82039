"""Delivering what a one-shot process has received (``-bs``, ``-t``, a message on standard input).

Reception must not run as root, delivery often must. So a process that has root makes a child before it gives root up:
the deliverer, which knows the configuration already, reads message ids from a pipe, and delivers those messages. What
comes over the pipe can do no more than ``exim -Mc`` can. See docs/decisions/0020-deliverer.md.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Final, NoReturn

from eximious.daemon import privilege
from eximious.spool.message_id import is_message_id

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation

NO_REMOTE: Final = "no_remote"
DONE: Final = b"."
REQUEST_LIMIT: Final = 4096  # octets of one request; an id, a queue's name, a word


class ForkedDeliveries:
    """Each delivery is a process of its own, with the rights of this one; with `wait`, one after another."""

    def __init__(self, call: Invocation, *, wait: bool) -> None:
        self._call = call
        self._wait = wait
        self.has_failed = False  # with mua_wrapper: a message was not delivered

    def start(self, message_id: str, queue_name: str = "", *, no_remote: bool = False) -> None:
        """Begin to deliver the message; with `wait`, this returns when the attempt is over."""
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._deliver(message_id, queue_name, no_remote)
        if self._wait:
            _, status = os.waitpid(pid, 0)
            self.has_failed = self.has_failed or status != 0

    def _deliver(self, message_id: str, queue_name: str, no_remote: bool) -> NoReturn:
        """The life of the delivery process."""
        status = 1
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            if not self._wait:
                detach()
            from eximious.exim.deliver_messages import deliver_received

            is_good = deliver_received(self._call, message_id, queue_name, no_remote=no_remote)
            status = 0 if is_good else 1
        finally:
            leave(status)


class Deliverer:
    """The privileged child, as the process that receives messages sees it."""

    def __init__(self, requests: int, answers: int, *, wait: bool) -> None:
        self._requests = requests
        self._answers = answers
        self._wait = wait

    def start(self, message_id: str, queue_name: str = "", *, no_remote: bool = False) -> None:
        """Ask the child to deliver the message; with `wait`, until it has tried."""
        request = "\t".join((message_id, queue_name, NO_REMOTE if no_remote else "")) + "\n"
        os.write(self._requests, request.encode("latin-1"))
        if self._wait:
            os.read(self._answers, 1)

    def close(self) -> None:
        """There is nothing more to deliver."""
        os.close(self._requests)
        os.close(self._answers)


def arrange(call: Invocation) -> None:
    """Give the services of a receiving process somebody who delivers, then give up root.

    Must come before anything is read from whoever sends the message.
    """
    services, main = call.services, call.config.main
    services.delivery = call.line.delivery
    services.queue_smtp = call.line.queue_smtp
    wait = call.line.delivery == "i" or bool(call.line.debug or call.line.verbose) or main.mua_wrapper
    if call.line.delivery == "q" and not main.mua_wrapper:
        services.deliveries = None
    elif privilege.is_root() and not (main.deliver_drop_privilege or main.mua_wrapper):
        services.deliveries = start_deliverer(call, wait=wait)
    else:
        services.deliveries = ForkedDeliveries(call, wait=wait)
    if privilege.is_root():
        privilege.become(main.exim_user, main.exim_group)


def start_deliverer(call: Invocation, *, wait: bool) -> Deliverer:
    """Fork the deliverer, which keeps the rights that this process has now."""
    requests, ours = os.pipe()
    answers, theirs = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork() == 0:
        os.close(ours)
        os.close(answers)
        _serve(call, requests, theirs, wait=wait)
    os.close(requests)
    os.close(theirs)
    return Deliverer(ours, answers, wait=wait)


def _serve(call: Invocation, requests: int, answers: int, *, wait: bool) -> NoReturn:
    """The life of the deliverer: it ends with the process that receives."""
    status = 1
    try:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        if not wait:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # deliveries go on when we have ended
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        deliveries = ForkedDeliveries(call, wait=wait)
        with open(requests, "rb") as lines:
            for line in iter(lambda: lines.readline(REQUEST_LIMIT), b""):
                obey(deliveries, line)
                if wait:
                    os.write(answers, DONE)
        status = 0
    except BrokenPipeError:
        status = 0
    finally:
        leave(status)


def obey(deliveries: ForkedDeliveries, line: bytes) -> None:
    """Start the delivery that one request names; whatever is not an id and the name of a queue is ignored."""
    words = line.decode("latin-1").rstrip("\n").split("\t")
    if len(words) == 3 and is_message_id(words[0]) and "/" not in words[1]:
        deliveries.start(words[0], words[1], no_remote=words[2] == NO_REMOTE)


def note_bug(call: Invocation, message_id: str) -> None:
    """Log the traceback of the exception being handled."""
    import traceback

    call.services.logs.panic(traceback.format_exc().rstrip().replace("\n", "\n "), message_id)


def detach() -> None:
    """Let go of the terminal and of whoever waits for our output."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    os.close(null)
    os.setsid()


def leave(status: int) -> NoReturn:
    """End a forked process at once, without unwinding what belongs to the process it was forked from."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = status or 1
    os._exit(status)
