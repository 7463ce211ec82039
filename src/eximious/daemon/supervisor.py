"""The supervisor: starts workers and the local agent, watches over them, and says when queues are run.

It keeps the rights that it was started with, so that it can bind ports and start other processes again; it parses no
mail, and reads nothing that comes from outside but the configuration.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from eximious import EXIM_VERSION
from eximious.daemon import listening, pid_file, processes, submission, tls_warnings
from eximious.daemon.connections import ConnectionTable
from eximious.daemon.control_server import ControlServer
from eximious.daemon.process_log import report
from eximious.daemon.schedule import Periodic, Schedule
from eximious.errors import EximiousError

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.daemon.setup import Setup

STOP_GRACE: Final = 10.0  # seconds that workers get to end before they are killed
GENERATIONS: Final = 4  # of workers that live at the same time, when the configuration is read again and again
REPORTS_EVERY: Final = 600.0  # seconds between two looks for reports about DMARC that are to be sent
RESTART_DELAY: Final = 1.0  # seconds between two starts of a worker that keeps dying
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1)


class Supervisor:
    """The daemon's first process."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.config: Configuration = setup.config
        self.sockets: dict[tuple[str, int], socket.socket] = {}
        self.interfaces: list[listening.Interface] = []
        self.workers: dict[int, processes.WorkerProcess] = {}  # by process id; old generations too
        self.agent: processes.AgentProcess | None = None
        self.table = ConnectionTable(setup.worker_count * GENERATIONS)
        self.schedule = Schedule(setup.line, setup.queue_run_max, time.monotonic())
        self.reports = self._report_schedule()
        self.generation = 0
        self.control: ControlServer | None = None
        self.submission: socket.socket | None = None  # where local users hand in messages
        self.pid_path = ""
        self._poll = select.poll()
        self._wakeup, self._signals = socket.socketpair()
        self._received: set[int] = set()
        self._stopping_since: float | None = None
        self._restart_at: dict[int, float] = {}  # worker number -> when to start it again
        self._started_at = time.monotonic()

    # Starting.

    def start(self) -> None:
        """Start all processes. Raises OSError."""
        self._catch_signals()
        if self._is_main_daemon() and self.config.main.notifier_socket:
            self.control = ControlServer(self.config, self._poll, self._spill, self.status)
        if not self.setup.line.asks("bw"):
            self.submission = submission.listen(self.config.main, self.setup.line, self._log)
        self._start_processes()

    def _is_main_daemon(self) -> bool:
        """True for the daemon of this spool; others, on ports of their own, take no commands (-oX without -oP, -oY)."""
        line = self.setup.line
        return not line.no_notifier and (not line.listen_on or bool(line.pid_file)) and not line.asks("bw")

    def _report_schedule(self) -> Periodic:
        """When to send reports about DMARC, which daemons on ports of their own leave to the main one."""
        is_wanted = self._is_main_daemon() and bool(self.config.main.dmarc_aggregate_reports)
        return Periodic(REPORTS_EVERY, time.monotonic(), is_wanted=is_wanted)

    def listen(self) -> None:
        """Open the sockets, or those that a new configuration wants besides. Raises ListeningError."""
        main, line = self.config.main, self.setup.line
        if line.asks("bw"):
            sock = listening.inherited()
            name = sock.getsockname()
            self.interfaces = [listening.Interface(str(name[0]), int(name[1]))]
            self.sockets = {self.interfaces[0].key: sock}
            return
        self.interfaces = (
            listening.interfaces(main, line.listen_on, all_tls=line.tls_on_connect) if line.asks("bd") else []
        )
        opened = listening.open_all(self.interfaces, main, self._log, existing=self.sockets)
        for key, sock in self.sockets.items():
            if key not in opened:
                sock.close()
        self.sockets = opened
        self.interfaces = [interface for interface in self.interfaces if interface.key in opened]
        main.tls_on_connect_ports = sorted(
            {*main.tls_on_connect_ports, *(each.port for each in self.interfaces if each.tls_on_connect)}
        )

    def _catch_signals(self) -> None:
        self._wakeup.setblocking(False)
        self._signals.setblocking(False)
        signal.set_wakeup_fd(self._signals.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, lambda number, frame: None)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        self._poll.register(self._wakeup.fileno(), select.POLLIN)

    def _start_processes(self) -> None:
        self.agent = processes.start_agent(self)
        processes.preload(self.setup.config)
        for number in range(self.setup.worker_count):
            self._start_worker(number)

    def _start_worker(self, number: int) -> None:
        worker = processes.start_worker(self, number, self._free_part())
        self.workers[worker.pid] = worker
        self._poll.register(worker.link.fileno(), select.POLLIN)

    def _free_part(self) -> int:
        """A part of the connection table that no living worker writes to."""
        used = {worker.part for worker in self.workers.values()}
        part = next((part for part in range(self.table.workers) if part not in used), None)
        if part is None:  # so many generations that the counts must start afresh
            self.table = ConnectionTable(self.setup.worker_count * GENERATIONS)
            return 0
        self.table.clear(part)
        return part

    def announce(self) -> None:
        """Write the log line and the pid file: the daemon is ready."""
        line, main = self.setup.line, self.config.main
        if line.asks("bw"):
            limit = f"terminating after {line.wait_timeout} seconds" if line.wait_timeout else "no timeout"
            what = f"launched with listening socket, {limit}"
        else:
            what = f"{self.schedule.describe()}, {listening.describe(self.interfaces)}"
        tls_warnings.about_certificate(main, self.setup.logs)
        self._log(f"exim {EXIM_VERSION} daemon started: pid={os.getpid()}, {what}")
        tls_warnings.about_dh(main, self.setup.logs)
        self.pid_path = pid_file.path(
            main, line.pid_file, is_listening=line.asks("bd"), is_overridden=bool(line.listen_on)
        )
        if self.pid_path:
            try:
                pid_file.write(self.pid_path)
            except OSError as error:
                self._log(f"Failed to write pid file {self.pid_path}: {error.strerror}")

    # Watching.

    def run(self) -> int:
        """Watch until told to stop; the exit status."""
        while self._stopping_since is None or self.workers:
            self._wait()
            self._obey_signals()
            self._reap()
            self._restart()
            self._begin_queue_runs()
            self._end_stragglers()
            self._end_if_unused()
            if self.control is not None:
                self.control.expire()
        self._clean_up()
        return 0

    def _wait(self) -> None:
        timeout = self._next_event()
        for descriptor, _ in self._poll.poll(None if timeout is None else max(timeout, 0) * 1000):
            if descriptor == self._wakeup.fileno():
                self._received.update(self._wakeup.recv(4096))
            elif self.control is None or not self.control.handle(descriptor):
                self._hear(descriptor)

    def _next_event(self) -> float | None:
        """Seconds until something is to be done although nobody asks for it."""
        now = time.monotonic()
        times = [self.schedule.next_due(), self.reports.next_due(), *self._restart_at.values()]
        if self._stopping_since is not None:
            times = [self._stopping_since + STOP_GRACE]
        if self.setup.line.wait_timeout:
            times.append(self._last_used() + self.setup.line.wait_timeout)
        if self.control is not None:
            times.append(self.control.next_deadline())
        known = [moment - now for moment in times if moment is not None]
        return min(known, default=None)

    def _hear(self, descriptor: int) -> None:
        worker = next((each for each in self.workers.values() if each.link.fileno() == descriptor), None)
        if worker is None:
            return
        messages = worker.link.hear()
        if messages is None:
            self._poll.unregister(descriptor)
            worker.link.close()
            return
        for message in messages:
            if message["word"] == "ran":
                worker.runs -= 1
                self.schedule.over()
            elif message["word"] == "spilled" and self.control is not None:
                self.control.reported(worker.pid)
            elif message["word"] == "ready":
                worker.is_ready = True

    # What is asked for over the control socket.

    def _spill(self) -> set[int]:
        """Have all workers put what they hold in their journals into spool files; gives their process ids."""
        for worker in self.workers.values():
            worker.link.say("spill")
        return set(self.workers)

    def status(self) -> dict[str, Any]:
        """What the daemon is doing, for whoever asks."""
        return {
            "pid": os.getpid(),
            "configuration": self.config.file,
            "connections": self.table.total(),
            "queue_runs": self.schedule.active,
            "workers": [{"pid": each.pid, "retired": each.is_retired} for each in self.workers.values()],
        }

    def _obey_signals(self) -> None:
        received, self._received = self._received, set()
        if received & {signal.SIGTERM, signal.SIGINT}:
            self._stop()
        if signal.SIGHUP in received and self._stopping_since is None:
            self.reload()
        if signal.SIGUSR1 in received:
            self._report()

    def _report(self) -> None:
        report(
            self.config, f"daemon({EXIM_VERSION}): {self.schedule.describe()}, {listening.describe(self.interfaces)}"
        )
        for worker in self.workers.values():
            worker.link.say("report")

    def _reap(self) -> None:
        """Notice processes that have ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.workers:
                self._worker_ended(self.workers.pop(pid), os.waitstatus_to_exitcode(status))
            elif self.agent is not None and pid == self.agent.pid:
                self._agent_ended(os.waitstatus_to_exitcode(status))

    def _worker_ended(self, worker: processes.WorkerProcess, status: int) -> None:
        if self.control is not None:
            self.control.reported(worker.pid)
        self.table.clear(worker.part)
        if worker.link.fileno() >= 0:
            self._poll.unregister(worker.link.fileno())
            worker.link.close()
        for _ in range(worker.runs):
            self.schedule.over()
        if worker.is_retired or self._stopping_since is not None:
            return
        self._log(
            f"daemon worker {worker.pid} ended unexpectedly ({_how(status)}); another takes its place", panic=True
        )
        delay = 0.0 if time.monotonic() - worker.started_at > RESTART_DELAY else RESTART_DELAY
        self._restart_at[worker.number] = time.monotonic() + delay

    def _agent_ended(self, status: int) -> None:
        self.agent = None
        if self._stopping_since is None:
            self._log(f"daemon's local agent ended unexpectedly ({_how(status)})", panic=True)
            self.replace_processes()

    def _restart(self) -> None:
        now = time.monotonic()
        for number in [number for number, moment in self._restart_at.items() if moment <= now]:
            del self._restart_at[number]
            if self._stopping_since is None:
                self.setup.recover()
                self._start_worker(number)

    def _begin_queue_runs(self) -> None:
        if self._stopping_since is not None:
            return
        current = [worker for worker in self.workers.values() if not worker.is_retired]
        if not current:
            return
        for run in self.schedule.take_due(time.monotonic()):
            worker = min(current, key=lambda each: each.runs)
            worker.runs += 1
            worker.link.say("run", run=run)
        if self.reports.take_due(time.monotonic()):
            min(current, key=lambda each: each.runs).link.say("send_reports")

    # Reloading.

    def reload(self) -> None:
        """Read the configuration again; with a faulty one everything stays as it is."""
        self._log(f"pid {os.getpid()}: SIGHUP received: re-exec daemon")
        try:
            config = self.setup.read_again()
            self.config = self.setup.config = config
            self.setup.forget_logs()
            self.listen()
        except EximiousError as error:
            self._log(f"the daemon keeps its old configuration: {error}", panic=True)
            return
        self.schedule = Schedule(self.setup.line, self.setup.queue_run_max, time.monotonic())
        self.reports = self._report_schedule()
        self.replace_processes()
        self.announce()

    def replace_processes(self) -> None:
        """Start new processes; the old ones end when what they are doing is done."""
        self.generation += 1
        for worker in self.workers.values():
            worker.is_retired = True
            worker.link.say("drain")
        old_agent, self.agent = self.agent, None
        self._start_processes()
        if old_agent is not None:
            old_agent.close()

    # Stopping.

    def _stop(self) -> None:
        if self._stopping_since is not None:
            self._kill_workers()
            return
        self._stopping_since = time.monotonic()
        for sock in self.sockets.values():
            sock.close()
        for worker in self.workers.values():
            worker.link.say("stop")

    def _end_stragglers(self) -> None:
        if self._stopping_since is not None and time.monotonic() >= self._stopping_since + STOP_GRACE:
            self._kill_workers()

    def _kill_workers(self) -> None:
        for pid in self.workers:
            os.kill(pid, signal.SIGKILL)

    def _last_used(self) -> float:
        return time.monotonic() if self.table.total() else self._started_at

    def _end_if_unused(self) -> None:
        """``-bw`` with a time: nobody has connected for so long."""
        limit = self.setup.line.wait_timeout
        if self.table.total():
            self._started_at = time.monotonic()
        if limit and self._stopping_since is None and time.monotonic() >= self._started_at + limit:
            self._stop()

    def close_private(self) -> None:
        """In a process that was forked: close what only the supervisor needs."""
        self._wakeup.close()
        self._signals.close()
        if self.control is not None:
            self.control.close(remove=False)

    def _clean_up(self) -> None:
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if self.pid_path:
            pid_file.remove(self.pid_path)
        if self.agent is not None:
            self.agent.close()
        if self.control is not None:
            self.control.close(remove=True)

    def _log(self, text: str, *, panic: bool = False) -> None:
        logs = self.setup.logs
        if panic:
            logs.panic(text)
        else:
            logs.main(text)
        if self.setup.line.debug or self.setup.line.verbose:
            sys.stderr.write(f"LOG: MAIN{' PANIC' if panic else ''}\n  {text}\n")


def _how(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"
