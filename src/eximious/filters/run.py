"""Obeying a filter: conditions are tested, arguments expanded, and actions gathered. Nothing is delivered here.

Exim's interfaces to mail filtering, "Exim filter files".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eximious.address.parse import AddressError, is_qualified, parse
from eximious.address.rules import address_rules
from eximious.config.numbers import seconds
from eximious.errors import Defer, EximiousError, ExpandError
from eximious.expand.template import compile
from eximious.filters.actions import Deliver, Outcome, Pipe, Reply, Save
from eximious.filters.lexer import FilterError
from eximious.filters.numbers import integer
from eximious.filters.test import Tester
from eximious.filters.tree import Command
from eximious.logs.printing import printing

if TYPE_CHECKING:
    from eximious.context import Context

MOST_COUNTERS: Final = 10
# These are as they were when the filter has ended.
LENT_FACTS: Final[tuple[str, ...]] = ("filter_counters", "headers_charset", "thisaddress", "recipients_visible")
MOST_STEPS: Final = 100_000  # commands obeyed in one run


class Ended(EximiousError):
    """The filter is over before its end."""


class Observer:
    """Told of everything that is done; this one does it, quietly. One that talks is in `eximious.filters.report`."""

    is_testing = False

    def __init__(self, context: Context, *, may_log: bool) -> None:
        self.context = context
        self.may_log = may_log  # into files: not for filters that run with special rights
        self.log_path = ""
        self.log_mode = 0o600

    def note(self, command: Command, text: str) -> None:
        """A command with its text has been obeyed."""

    def log_file(self, command: Command, path: str, mode: int) -> None:
        """``logfile``."""
        self.log_path, self.log_mode = path, mode

    def log_write(self, command: Command, text: str) -> None:
        """``logwrite``. Raises FilterError if it cannot be written."""
        from eximious.filters.log import append

        if not self.may_log:
            return
        append(self.log_path, text, self.log_mode, self.context)

    def header_add(self, text: str) -> None:
        """``headers add`` of a system filter."""
        from eximious.filters.headers import add

        add(self.context.message, text)

    def header_remove(self, names: str) -> None:
        """``headers remove`` of a system filter."""
        from eximious.filters.headers import remove

        remove(self.context.message, names)

    def reply(self, command: Command, reply: Reply) -> None:
        """``mail`` or ``vacation``."""

    def ignore(self, command: Command, reason: str) -> None:
        """A command has no effect."""


class Run:
    """One run of one filter."""

    def __init__(self, context: Context, observer: Observer, *, is_system: bool, qualify_domain: str) -> None:
        self.context = context
        self.observer = observer
        self.is_system = is_system
        self.qualify_domain = qualify_domain
        self.forbids_logwrite = False
        self.outcome: Outcome = Outcome()
        self.counters = [0] * MOST_COUNTERS
        self.steps = 0
        self.tester = Tester(self)

    def obey(self, commands: list[Command]) -> Outcome:
        """Obey the whole filter. Raises FilterError."""
        facts = self.context.facts
        before = {name: facts[name] for name in LENT_FACTS if name in facts}
        captures = self.context.captures
        facts["filter_counters"] = self.counters
        facts["recipients_visible"] = self.is_system
        facts.setdefault("system_filter_counters", [0] * MOST_COUNTERS)
        try:
            self._obey_all(commands)
        except Ended:
            pass
        finally:
            for name in LENT_FACTS:
                facts.pop(name, None)
            facts.update(before)
            if self.is_system:
                facts["system_filter_counters"] = self.counters
            self.context.captures = captures
        return self.outcome

    def _obey_all(self, commands: list[Command]) -> None:
        for command in commands:
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise FilterError("filter takes too many steps")
            if command.name == "if":
                self._choose(command)
            else:
                OBEY[command.name](self, command)

    def _choose(self, command: Command) -> None:
        for condition, commands in command.branches:
            if condition is None or self.tester.holds(condition):
                self._obey_all(commands)
                return

    def expanded(self, text: str, where: str) -> str:
        """Text after expansion. Raises FilterError that says where it stands."""
        try:
            return compile(text).expand(self.context)
        except (ExpandError, Defer) as error:
            raise FilterError(f'failed to expand "{text}" in {where}: {error}') from error

    def argument(self, command: Command, name: str = "text") -> str:
        """An argument of a command, expanded."""
        return self.expanded(command.arguments.get(name, ""), f"{command.name} command")

    def address(self, text: str) -> str:
        """The one address in the text, with a domain. Raises FilterError."""
        try:
            parsed = parse(text, address_rules(self.context))
        except AddressError as error:
            raise FilterError(f'malformed address "{text}" in filter file: {error}') from error
        return parsed.address if is_qualified(parsed.address) else f"{parsed.address}@{self.qualify_domain}"


def _significant(command: Command, default: bool) -> bool:
    return default if command.seen is None else command.seen


def _deliver(run: Run, command: Command) -> None:
    address = run.address(run.argument(command, "address"))
    errors_to = ""
    if "errors_to" in command.arguments:
        errors_to = run.address(run.argument(command, "errors_to"))
        if not run.is_system and errors_to.lower() != _own_address(run.context).lower():
            raise FilterError("errors_to must point to the caller's address")
    action = Deliver(address, errors_to, no_error=command.no_error, is_significant=_significant(command, True))
    run.outcome.actions.append(action)
    run.observer.note(command, address + (f" errors_to {errors_to}" if errors_to else ""))


def _own_address(context: Context) -> str:
    """Whose filter it is."""
    address = context.address
    return f"{address.local_part}@{address.domain}"


def _save(run: Run, command: Command) -> None:
    path = run.argument(command, "path")
    mode = _octal(command.arguments.get("mode"))
    action = Save(path, mode, no_error=command.no_error, is_significant=_significant(command, True))
    run.outcome.actions.append(action)
    run.observer.note(command, path + ("" if mode is None else f" {mode:04o}"))


def _octal(text: str | None) -> int | None:
    """The octal number that the text begins with; None if there is no text."""
    if text is None:
        return None
    digits = ""
    for character in text:
        if character not in "01234567":
            break
        digits += character
    return int(digits, 8) & 0o7777 if digits else 0


def _pipe(run: Run, command: Command) -> None:
    text = command.arguments["text"]
    action = Pipe(
        text,
        list(run.context.captures),
        list(run.counters),
        no_error=command.no_error,
        is_significant=_significant(command, True),
    )
    run.outcome.actions.append(action)
    run.observer.note(command, text)


def _reply(run: Run, command: Command) -> None:
    is_vacation = command.name == "vacation"
    reply = Reply(is_vacation=is_vacation, no_error=command.no_error, is_significant=_significant(command, False))
    texts = {name: run.argument(command, name) for name in REPLY_FIELDS if name in command.arguments}
    if not _return_path(run):
        # Bounces are not answered.
        _mark_seen(run, command)
        run.observer.ignore(command, "return_path is empty")
        return
    for name, text in texts.items():
        _check_header(name, text)
        setattr(reply, REPLY_FIELDS[name], text)
    reply.expands_file = "expand" in command.flags
    reply.returns_message = "return message" in command.flags
    reply.once_repeat = _seconds(reply.once_repeat_text)
    run.outcome.actions.append(reply)
    run.observer.reply(command, reply)


def _return_path(run: Run) -> str:
    context = run.context
    changed = context.address.errors_to
    return context.message.sender if changed is None else changed


REPLY_FIELDS: Final = {
    "to": "to",
    "cc": "cc",
    "bcc": "bcc",
    "from": "from_",
    "reply_to": "reply_to",
    "subject": "subject",
    "extra_headers": "headers",
    "text": "text",
    "file": "file",
    "log": "log",
    "once": "once",
    "once_repeat": "once_repeat_text",
}
IN_HEADERS: Final = frozenset({"to", "cc", "bcc", "from", "reply_to", "subject"})
BREAK_IN_HEADER: Final = re.compile(r"\n(?![ \t])")
BREAK_IN_HEADERS: Final = re.compile(r"\n(?![ \t]|[!-9;-~]+:)")


def _check_header(name: str, text: str) -> None:
    """A newline in a header line must go on with a space, or it would begin another header."""
    fault, what = {"extra_headers": (BREAK_IN_HEADERS, " or valid header name")}.get(name, (BREAK_IN_HEADER, ""))
    if (name in IN_HEADERS or name == "extra_headers") and fault.search(text):
        shown = printing(text, tab=True)
        raise FilterError(f'\\n not followed by space{what} in "{shown}" in mail command')


def _seconds(text: str) -> float:
    """A time; 0 for what is none, as in Exim."""
    try:
        return float(seconds(text)) if text else 0.0
    except ValueError:
        return 0.0


def _verdict(run: Run, command: Command) -> None:
    run.outcome.verdict = command.name
    run.outcome.message = run.argument(command)
    run.observer.note(command, run.outcome.message)
    raise Ended


def _finish(run: Run, command: Command) -> None:
    _mark_seen(run, command)
    run.observer.note(command, "")
    raise Ended


def _mark_seen(run: Run, command: Command) -> None:
    """``seen`` before a command that delivers nothing counts as a delivery all the same."""
    if command.seen:
        from eximious.filters.actions import Action

        run.outcome.actions.append(Action(is_significant=True))


def _add(run: Run, command: Command) -> None:
    number_text = run.argument(command, "number")
    variable = run.argument(command, "variable")
    if len(variable) != 2 or variable[0] != "n" or variable[1] not in "0123456789":
        raise FilterError(f'unknown variable "{variable}" in "add" command')
    number = integer(number_text.lstrip())
    if number is None:
        raise FilterError(f'malformed number "{number_text}" in "add" command')
    run.counters[int(variable[1])] += number
    run.observer.note(command, f"{number} to {variable}")


def _headers(run: Run, command: Command) -> None:
    what = command.arguments["what"]
    text = run.argument(command)
    if what == "add":
        run.observer.note(command, f'add "{text}"')
        run.observer.header_add(text)
    elif what == "remove":
        run.observer.note(command, f'remove "{text}"')
        run.observer.header_remove(text)
    else:
        run.observer.note(command, f'charset "{text}"')
        run.context.facts["headers_charset"] = text


def _logfile(run: Run, command: Command) -> None:
    _mark_seen(run, command)
    mode = _octal(command.arguments.get("mode"))
    run.observer.log_file(command, run.argument(command), 0o600 if mode is None else mode)


def _logwrite(run: Run, command: Command) -> None:
    _mark_seen(run, command)
    if run.forbids_logwrite:
        raise FilterError("logwrite command forbidden")
    text = run.argument(command)
    run.observer.log_write(command, text if text.endswith("\n") else text + "\n")


def _testprint(run: Run, command: Command) -> None:
    _mark_seen(run, command)
    run.observer.note(command, run.argument(command))


OBEY: Final[dict[str, Callable[[Run, Command], None]]] = {
    "add": _add,
    "defer": _verdict,
    "deliver": _deliver,
    "fail": _verdict,
    "finish": _finish,
    "freeze": _verdict,
    "headers": _headers,
    "logfile": _logfile,
    "logwrite": _logwrite,
    "mail": _reply,
    "pipe": _pipe,
    "save": _save,
    "testprint": _testprint,
    "vacation": _reply,
}
