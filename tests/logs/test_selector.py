"""log_selector."""

from __future__ import annotations

import pytest

from eximious.errors import ConfigError
from eximious.logs.selector import ALL, DEFAULT, parse

SETTINGS = [
    ("", DEFAULT),
    ("+all", ALL),
    ("-all", frozenset()),
    ("+pid", DEFAULT | {"pid"}),
    ("-retry_defer +8bitmime", DEFAULT - {"retry_defer"} | {"8bitmime"}),
    ("+all-pid", ALL - {"pid"}),
    ("  + all   - pid ", ALL - {"pid"}),
    ("-all +subject\n +subject", {"subject"}),
    ("+rejected_headers", DEFAULT),
]


@pytest.mark.parametrize(("text", "expected"), SETTINGS)
def test_settings(text: str, expected: frozenset[str]) -> None:
    assert parse(text) == expected


FAULTS = [
    ("+all -arguments +foo", "unknown log_selector setting: +foo", ""),
    ("-pidd", "unknown log_selector setting: -pidd", "did you mean pid?"),
    ("all", 'malformed log_selector setting: + or - expected but found "all"', ""),
    ("+pid subject", 'malformed log_selector setting: + or - expected but found "subject"', ""),
    ("+", "unknown log_selector setting: +", ""),
]


@pytest.mark.parametrize(("text", "message", "hint"), FAULTS)
def test_faults(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert caught.value.message == message
    assert caught.value.hint == hint
