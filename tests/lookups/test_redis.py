"""redis, asked of a small server that says what the test wants, and of a real one where there is one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from eximious.context import Context
from eximious.lookups.redis import _slot
from tests.expand.context import answer, make_context

Contexts = Callable[[str], Context]


class Server:
    """Answers commands from a table; remembers them."""

    def __init__(self, replies: dict[str, bytes]) -> None:
        self.replies = replies
        self.commands: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                while line := lines.readline():
                    words = []
                    for _ in range(int(line[1:])):
                        length = int(lines.readline()[1:])
                        words.append(lines.read(length + 2)[:-2].decode("latin-1"))
                    command = " ".join(words)
                    self.commands.append(command)
                    reply = self.replies.get(command, b"-ERR unknown\r\n")
                    if not reply:
                        break
                    connection.sendall(reply)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(
        {
            "AUTH secret": b"+OK\r\n",
            "AUTH wrong": b"-WRONGPASS no\r\n",
            "SELECT 3": b"+OK\r\n",
            "get text": b"$5\r\na b\xe9c\r\n",
            "get nothing": b"$-1\r\n",
            "get number": b":42\r\n",
            "get zero": b":0\r\n",
            "get array": b"*3\r\n$1\r\na\r\n:5\r\n*2\r\n$1\r\nx\r\n$1\r\ny\r\n",
            "get nested": b"*2\r\n*2\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n",
            "get nested deeper": b"*1\r\n*2\r\n$1\r\nx\r\n*1\r\n$1\r\ny\r\n",
            "get nothing much": b"*0\r\n",
            "get nothing first": b"*2\r\n$-1\r\n$1\r\na\r\n",
            "get nothing last": b"*2\r\n$1\r\na\r\n$-1\r\n",
            "set key two words": b"+OK\r\n",
            "get deep": b"*1\r\n" * 20 + b":1\r\n",
            "get huge": b"$99999999999\r\n",
            "get odd": b"?\r\n",
            "get closed": b"",
        }
    )
    yield running
    running.close()


@pytest.fixture
def context_for() -> Iterator[Callable[[str], Context]]:
    """Makes contexts, whose connections are closed at the end."""
    made: list[Context] = []

    def make(config: str) -> Context:
        made.append(make_context(config))
        return made[-1]

    yield make
    for context in made:
        context.services.lookups.close()


def ask(server: Server, query: str, options: str = "", suffix: str = "//") -> str:
    context = make_context(f"redis_servers = 127.0.0.1::{server.port}{suffix}\n")
    try:
        return answer(f"${{lookup redis{options}{{{query}}}{{$value}}{{none}}}}", context)
    finally:
        context.services.lookups.close()


REPLIES = [
    ("get text", "", "a b\xe9c"),
    ("get nothing", "", ""),
    ("get number", "", "true"),
    ("get zero", "", "false"),
    ("get number", ",ret=number", "42"),
    ("get array", "", "a\n5\n\nx\ny"),
    ("get nested", "", "x\ny\nz"),
    ("get nested deeper", "", "x\n"),
    ("get nothing much", "", "none"),
    ("get nothing first", "", "a"),
    ("get nothing last", "", "a\n"),
    ("set key two\\\\ words", "", "OK"),
    ("nonsense", "", 'Failed: lookup of "nonsense" gave DEFER: "REDIS: query failed: ERR unknown"'),
    ("get deep", "", 'Failed: lookup of "get deep" gave DEFER: "REDIS: query failed: the reply is nested too deeply"'),
    ("get huge", "", 'Failed: lookup of "get huge" gave DEFER: "REDIS: query failed: the reply is too long"'),
]


@pytest.mark.parametrize(("query", "options", "expected"), REPLIES)
def test_reply(server: Server, query: str, options: str, expected: str) -> None:
    assert ask(server, query, options) == expected


def test_password_and_database(server: Server) -> None:
    assert ask(server, "get text", suffix="/3/secret") == "a b\xe9c"
    assert server.commands == ["AUTH secret", "SELECT 3", "get text"]


def test_a_wrong_password_is_noticed(server: Server) -> None:
    assert "authentication failed: WRONGPASS no" in ask(server, "get text", suffix="//wrong")


def test_a_connection_is_used_again(server: Server, context_for: Contexts) -> None:
    context = context_for(f"redis_servers = 127.0.0.1::{server.port}/3/\n")
    for query in ("get text", "get number", "get zero"):
        answer(f"${{lookup redis{{{query}}}}}", context)
    assert server.commands == ["SELECT 3", "get text", "get number", "get zero"]


def test_a_closed_connection_is_made_again(server: Server, context_for: Contexts) -> None:
    context = context_for(f"redis_servers = 127.0.0.1::{server.port}//\n")
    assert answer("${lookup redis{get text}}", context) == "a b\xe9c"
    assert "DEFER" in answer("${lookup redis{get closed}}", context)
    assert answer("${lookup redis{get number}}", context) == "true"


def test_the_next_server_is_asked(server: Server, context_for: Contexts) -> None:
    config = f"redis_servers = 127.0.0.1::1// : 127.0.0.1::{server.port}//\n"
    assert answer("${lookup redis{get number}}", context_for(config)) == "true"


def test_servers_of_a_query(server: Server, context_for: Contexts) -> None:
    query = f"${{lookup redis,servers=127.0.0.1::{server.port}/3/{{get number}}}}"
    assert answer(query, context_for("")) == "true"
    assert "no REDIS servers defined (redis_servers option)" in answer("${lookup redis{get number}}")


def test_another_member_of_a_cluster_is_asked(server: Server) -> None:
    other = Server({"get far": b"$2\r\nok\r\n", "ASKING": b"+OK\r\n", "get moving": b"$3\r\nnew\r\n"})
    server.replies["get far"] = b"-MOVED 3999 127.0.0.1:%d\r\n" % other.port
    server.replies["get moving"] = b"-ASK 3999 127.0.0.1:%d\r\n" % other.port
    try:
        assert ask(server, "get far") == "ok"
        assert ask(server, "get moving") == "new"
        assert other.commands == ["get far", "ASKING", "get moving"]
    finally:
        other.close()


def test_who_has_a_key_is_remembered(server: Server, context_for: Contexts) -> None:
    other = Server({"get far": b"$2\r\nok\r\n", "get {far}x": b"$3\r\nyes\r\n"})
    server.replies["get far"] = b"-MOVED 3999 127.0.0.1:%d\r\n" % other.port
    context = context_for(f"redis_servers = 127.0.0.1::{server.port}//\n")
    try:
        assert answer("${lookup redis{get far}}", context) == "ok"
        assert answer("${lookup redis,cache=no_rd{get far}}", context) == "ok"
        assert answer("${lookup redis{get \\{far\\}x}}", context) == "yes"
        assert server.commands == ["get far"]
    finally:
        other.replies["get far"] = b""  # closes the connection
        other.close()
    server.replies["get far"] = b"$4\r\nback\r\n"
    assert answer("${lookup redis,cache=no_rd{get far}}", context) == "back"


SLOTS = [(b"foo", 12182), (b"{foo}bar", 12182), (b"foo{}{bar}", 8363), (b"123456789", 12739)]


@pytest.mark.parametrize(("key", "expected"), SLOTS)
def test_slots(key: bytes, expected: int) -> None:
    assert _slot(key) == expected


QUOTED = [("a b\\\\c\\t", "a\\ b\\\\c\\\t"), ("", ""), ("plain", "plain")]


@pytest.mark.parametrize(("text", "expected"), QUOTED)
def test_quoting(text: str, expected: str) -> None:
    assert answer(f"${{quote_redis:{text}}}") == expected
