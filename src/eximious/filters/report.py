"""What ``-bf`` and ``-bF`` say of a filter while it runs; nothing is really done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eximious.filters.actions import Outcome, Reply
from eximious.filters.run import Observer
from eximious.logs.printing import printing

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.filters.tree import Command

LINE_FIELDS: Final = (
    ("     cc: ", "cc"),
    ("    bcc: ", "bcc"),
    ("   from: ", "from"),
    ("reply_to: ", "reply_to"),
    ("subject: ", "subject"),
    ("extra_headers: ", "extra_headers"),
    ("   text: ", "text"),
    ("   file: ", "file"),
    ("    log: ", "log"),
    ("   once: ", "once"),
    ("once_repeat: ", "once_repeat"),
)
FIELDS: Final = {"from": "from_", "extra_headers": "headers", "once_repeat": "once_repeat_text"}


class Reporter(Observer):
    """Shows what would be done."""

    is_testing = True

    def __init__(self, context: Context, show: Callable[[str], None]) -> None:
        super().__init__(context, may_log=False)
        self.show = show

    def note(self, command: Command, text: str) -> None:
        """Show a command."""
        name = command.name
        if name == "testprint":
            self.show(f"Testprint: {printing(text, tab=True)}")
        elif name in ("fail", "freeze", "defer"):
            self.show(f'{name.capitalize()} text "{printing(text, tab=True)}"')
        elif name == "headers":
            self.show(f"Headers {printing(text, tab=True)}")
        elif name == "add":
            self.show(f"Add {text}")
        else:
            self._show_seen(command, WORDS[name], text)

    def _show_seen(self, command: Command, words: str, text: str) -> None:
        seen = ""
        if command.seen is False and command.name in ("deliver", "save", "pipe"):
            seen = "Unseen "
        elif command.seen and command.name not in ("deliver", "save", "pipe"):
            seen = "Seen "
        if seen:
            words = words[0].lower() + words[1:]
        no_error = " (noerror)" if command.no_error and command.name != "finish" else ""
        self.show(f"{seen}{words}{text}{no_error}")

    def log_file(self, command: Command, path: str, mode: int) -> None:
        """Show it."""
        self._show_seen(command, "Logfile ", path)

    def log_write(self, command: Command, text: str) -> None:
        """Show it."""
        self._show_seen(command, "Logwrite ", f'"{printing(text, tab=True)}"')

    def reply(self, command: Command, reply: Reply) -> None:
        """Show a message that would be sent."""
        kind = " (vacation)" if reply.is_vacation else ""
        to = "<default>" if reply.to is None else reply.to
        seen = "Seen mail" if command.seen else "Mail"
        self.show(f"{seen} to: {to}{kind}{' (noerror)' if reply.no_error else ''}")
        for label, name in LINE_FIELDS:
            if name in command.arguments:
                text = printing(getattr(reply, FIELDS.get(name, name)), tab=True)
                self.show(f"{label}{text}{' (expanded)' if name == 'file' and reply.expands_file else ''}")
        if reply.returns_message:
            self.show("Return original message")

    def ignore(self, command: Command, reason: str) -> None:
        """Say why nothing would be done."""
        self.show(f"{command.name} command ignored because {reason}")

    def conclude(self, outcome: Outcome) -> None:
        """Show how the filter ended."""
        if outcome.verdict:
            self.show(f'Filtering ended by "{outcome.verdict}".')
        elif outcome.is_delivered:
            self.show("Filtering set up at least one significant delivery or other action.")
            self.show("No other deliveries will occur.")
        else:
            self.show("Filtering did not set up a significant delivery.")
            self.show("Normal delivery will occur.")


WORDS: Final = {
    "deliver": "Deliver message to: ",
    "save": "Save message to: ",
    "pipe": "Pipe message to: ",
    "finish": "Finish",
}
