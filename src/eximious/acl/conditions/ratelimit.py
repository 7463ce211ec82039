"""The ACL condition ``ratelimit``: how fast does somebody send?

Exim specification, "Rate limiting incoming messages". A rate is an exponentially weighted average: after an interval
``i`` it is ``count * p/i * (1 - e^(-i/p)) + old * e^(-i/p)``, with the smoothing period ``p``, but never less than one
event alone amounts to.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from eximious.acl.bloom import Bloom
from eximious.acl.declare import TEXT, condition
from eximious.acl.run import Run
from eximious.acl.verdict import AclError
from eximious.acl.where import (
    DATA,
    EVERYWHERE,
    MAIL,
    MIME,
    NOT_SMTP,
    NOT_SMTP_START,
    PRDR,
    PREDATA,
    RCPT,
)
from eximious.config.numbers import seconds
from eximious.hints.record import Rate
from eximious.hints.store import HintsError

if TYPE_CHECKING:
    from eximious.context import Context

NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
FACTORS: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
WITH_MAIL: Final = frozenset({MAIL, RCPT, PREDATA, MIME, DATA, PRDR, NOT_SMTP})
# Where each kind of event may be counted; elsewhere its rate can only be read.
COUNTED: Final = {
    "per_conn": EVERYWHERE - {NOT_SMTP, NOT_SMTP_START},
    "per_mail": WITH_MAIL,
    "per_byte": WITH_MAIL,
    "per_rcpt": WITH_MAIL - {MAIL, NOT_SMTP},
    "per_addr": frozenset({RCPT}),
    "per_cmd": EVERYWHERE,
}
OLD_NAMES: Final = {"per_call": "per_conn", "noupdate": "readonly"}
MODES: Final = ("leaky", "strict", "readonly")


class Limit:
    """The condition's argument."""

    __slots__ = ("count", "key", "limit", "limit_text", "mode", "per", "period", "period_text", "unique")

    def __init__(self, text: str) -> None:
        """Raises AclError."""
        parts = text.split("/")
        self.limit_text = parts[0].strip()
        if not self.limit_text:
            raise _error("sender rate limit not set")
        self.limit = _number(self.limit_text, self.limit_text)
        self.period_text = parts[1].strip() if len(parts) > 1 else ""
        self.period = _period(self.period_text, is_given=len(parts) > 1)
        self.per = ""
        self.mode = ""
        self.unique: str | None = None
        self.count = -1.0
        rest = parts[2:]
        while rest and self._option(rest[0].strip()):
            del rest[0]
        self.key = "/".join(rest).strip()

    def _option(self, text: str) -> bool:
        """Take an option; False if it is none, and the key begins."""
        name, equals, value = text.partition("=")
        name = OLD_NAMES.get(name.strip(), name.strip())
        if name in COUNTED and not equals:
            if self.per and self.per != name:
                raise _error("conflicting per_* options")
            self.per = name
        elif name in MODES and not equals:
            if self.mode and self.mode != name:
                raise _error("conflicting update modes")
            self.mode = name
        elif name == "unique" and equals:
            self.unique = value.strip()
        elif name == "count" and equals:
            self.count = _number(value.strip(), text)
        else:
            return not text
        return True


def _error(text: str) -> AclError:
    return AclError(f'error in arguments to "ratelimit" condition: {text}')


def _number(text: str, shown: str) -> float:
    unit = text[-1:].lower() if text[-1:].isalpha() else ""
    digits = text[:-1] if unit else text
    if NUMBER.fullmatch(digits) is None or unit not in FACTORS:
        raise _error(f'"{shown}" is not a positive number')
    return float(digits) * FACTORS[unit]


def _period(text: str, *, is_given: bool) -> float:
    try:
        value = float(seconds(text))
    except ValueError:
        value = 0.0
    if value <= 0:
        raise _error(f'"{text if is_given else "NULL"}" is not a time value')
    return value


@condition("ratelimit", TEXT, EVERYWHERE)
def ratelimit(text: str, run: Run) -> bool:
    """True if the rate has reached the limit; counts what happens now, if it is counted here."""
    limit = Limit(text)
    per = limit.per or "per_mail"
    if run.where not in COUNTED[per]:
        if limit.mode in ("strict", "leaky") or (limit.count >= 0 and limit.mode != "readonly"):
            raise _error("bad per_* option with this ACL")
        limit.mode = "readonly"
    context = run.context
    count = limit.count if limit.count >= 0 else _count(per, run)
    key = _key(limit, per, context)
    rate = _measured(limit, per, key, count, run)
    facts = context.facts
    facts["sender_rate"] = f"{rate:.1f}"
    facts["sender_rate_limit"] = limit.limit_text
    facts["sender_rate_period"] = limit.period_text
    return rate >= limit.limit


def _count(per: str, run: Run) -> float:
    """How much this event counts."""
    if per == "per_byte":
        return float(max(0, run.context.message.size))
    if per == "per_rcpt" and run.where != RCPT:
        return float(len(run.context.message.recipients))
    return 1.0


def _key(limit: Limit, per: str, context: Context) -> str:
    """What the rate is stored by: whatever changes the meaning of the number is part of it."""
    unique = limit.unique is not None or per == "per_addr"
    name = limit.key or context.client.host_address
    return f"{limit.period_text}/{'per_rcpt' if per == 'per_addr' else per}{'/unique' if unique else ''}/{name}"


def _measured(limit: Limit, per: str, key: str, count: float, run: Run) -> float:
    """The rate, which is computed once for what happens once: a connection, a message, a command."""
    memory: dict[str, float] | None = None
    if limit.mode != "readonly":
        memory = _memory(per, run)
        if key in memory:
            return memory[key]
    try:
        rate = _compute(limit, per, key, count, run)
    except HintsError as error:
        run.context.services.logs.main(f"ratelimit: {error}")
        return 0.0
    if memory is not None:
        memory[key] = rate
    return rate


def _memory(per: str, run: Run) -> dict[str, float]:
    if per == "per_conn" and run.session is not None:
        rates: dict[str, float] = run.session.facts.setdefault("ratelimits", {})
        return rates
    if per in ("per_mail", "per_byte"):
        return run.reception.ratelimits
    return run.ratelimits


def _compute(limit: Limit, per: str, key: str, count: float, run: Run) -> float:
    services = run.context.services
    now = services.now()
    unique = limit.unique
    if per == "per_addr" and unique is None:
        unique = run.context.address.address.lower()
    result = 0.0

    def update(record: Rate | None) -> Rate | None:
        nonlocal result
        if limit.mode == "readonly":
            result = 0.0 if record is None else _decayed(record, now, limit.period)
            return record
        fresh = record is None
        record = record or Rate()
        amount = count
        if unique is not None:
            bloom = Bloom.load(record.bloom, record.bloom_epoch, now, limit.period, limit.limit)
            if not bloom.is_new(unique):
                result = _decayed(record, now, limit.period) if not fresh else 0.0
                return record
        result = amount if fresh else _grown(record, amount, now, limit.period)
        if result >= limit.limit and limit.mode != "strict":
            return None if fresh else record
        if unique is not None:
            bloom.add(unique)
            record.bloom, record.bloom_epoch = bloom.data, bloom.epoch
        record.rate = result
        record.written_at = now
        return record

    table = services.hints.ratelimit
    if limit.mode == "readonly":
        update(table.get(key))
    else:
        table.change(key, update)
    return result


def _decayed(record: Rate, now: float, period: float) -> float:
    return record.rate * math.exp(-max(0.0, now - record.written_at) / period)


def _grown(record: Rate, count: float, now: float, period: float) -> float:
    interval = max(now - record.written_at, 1e-6)
    ratio = interval / period
    decay = math.exp(-ratio)
    return max((1 - decay) / ratio * count + decay * record.rate, count)
