"""Messages whose spool files nobody can understand."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.spool.message_id import received_seconds
from tests.deliver.place import Place


@pytest.mark.parametrize(("age", "is_removed"), [(3599, False), (3600, True)])
def test_they_are_kept_for_a_while(tmp_path: Path, age: int, is_removed: bool) -> None:
    routers = "r:\n  driver = redirect\n  data = :blackhole:\n"
    place = Place(tmp_path, main="keep_malformed = 1h", routers=routers, transports="")
    message_id = place.queue("a@x.example")
    (header,) = (tmp_path / "spool/input").glob("*-H")
    header.write_text("rubbish\n")
    place.time = received_seconds(message_id) + age
    place.deliver(message_id)
    assert f"Format error in spool file {message_id}-H: size=8" in place.log
    assert ("Message removed because older than 1h" in place.log) is is_removed
    assert list((tmp_path / "spool/input").iterdir()) == [] if is_removed else header.exists()
    place.close()
