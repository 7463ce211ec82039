"""Idle connections, and who gets them."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from eximious.address.delivery import Host
from eximious.send import pool as pools
from eximious.send.pool import Pool

KEY = ("smtp", "mx.example", "192.0.2.1", 25, "", "me.example")


class FakeConnection:
    """A connection that notes what becomes of it."""

    def __init__(self, *, most: int = 500, messages: int = 1, usable: bool = True) -> None:
        self.transport = SimpleNamespace(connection_max_messages=most)
        self.messages = messages
        self.is_broken = False
        self.usable = usable
        self.idle_since = 0.0
        self.fate = ""
        self.stream = SimpleNamespace(leave=lambda: setattr(self, "fate", "left"))

    def is_usable(self) -> bool:
        return self.usable

    def rest(self) -> None:
        self.idle_since = 1.0

    def quit(self) -> None:
        self.fate = "quit"

    def close(self) -> None:
        self.fate = "closed"


def given(*connections: Any) -> Pool:
    """A pool with these."""
    pool = Pool()
    for connection in connections:
        pool.give(KEY, connection)
    return pool


def test_the_last_is_taken_first() -> None:
    first: Any = FakeConnection()
    last: Any = FakeConnection()
    pool = given(first, last)
    assert [pool.take(KEY), pool.take(KEY), pool.take(KEY)] == [last, first, None]
    assert not pool.has_any()


def test_only_for_the_same_use() -> None:
    pool = given(FakeConnection())
    assert pool.take(("other", *KEY[1:])) is None
    host = Host("MX.example", "192.0.2.1", 25)
    assert pool.has("smtp", host)
    assert not pool.has("lmtp", host)


def test_what_has_been_closed_by_the_host_is_dropped() -> None:
    good: Any = FakeConnection()
    gone: Any = FakeConnection(usable=False)
    assert given(good, gone).take(KEY) is good
    assert gone.fate == "closed"


@pytest.mark.parametrize(("most", "messages", "fate"), [(500, 1, ""), (2, 2, "quit"), (2, 1, ""), (0, 9999, "")])
def test_used_up(most: int, messages: int, fate: str) -> None:
    connection = FakeConnection(most=most, messages=messages)
    given(connection)
    assert connection.fate == fate


def test_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "PER_HOST", 2)
    connections = [FakeConnection() for _ in range(3)]
    given(*connections)
    assert [connection.fate for connection in connections] == ["", "", "quit"]


def test_news() -> None:
    connection: Any = FakeConnection()
    pool = given(connection)
    assert pool.has_news
    news = pool.take_news()
    assert news == [connection]
    assert not pool.has_news
    assert pool.still_idle(news) == [connection]
    pool.take(KEY)
    assert pool.still_idle(news) == []


def test_a_forked_process_leaves_the_connections_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    services = SimpleNamespace(connections=None)
    pool = Pool.of(services)  # type: ignore[arg-type]
    assert Pool.of(services) is pool  # type: ignore[arg-type]
    connection = FakeConnection()
    pool.give(KEY, connection)  # type: ignore[arg-type]
    monkeypatch.setattr(os, "getpid", lambda: -1)
    other = Pool.of(services)  # type: ignore[arg-type]
    assert other is not pool
    assert connection.fate == "left"
    assert not other.has_any()


def test_the_end() -> None:
    connection = FakeConnection()
    given(connection).close()
    assert connection.fate == "quit"
