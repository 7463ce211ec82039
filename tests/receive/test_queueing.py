"""Why messages are not delivered at once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from eximious.receive.queueing import _queued_because
from tests.expand.context import make_context

CONNECTIONS = [
    (0, 50, None),
    (10, 9, None),
    (10, 10, None),
    (10, 11, "too many connections (11, max 10)"),
]


@pytest.mark.parametrize(("most", "connections", "reason"), CONNECTIONS)
def test_connections(most: int, connections: int, reason: str | None) -> None:
    context = make_context(f"primary_hostname = a.test\nsmtp_accept_queue = {most}\n")
    context.facts["connection_count"] = connections
    incoming: Any = SimpleNamespace(context=context, reception=SimpleNamespace(queue_only=False))
    session = SimpleNamespace(counters=SimpleNamespace(messages=1), facts={})
    assert _queued_because(incoming, session) == reason
    assert _queued_because(incoming, None) is None
