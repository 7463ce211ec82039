"""nmh, asked of a small server over a Unix socket, an abstract one and UDP."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.expand.context import answer, make_context


class Server:
    """Keeps tables of keys. Of a key that begins with "half" it has a part; it does not answer about "silence"."""

    def __init__(self, family: socket.AddressFamily, address: str | tuple[str, int]) -> None:
        self.tables: dict[str, set[str]] = {"default": {"key"}, "other": {"elsewhere"}}
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self.address = self._socket.getsockname()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            octets, client = self._socket.recvfrom(1000)
            if not octets:
                return
            table, _, rest = octets.decode("latin-1").partition("\0")
            reply = self._reply(self.tables.setdefault(table, set()), rest[0], rest[1:])
            if reply:
                self._socket.sendto(reply, client)

    @staticmethod
    def _reply(table: set[str], mode: str, key: str) -> bytes:
        if key in ("silence", "odd"):
            return b"" if key == "silence" else b"?"
        if mode == "+":
            table.add(key)
        elif mode == "-":
            table.discard(key)
        return b"1" if key.startswith("half") else b"2" if key in table else b"0"

    def close(self) -> None:
        with socket.socket(self._socket.family, socket.SOCK_DGRAM) as last:
            last.connect(self.address)
            last.send(b"")
        self._thread.join(5)
        self._socket.close()


@pytest.fixture(scope="module")
def unix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(socket.AF_UNIX, str(tmp_path_factory.mktemp("nmh") / "s"))
    yield server
    server.close()


FOUND = [
    ("key", "nmh", "yes"),
    ("nokey", "nmh", "none"),
    ("elsewhere", "nmh", "none"),
    ("elsewhere", "nmh,table=other", "yes"),
    ("half of it", "nmh", "none"),
    ("half of it", "nmh,partial", "yes"),
    ("silence", "nmh,tmo=1", 'Failed: lookup of "silence" gave DEFER: "read timed out"'),
    ("odd", "nmh", 'Failed: lookup of "odd" gave DEFER: "bad response value"'),
    ("key", "nmh,tmo=x", 'Failed: lookup of "key" gave DEFER: "missing value in timeout spec"'),
    ("key", "nmh,port=", 'Failed: lookup of "key" gave DEFER: "missing port in server spec"'),
    ("key", "nmh,port=99999", 'Failed: lookup of "key" gave DEFER: "bad port number"'),
    ("key", "nmh,tcp", 'Failed: lookup of "key" gave DEFER: "tcp is not supported for nmh at this time"'),
    ("key", "nmh,udp", 'Failed: lookup of "key" gave DEFER: "bad port number"'),
]


@pytest.mark.parametrize(("key", "kind", "expected"), FOUND)
def test_find(unix: Server, key: str, kind: str, expected: str) -> None:
    assert answer(f"${{lookup{{{key}}}{kind}{{{unix.address}}}{{$value}}{{none}}}}") == expected


def test_what_is_changed_is_not_answered_from_the_cache(unix: Server) -> None:
    context = make_context()
    ask = f"${{lookup{{new}}nmh{{{unix.address}}}{{$value}}{{none}}}}"
    for change, expected in (("add", "yes"), ("sub", "none"), ("add", "yes")):
        assert answer(f"${{lookup{{new}}nmh,{change}{{{unix.address}}}{{$value}}{{none}}}}", context) == expected
        assert answer(ask, context) == expected
    assert "new" in unix.tables["default"]


def test_an_abstract_socket() -> None:
    name = f"eximious-test-{os.getpid()}"
    server = Server(socket.AF_UNIX, f"\0{name}")
    try:
        assert answer(f"${{lookup{{key}}nmh{{@{name}}}}}") == "yes"
    finally:
        server.close()


def test_udp() -> None:
    server = Server(socket.AF_INET, ("127.0.0.1", 0))
    try:
        assert answer(f"${{lookup{{key}}nmh,port={server.address[1]}{{127.0.0.1}}}}") == "yes"
    finally:
        server.close()


def test_nobody_there(tmp_path: Path) -> None:
    found = answer(f"${{lookup{{key}}nmh{{{tmp_path}/none}}}}")
    assert found.endswith(f"gave DEFER: \"connect '{tmp_path}/none': No such file or directory\"")
