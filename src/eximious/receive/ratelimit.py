"""Growing delays for clients that send many messages, or many recipients: ``smtp_ratelimit_mail`` and ``_rcpt``.

``first,delay,factor,longest``: after `first` commands each is delayed, first by `delay`, then by `factor` times the
delay before it, up to `longest`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.waiting import sleep

if TYPE_CHECKING:
    from eximious.receive.session import Session


class Slowness:
    """One of the two delays, of one session."""

    __slots__ = ("delay", "factor", "first", "longest")

    def __init__(self, text: str) -> None:
        """Raises ValueError if the text is not four numbers."""
        first, delay, factor, longest = (part.strip() for part in text.split(","))
        self.first = int(first)
        self.delay = _seconds(delay)
        self.factor = float(factor)
        self.longest = _seconds(longest)

    def next_delay(self, count: int) -> float:
        """How long to wait before command number `count` is answered, in seconds."""
        if count < self.first:
            return 0.0
        delay = self.delay
        self.delay = min(delay * self.factor, self.longest)
        return delay


def _seconds(text: str) -> float:
    """Exim's time, with decimals of seconds allowed: ``0.5s``."""
    from eximious.config.numbers import seconds

    if text.endswith("s") and "." in text:
        return float(text[:-1])
    return float(seconds(text))


def wait_for_turn(session: Session, command: str) -> None:
    """Delay a MAIL or RCPT command (``mail``, ``rcpt``) of a client that has sent many."""
    if session.main.smtp_ratelimit_hosts is None or session.client.is_local:
        return
    slowness = _slowness(session, command)
    if slowness is None:
        return
    count = session.counters.mails if command == "mail" else session.transaction.rcpt
    delay = slowness.next_delay(count)
    if delay > 0:
        session.flush()
        if session.is_checking:
            return
        sleep(delay)


def _slowness(session: Session, command: str) -> Slowness | None:
    known: dict[str, Slowness | None] | None = session.facts.get("slowness")
    if known is None:
        known = session.facts["slowness"] = {"mail": None, "rcpt": None}
        if session.is_client_in("smtp_ratelimit_hosts"):
            for name in known:
                text = getattr(session.main, f"smtp_ratelimit_{name}")
                known[name] = _read(session, name, text) if text else None
    return known[command]


def _read(session: Session, name: str, text: str) -> Slowness | None:
    try:
        return Slowness(text)
    except ValueError:
        session.logs.panic(f'syntax error in smtp_ratelimit_{name}: "{text}"')
        return None
