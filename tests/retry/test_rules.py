"""Retry rules: how they are read, which one is chosen, and what times they give."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.context import Context
from eximious.errors import ConfigError
from eximious.hints.memory import MemoryHints
from eximious.retry.errors import parse as parse_error
from eximious.retry.keys import host_key, local_key, message_key, recipient_key, routing_key
from eximious.retry.rules import Step, next_wait
from eximious.retry.section import parse
from eximious.retry.updates import RetryUpdate, apply
from eximious.transports.outcome import QUOTA, RCPT_4XX

RULES = [
    ("* * F,2h,15m; G,16h,1h,1.5; F,4d,6h", "[Step(F,7200,900,1), Step(G,57600,3600,1.5), Step(F,345600,21600,1)]"),
    ('"a b"  quota_5d  F,7d,3h;', "[Step(F,604800,10800,1)]"),
    ("x\trefused\t", "[]"),
    ('a.domain rcpt_452 senders="xb.dom : yc.dom" H,8h,10m,1.5', "[Step(H,28800,600,1.5)]"),
    ("* rcpt_4xx senders=: F,1h,30m", "[Step(F,3600,1800,1)]"),
]


@pytest.mark.parametrize(("text", "steps"), RULES)
def test_reading(text: str, steps: str) -> None:
    assert repr(parse(text).steps) == steps


FAULTS = [
    ("x", "missing error type in retry rule"),
    ('"x * F,1h,1m', "missing quote at end of string in retry rule"),
    ("x foo F,1h,1m", 'unknown or malformed retry error "foo"'),
    ("x quota_zz F,1h,1m", 'unknown or malformed retry error "quota_zz"'),
    ("x rcpt_4x5 F,1h,1m", "rcpt_4 must be followed by xx, dx, or dd, where x is literal and d is any digit"),
    ("x * F,1h", "comma expected"),
    ("x * G,1h,1m", "comma expected"),
    ("x * Z,1h,1m", "unknown retry rule letter"),
    ("x * F,1h,1m junk", "semicolon expected"),
    ("x * F,1h,xx", "bad time value"),
    ("x * G,1h,1m,0.5", "bad parameters for retry rule"),
    ("x * F,1h,0s", "bad parameters for retry rule"),
    ("x * G,1h,1m,x", "bad parameters for retry rule"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_faults(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert caught.value.message == message


MATCHES = [
    ("*", 5, 0, True),
    ("refused", errno.ECONNREFUSED, ord("M"), True),
    ("refused_MX", errno.ECONNREFUSED, ord("M"), True),
    ("refused_A", errno.ECONNREFUSED, ord("M"), False),
    ("timeout", errno.ETIMEDOUT, 0x100 | ord("A"), True),
    ("timeout_connect", errno.ETIMEDOUT, ord("A"), False),
    ("timeout_connect_A", errno.ETIMEDOUT, 0x100 | ord("A"), True),
    ("timeout_connect_A", errno.ETIMEDOUT, 0x100 | ord("M"), False),
    ("timeout_MX", errno.ETIMEDOUT, 0x100 | ord("M"), True),
    ("quota", errno.ENOSPC, 0, True),
    ("quota_1d", QUOTA, 86399, False),
    ("quota_1d", QUOTA, 86400, True),
    ("rcpt_4xx", RCPT_4XX, 51 << 8, True),
    ("rcpt_45x", RCPT_4XX, 52 << 8, True),
    ("rcpt_452", RCPT_4XX, 51 << 8, False),
    ("rcpt_402", RCPT_4XX, 2 << 8 | ord("A"), True),
    ("mail_4xx", RCPT_4XX, 51 << 8, False),
    ("lost_connection", -18, 0, True),
    ("lookup", -32, 0, True),
    ("tls_required", -38, 0, True),
    ("auth_failed", -42, 0, True),
]


@pytest.mark.parametrize(("name", "number", "more", "expected"), MATCHES)
def test_errors(name: str, number: int, more: int, expected: bool) -> None:
    assert parse_error(name).matches(number, more) is expected


WAITS = [
    (Step("F", 0, 900), 5000, 86400, 900),
    (Step("F", 0, 900), 0, 600, 600),
    (Step("G", 0, 100, 2.0), 0, 86400, 100),
    (Step("G", 0, 100, 2.0), 100, 86400, 200),
    (Step("G", 0, 100, 2.0), 300, 500, 500),
    (Step("H", 0, 100, 2.0), 300, 86400, 350),  # half way between the least and 600
]


@pytest.mark.parametrize(("step", "last", "longest", "expected"), WAITS)
def test_waits(step: Step, last: float, longest: float, expected: float) -> None:
    assert next_wait(step, last, longest, lambda: 0.5) == expected


@given(
    kind=st.sampled_from("FGH"),
    interval=st.floats(1, 1e6),
    factor=st.floats(1, 10),
    last=st.floats(0, 1e7),
    longest=st.floats(1, 1e6),
    random=st.floats(0, 1, exclude_max=True),
)
def test_waits_stay_within_their_bounds(
    kind: str, interval: float, factor: float, last: float, longest: float, random: float
) -> None:
    wait = next_wait(Step(kind, 0, interval, factor), last, longest, lambda: random)
    assert min(interval, longest) <= wait <= longest


def test_a_factor_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="below 1"):
        next_wait(Step("G", 0, 100, 0.5), 100, 0, lambda: 0.5)


KEYS = [
    (routing_key("Example.ORG"), "R:example.org"),
    (routing_key("User@Example.ORG"), "R:User@example.org"),
    (local_key("user@Example.ORG"), "T:user@example.org"),
    (recipient_key("user@example.org", "Me@Here.ex"), "R:user@example.org:<me@here.ex>"),
    (recipient_key("user@example.org", ""), "R:user@example.org:<>"),
    (recipient_key("user@example.org", None), "R:user@example.org"),
    (host_key("MX.example.org", "192.0.2.1", 25), "T:mx.example.org:192.0.2.1"),
    (host_key("mx.example.org", "192.0.2.1", 2525), "T:mx.example.org:192.0.2.1:2525"),
    (host_key("mx.example.org", "192.0.2.1", 25, include_address=False), "T:mx.example.org"),
    (message_key("T:mx.example.org:192.0.2.1", "id"), "T:mx.example.org:192.0.2.1:id"),
]


@pytest.mark.parametrize(("key", "expected"), KEYS)
def test_keys(key: str, expected: str) -> None:
    assert key == expected


class Clock:
    """A context whose time goes on when it is told to."""

    def __init__(self, *rules: str) -> None:
        self.time = 1_000_000.0
        main = SimpleNamespace(retry_data_expire=7 * 86400, retry_interval_max=86400)
        config: Any = SimpleNamespace(retry_rules=[parse(rule) for rule in rules], main=main)
        self.hints = MemoryHints(now=lambda: self.time)
        random = SimpleNamespace(random=lambda: 0.0)
        services: Any = SimpleNamespace(hints=self.hints, now=lambda: self.time, random=random)
        self.context = Context(config, services)
        self.message = self.context.message
        self.message.sender = "s@x.ex"
        self.message.received_at = self.time

    def fail(self, after: float = 0.0, **options: Any) -> Any:
        self.time += after
        update = RetryUpdate("T:user@test.ex", errno=5, message="no")
        update.is_message = options.get("is_message", False)
        return apply(update, self.context)


def test_the_cutoff_is_counted_from_the_first_failure() -> None:
    clock = Clock("test.ex * F,1h,15m")
    first = clock.fail()
    assert (first.is_over, first.next_try - clock.time) == (False, 900)
    assert not clock.fail(1800).is_over
    assert clock.fail(1801).is_over
    record = clock.hints.retry.get("T:user@test.ex")
    assert record is not None
    assert record.expired == 1
    assert record.next_try == clock.time + 900


def test_without_a_rule_errors_are_permanent() -> None:
    assert Clock("other.ex * F,1h,15m").fail().is_over
    assert Clock().fail().is_over
    assert Clock("test.ex *").fail().is_over


def test_growing_waits() -> None:
    clock = Clock("* * G,1d,10m,2")
    waits = []
    wait = 0.0
    for _ in range(4):
        wait = clock.fail(wait).next_try - clock.time
        waits.append(wait)
    assert waits == [600, 1200, 2400, 4800]


def test_success_forgets() -> None:
    clock = Clock("* * F,1h,15m")
    clock.fail()
    apply(RetryUpdate("T:user@test.ex", works=True), clock.context)
    assert clock.hints.retry.get("T:user@test.ex") is None


def test_old_hints_are_not_believed() -> None:
    clock = Clock("* * F,1h,15m")
    clock.fail()
    clock.message.received_at += 8 * 86400
    assert not clock.fail(8 * 86400).is_over


def test_a_message_that_has_waited_longer_than_the_rule_is_given_up() -> None:
    clock = Clock("* * F,1h,15m")
    clock.message.received_at -= 7200
    assert clock.fail().is_over
    assert clock.hints.retry.get("T:user@test.ex") is None  # other messages are tried at once


def test_the_age_of_the_message_counts_for_its_own_errors() -> None:
    clock = Clock("* * F,1h,15m")
    clock.message.received_at -= 7200
    assert clock.fail(is_message=True).is_over
