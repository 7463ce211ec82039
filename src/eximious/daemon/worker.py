"""A worker: one process with an event loop that serves SMTP connections, delivers, and runs the queue.

It has the rights of the mail user only; whatever must be done as somebody else is asked of the local agent.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from eximious import waiting
from eximious.context import Context
from eximious.daemon import limits
from eximious.daemon.backlog import log_backlog
from eximious.daemon.deliveries import WorkerDeliveries
from eximious.errors import ExpandError
from eximious.net.loop import LoopStream

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.daemon.connections import OwnConnections
    from eximious.daemon.link import Link
    from eximious.daemon.setup import ServeLocal
    from eximious.services import Services

GRACE: Final = 8.0  # seconds that sessions and deliveries get to end when the daemon stops
LOCAL_LIMIT: Final = 100  # local users' connections that one worker serves at a time
LAST_WORDS: Final = 1.0  # seconds for clients to read why they are turned away


class Worker:
    """The state of a worker process."""

    def __init__(self, services: Services, link: Link, connections: OwnConnections, serve_local: ServeLocal) -> None:
        self.services = services
        self.serve_local = serve_local
        self.config: Configuration = services.config
        self.link = link
        self.connections = connections
        self.deliveries: WorkerDeliveries | None = None
        self.tasks: dict[asyncio.Task[None], str] = {}  # sessions, and whom they serve
        self.local_count = 0  # sessions with local users
        self._servers: list[asyncio.Server] = []
        self._listening: list[socket.socket] = []
        self._is_over: asyncio.Event = asyncio.Event()
        self._is_draining = False

    async def run(self, listening: list[socket.socket], local: socket.socket | None) -> None:
        """Work until the supervisor says that it is over. Local users connect to `local`."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._unhandled)
        loop.add_reader(self.link.fileno(), self._hear)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, lambda: None)  # the supervisor tells us what to do
        loop.add_signal_handler(signal.SIGUSR1, self._report)
        self.services.spool.open_journal(loop, self.services.logs.panic)
        self.deliveries = WorkerDeliveries(self.services)
        self.services.deliveries = None if self.services.delivery == "q" else self.deliveries
        self._listening = listening
        for sock in listening:
            server = await loop.create_server(self._protocol, sock=sock)
            self._servers.append(server)
        if local is not None:
            self._servers.append(await loop.create_unix_server(self._local_protocol, sock=local))
        if self.config.main.python_startup:
            await waiting.run(self._start_python)
        self.link.say("ready")
        await self._is_over.wait()
        await self._finish()

    def _start_python(self) -> None:
        """Have the modules for ``${python`` imported before the first call."""
        try:
            self.services.python.start()
        except ExpandError as error:
            self.services.logs.panic(f"python_startup: {error}")

    # Connections.

    def _protocol(self) -> asyncio.BaseProtocol:
        stream: Any = LoopStream(self._welcome)  # has a protocol's methods, but not its base
        return cast(asyncio.BaseProtocol, stream)

    def _local_protocol(self) -> asyncio.BaseProtocol:
        stream: Any = LoopStream(self._welcome_local)
        return cast(asyncio.BaseProtocol, stream)

    def _welcome_local(self, stream: LoopStream) -> None:
        """A user of this machine has connected."""
        if self._is_draining or self.local_count >= LOCAL_LIMIT:
            stream.close()
            return
        self.local_count += 1
        task = asyncio.get_running_loop().create_task(waiting.run(self.serve_local, stream, self.services))
        self.tasks[task] = "a local user"
        task.add_done_callback(self._served_local)

    def _served_local(self, task: asyncio.Task[None]) -> None:
        self.local_count -= 1
        self._served(task)

    def _welcome(self, stream: LoopStream) -> None:
        """A client has connected."""
        if self._is_draining:
            stream.close()
            return
        if self.config.main.smtp_backlog_monitor > 0:
            log_backlog(self._listening, self.config.main.smtp_backlog_monitor, self.services.logs)
        task = asyncio.get_running_loop().create_task(waiting.run(self._serve, stream))
        self.tasks[task] = f"[{stream.peer.address}]"
        task.add_done_callback(self._served)

    def _serve(self, stream: LoopStream) -> None:
        """The whole of one connection; runs in a greenlet of its own."""
        slot = self.connections.enter(stream.peer.address)
        try:
            self._converse(stream, is_full=slot is None)
        finally:
            if slot is not None:
                self.connections.leave(slot)

    def _converse(self, stream: LoopStream, *, is_full: bool) -> None:
        from eximious.receive.session import Session

        context = Context(self.config, self.services)
        client = context.client
        client.host_address, client.host_port = stream.peer.address, stream.peer.port
        client.interface_address, client.interface_port = stream.local.address, stream.local.port
        self._set_options(stream)
        table = self.connections.table
        try:
            if is_full:
                raise limits.TooMany(
                    limits.MANY, f"Connection from [{client.host_address}] refused: too many connections"
                )
            limits.check(context, table)
        except limits.TooMany as refusal:
            self._turn_away(stream, refusal)
            return
        context.facts["connection_count"] = table.total()
        try:
            Session(stream, context).run()
        except Exception:  # a bug ends this connection, not the others
            self._note_bug(f"SMTP connection from [{client.host_address}]")
            self._say_421(stream, "Temporary local problem - please try later")

    def _set_options(self, stream: LoopStream) -> None:
        main = self.config.main
        connected = stream.socket
        if connected is None or not stream.peer.port:
            return
        with contextlib.suppress(OSError):
            if main.smtp_accept_keepalive:
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(main.tcp_nodelay))

    def _turn_away(self, stream: LoopStream, refusal: limits.TooMany) -> None:
        self.services.logs.main(refusal.log)
        self._say_421(stream, str(refusal))

    def _say_421(self, stream: LoopStream, text: str) -> None:
        """Last words to a client."""
        stream.timeout = LAST_WORDS
        with contextlib.suppress(OSError):
            stream.write(f"421 {text}\r\n".encode("latin-1"))
            stream.flush()
        stream.close()

    def _served(self, task: asyncio.Task[None]) -> None:
        self.tasks.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            self._note(task.exception())
        self._end_if_idle()

    # The supervisor's wishes.

    def _hear(self) -> None:
        messages = self.link.hear()
        if messages is None:  # the supervisor has died: nothing holds us together any more
            self._begin_end()
            return
        for message in messages:
            getattr(self, f"_obey_{message['word']}")(message)

    def _obey_drain(self, message: dict[str, Any]) -> None:
        """Take no more connections; end when there is nothing left to do."""
        self._is_draining = True
        self._stop_listening()
        self._end_if_idle()

    def _obey_stop(self, message: dict[str, Any]) -> None:
        self._begin_end()

    def _obey_run(self, message: dict[str, Any]) -> None:
        assert self.deliveries is not None
        self.deliveries.run_queue(message["run"], lambda: self.link.say("ran", run=message["run"]))

    def _obey_send_reports(self, message: dict[str, Any]) -> None:
        assert self.deliveries is not None
        self.deliveries.send_reports()

    def _obey_spill(self, message: dict[str, Any]) -> None:
        assert self.deliveries is not None
        self.deliveries.spill(lambda: self.link.say("spilled"))

    def _obey_report(self, message: dict[str, Any]) -> None:
        self._report()

    def _report(self) -> None:
        from eximious.daemon.process_log import report

        assert self.deliveries is not None
        counts = f"{len(self.tasks)} connections, {self.deliveries.active} deliveries"
        sessions = [f"handling incoming connection from {who}" for who in self.tasks.values()]
        report(self.config, f"worker: {counts}", *sessions)

    # The end.

    def _stop_listening(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
        self._listening = []

    def _begin_end(self) -> None:
        self._is_draining = True
        self._stop_listening()
        self._is_over.set()

    def _end_if_idle(self) -> None:
        if self._is_draining and not self.tasks and (self.deliveries is None or not self.deliveries.active):
            self._is_over.set()

    async def _finish(self) -> None:
        """Let what is going on come to its end, for some seconds; then put what is unfinished where it is found."""
        assert self.deliveries is not None
        waiting_for = [*self.tasks, *self.deliveries.tasks]
        if waiting_for:
            await asyncio.wait(waiting_for, timeout=GRACE)
        for task in [*self.tasks, *self.deliveries.tasks]:
            task.cancel()
        remaining = [*self.tasks, *self.deliveries.tasks]
        if remaining:
            await asyncio.wait(remaining, timeout=LAST_WORDS)
        await waiting.run(self.deliveries.close)
        self.services.logs.close()

    # Bugs.

    def _note_bug(self, where: str) -> None:
        """Log the traceback of the exception being handled."""
        self.services.logs.panic(f"{where}: {traceback.format_exc().rstrip()}".replace("\n", "\n "))

    def _note(self, error: BaseException | None) -> None:
        text = "".join(traceback.format_exception(error)).rstrip()
        self.services.logs.panic(text.replace("\n", "\n "))

    def _unhandled(self, loop: asyncio.AbstractEventLoop, facts: dict[str, Any]) -> None:
        error = facts.get("exception")
        if isinstance(error, ConnectionError):
            return  # a peer that has gone while nobody was listening to it
        if error is not None:
            self._note(error)
        else:
            self.services.logs.panic(str(facts.get("message", "event loop")))


def main(make: Callable[[], Worker], listening: list[socket.socket], local: socket.socket | None) -> None:
    """The life of the process; `make` is called on the running loop."""
    import uvloop

    async def live() -> None:
        await make().run(listening, local)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(live())
