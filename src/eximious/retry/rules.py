"""Retry rules: which one is for an error, and when it lets the next try be.

(Exim specification, chapter "Retry configuration"; RFC 5321 section 4.5.4.1.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eximious.errors import Defer, ExpandError

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.errors import Place
    from eximious.retry.errors import RetryError
    from eximious.units import Seconds

FIXED: Final = "F"
GEOMETRIC: Final = "G"
RANDOM: Final = "H"


class Step:
    """One set of parameters: the algorithm that holds until a destination has been failing for `cutoff` seconds."""

    __slots__ = ("cutoff", "factor", "interval", "kind")

    def __init__(self, kind: str, cutoff: Seconds, interval: Seconds, factor: float = 1.0) -> None:
        self.kind = kind
        self.cutoff = cutoff
        self.interval = interval  # fixed, or the shortest
        self.factor = factor  # by which intervals grow, 1.0 or more

    def __repr__(self) -> str:
        return f"Step({self.kind},{self.cutoff:g},{self.interval:g},{self.factor:g})"


class RetryRule:
    """One line of the retry section."""

    __slots__ = ("error", "pattern", "pattern_source", "place", "senders", "senders_source", "steps")

    def __init__(self, pattern: object, error: RetryError, steps: list[Step]) -> None:
        self.pattern = pattern  # an address list of one item
        self.pattern_source = ""
        self.place: Place | None = None
        self.error = error
        self.senders: object | None = None  # an address list
        self.senders_source = ""
        self.steps = steps  # may be empty: then errors are permanent at once

    @property
    def cutoff(self) -> Seconds:
        """How long a destination may fail before it is given up."""
        return self.steps[-1].cutoff if self.steps else 0.0

    def step(self, failing_for: Seconds) -> Step | None:
        """The step for a destination that has been failing for so long; None beyond the last cutoff."""
        return next((step for step in self.steps if failing_for <= step.cutoff), None)


def find_rule(
    context: Context, key: str, alternate: str, number: int, more_errno: int, sender: str | None
) -> RetryRule | None:
    """The first rule for an error of a host or address.

    `key` and `alternate` ("" for none) are addresses, or domains or host names, which stand for any local part there.
    Without a sender (None), rules with a list of senders do not match.
    """
    for rule in context.config.retry_rules:
        if not rule.error.matches(number, more_errno):
            continue
        if rule.senders is not None and (sender is None or not _is_in(rule.senders, sender, context)):
            continue
        if _is_in(rule.pattern, _address(key), context) or (
            alternate and _is_in(rule.pattern, _address(alternate), context)
        ):
            found: RetryRule = rule
            return found
    return None


def _address(key: str) -> str:
    return key if "@" in key else f"*@{key}"


def _is_in(addresses: object, subject: str, context: Context) -> bool:
    """Lists that cannot be looked up now do not match: whether a message is retried must not wait for a database."""
    try:
        return addresses.match(subject, context) is not None  # type: ignore[attr-defined]
    except (Defer, ExpandError):
        return False


def next_wait(step: Step, last: Seconds, longest: Seconds, random: Callable[[], float]) -> Seconds:
    """How long to leave a destination alone before the next try.

    `last` is the wait before this one, 0 before the first; `longest` is retry_interval_max; `random` gives numbers in
    [0, 1). Raises ValueError for a factor below 1, with which waits would shrink.
    """
    if step.factor < 1.0:
        raise ValueError(f"factor {step.factor} of a retry rule is below 1")
    if step.kind == FIXED:
        return min(step.interval, longest) if longest > 0 else step.interval
    grown = max(last * step.factor, step.interval)
    if longest > 0:
        grown = min(grown, longest)
    if step.kind == RANDOM:
        least = min(step.interval, grown)
        return least + (grown - least) * random()
    return grown
