"""The ACL condition ``seen``: has this happened before? (Exim specification, "Previously seen user and hosts".)"""

from __future__ import annotations

from typing import Final

from eximious.acl.declare import condition, parsed
from eximious.acl.run import Run
from eximious.acl.verdict import AclError
from eximious.acl.where import EVERYWHERE
from eximious.config.numbers import seconds
from eximious.hints.record import Stamp

REFRESH: Final = 10 * 24 * 3600.0  # seconds after which a record that still counts is written again


class Question:
    """The condition's argument."""

    __slots__ = ("interval", "is_before", "key", "must_write", "readonly", "refresh")

    def __init__(self, text: str) -> None:
        """Raises AclError."""
        time, *options = (part.strip() for part in text.split("/"))
        self.is_before = time.startswith("-")
        self.interval = _time(time.removeprefix("-"), text)
        self.key: str | None = None
        self.readonly = False
        self.must_write = False
        self.refresh = REFRESH
        for option in options:
            name, equals, value = option.partition("=")
            if name == "key" and equals:
                self.key = value
            elif name == "refresh" and equals:
                self.refresh = _time(value, text)
            elif option == "readonly":
                self.readonly = True
            elif option == "write":
                self.must_write = True
            else:
                raise AclError(f"unrecognised option '{option}' in '{text}'")


def _time(text: str, whole: str) -> float:
    try:
        return float(seconds(text.strip()))
    except ValueError:
        raise AclError(f"failed to parse '{whole}'") from None


@condition("seen", parsed(Question), EVERYWHERE)
def seen(question: Question, run: Run) -> bool:
    """True if there is a record from after the time before now (with a minus sign, from before it)."""
    context = run.context
    now = context.services.now()
    key = context.client.host_address if question.key is None else question.key
    answer = False

    def look(record: Stamp | None) -> Stamp | None:
        nonlocal answer
        since = record is not None and record.written_at >= now - question.interval
        before = record is not None and record.written_at < now - question.interval
        answer = before if question.is_before else since
        if question.readonly:
            return record
        if record is None or question.must_write or not question.is_before:
            return Stamp()
        if before and question.is_before and now - record.written_at > question.refresh:
            record.written_at = now - question.interval
        return record

    table = context.services.hints.seen
    if question.readonly:
        look(table.get(key))
    else:
        table.change(key, look)
    return answer
