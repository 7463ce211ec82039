"""Messages that go in circles."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.spool.message import Header
from tests.deliver.place import Place

ROUTERS = "r:\n  driver = redirect\n  data = :blackhole:\n"


@pytest.mark.parametrize(("received", "is_loop"), [(2, False), (3, True)])
def test_too_many_received_headers(tmp_path: Path, received: int, is_loop: bool) -> None:
    place = Place(tmp_path, main="received_headers_max = 2", routers=ROUTERS, transports="")
    headers = [Header("Received: somewhere\n", "P")] * received + [Header("Subject: again\n")]
    place.send("a@x.example", headers=headers, sender="s@x.example")
    line = '** a@x.example: Too many "Received" headers - suspected mail loop'
    assert (line in place.log) is is_loop
    assert ("=> :blackhole: <a@x.example> R=r" in place.log) is not is_loop
    place.close()
