"""With which hosts TLS is not tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.address.delivery import Host
from eximious.context import Context
from eximious.send.opening import avoids_tls
from tests.deliver.place import Place

TRANSPORTS = """t:
  driver = smtp
  hosts_avoid_tls = 192.0.2.1
  hosts_verify_avoid_tls = 192.0.2.2
"""


@pytest.mark.parametrize(
    ("address", "verifying", "expected"),
    [
        ("192.0.2.1", "", True),
        ("192.0.2.1", "R", True),
        ("192.0.2.2", "", False),
        ("192.0.2.2", "R", True),
        ("192.0.2.3", "S", False),
    ],
)
def test_avoids_tls(tmp_path: Path, address: str, verifying: str, expected: bool) -> None:

    place = Place(tmp_path, routers="", transports=TRANSPORTS)
    context = Context(place.config, place.services)
    context.verifying = verifying
    assert avoids_tls(place.config.transports["t"], Host("far.example", address), context) is expected
    place.close()
