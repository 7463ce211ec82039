"""What an SPF check comes to, and how to say so."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple


class Result(enum.Enum):
    """The seven results of RFC 7208 section 2.6."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"

    def __str__(self) -> str:
        return self.value


class Step(NamedTuple):
    """One thing that was looked at: a term of the record of `domain`, and what came of it."""

    domain: str
    term: str
    outcome: str
    depth: int = 0  # how many includes deep

    def __str__(self) -> str:
        return f"{'  ' * self.depth}{self.domain}: {self.term}: {self.outcome}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one check.

    `mechanism` is the directive that decided, ``default`` if none did; `path` the domains from the one that was asked
    about to the one whose record decided, through includes and redirects. `problem` says what was wrong for errors.
    """

    result: Result
    ip: str
    domain: str
    sender: str
    helo: str = ""
    identity: str = "mailfrom"
    mechanism: str = ""
    path: tuple[str, ...] = ()
    explanation: str = ""
    problem: str = ""
    lookups: int = 0
    void_lookups: int = 0
    trace: tuple[Step, ...] = ()
    is_own_explanation: bool = False  # the domain's, by exp=

    def __str__(self) -> str:
        match self.result:
            case Result.NONE:
                return f"none: {self.problem or f'{self.domain} has no SPF record'}"
            case Result.PERMERROR | Result.TEMPERROR:
                return f"{self.result}: {self.problem}"
        where = self.path[-1] if self.path else self.domain
        via = f", which {' > '.join(self.path[:-1])} refers to," if len(self.path) > 1 else ""
        if self.mechanism == "default":
            return f"{self.result}: nothing in the record of {where}{via} matches {self.ip}"
        return f"{self.result}: {self.mechanism} of {where}{via} matches {self.ip}"

    @property
    def comment(self) -> str:
        """The verdict as the comment of a Received-SPF field."""
        of = f"domain of {self.domain}"
        match self.result:
            case Result.PASS:
                return f"{of} designates {self.ip} as permitted sender"
            case Result.FAIL:
                return f"{of} does not designate {self.ip} as permitted sender"
            case Result.SOFTFAIL:
                return f"transitioning {of} does not designate {self.ip} as permitted sender"
            case Result.NEUTRAL:
                return f"{self.ip} is neither permitted nor denied by {of}"
            case Result.NONE:
                return f"{of} does not provide an SPF record"
            case Result.PERMERROR:
                return f"error in processing during lookup of {of}: {self.problem}"
            case _:
                return f"encountered temporary error during SPF processing of {of}"

    def received_spf(self, receiver: str) -> str:
        """The value of a Received-SPF field (RFC 7208 section 9.1), written by the host `receiver`."""
        pairs = [("client-ip", self.ip), ("envelope-from", self.sender), ("helo", self.helo)]
        pairs += [("identity", self.identity), ("receiver", receiver)]
        if self.result in (Result.PERMERROR, Result.TEMPERROR):
            pairs.append(("problem", self.problem))
        elif self.mechanism:
            pairs.append(("mechanism", self.mechanism))
        text = "; ".join(f"{key}={_value(value)}" for key, value in pairs if value)
        return f"{self.result} ({_commented(receiver)}: {_commented(self.comment)}) {text};"


def _value(text: str) -> str:
    """A dot-atom, or a quoted string of it."""
    if text and all(one.isascii() and (one.isalnum() or one in "!#$%&'*+-/=?^_`{|}~.") for one in text):
        return text
    safe = "".join(one if one.isprintable() else " " for one in text)
    return '"' + safe.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _commented(text: str) -> str:
    safe = "".join(one if one.isprintable() else " " for one in text)
    return safe.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
