"""Times and durations."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from eximious.logs.timestamp import Timestamps, duration

NOW = 1795559750.7941


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


FORMS = [
    (False, False, "2026-11-24 23:35:50"),
    (True, False, "2026-11-24 23:35:50.794"),
    (False, True, "2026-11-24 23:35:50 +0100"),
    (True, True, "2026-11-24 23:35:50.794 +0100"),
]


@pytest.mark.parametrize(("milliseconds", "with_zone", "expected"), FORMS)
def test_forms(milliseconds: bool, with_zone: bool, expected: str) -> None:
    stamps = Timestamps(lambda: NOW, milliseconds, with_zone)
    assert stamps.now() == expected
    assert stamps.now() == expected
    assert stamps.date() == "20261124"


DURATIONS = [
    (0.0, False, "0s"),
    (0.9, False, "0s"),
    (225.0, False, "3m45s"),
    (60.0, False, "1m"),
    (604800 + 86400 + 3600 + 1, False, "1w1d1h1s"),
    (0.304, True, "0.304s"),
    (59.9991, True, "59.999s"),
    (60.5, True, "1m"),
    (-1.0, True, "0.000s"),
    (-1.0, False, "0s"),
]


@pytest.mark.parametrize(("seconds", "milliseconds", "expected"), DURATIONS)
def test_durations(seconds: float, milliseconds: bool, expected: str) -> None:
    assert duration(seconds, milliseconds) == expected
