"""What a filter wants done. The interpreter makes these; routers, the system filter and ``-bf`` see to them."""

from __future__ import annotations


class Action:
    """One thing to do. `is_significant`: it counts as a delivery, so that the normal one does not happen."""

    __slots__ = ("is_significant",)

    def __init__(self, *, is_significant: bool) -> None:
        self.is_significant = is_significant


class Deliver(Action):
    """Deliver to an address; bounces go to `errors_to` if given, nowhere if `no_error`."""

    __slots__ = ("address", "errors_to", "no_error")

    def __init__(self, address: str, errors_to: str, *, no_error: bool, is_significant: bool) -> None:
        super().__init__(is_significant=is_significant)
        self.address = address
        self.errors_to = errors_to
        self.no_error = no_error


class Save(Action):
    """Append to a file, whose mode is `mode` if it is given (None: as the transport says)."""

    __slots__ = ("mode", "no_error", "path")

    def __init__(self, path: str, mode: int | None, *, no_error: bool, is_significant: bool) -> None:
        super().__init__(is_significant=is_significant)
        self.path = path
        self.mode = mode
        self.no_error = no_error


class Pipe(Action):
    """Give the message to a command. Its arguments are expanded when it runs; `captures` are $0 and so on for that."""

    __slots__ = ("captures", "command", "counters", "no_error")

    def __init__(
        self, command: str, captures: list[str], counters: list[int], *, no_error: bool, is_significant: bool
    ) -> None:
        super().__init__(is_significant=is_significant)
        self.command = command
        self.captures = captures
        self.counters = counters
        self.no_error = no_error


class Reply(Action):
    """Send a message. Texts are expanded already; those that are "" were not given."""

    __slots__ = (
        "bcc",
        "cc",
        "expands_file",
        "file",
        "forbidden",
        "from_",
        "headers",
        "is_vacation",
        "log",
        "no_error",
        "once",
        "once_repeat",
        "once_repeat_text",
        "reply_to",
        "returns_message",
        "subject",
        "text",
        "to",
    )

    def __init__(self, *, is_vacation: bool, no_error: bool, is_significant: bool) -> None:
        super().__init__(is_significant=is_significant)
        self.is_vacation = is_vacation
        self.no_error = no_error
        self.to: str | None = None  # None: whoever is to get replies to the message
        self.cc = ""
        self.bcc = ""
        self.from_ = ""
        self.reply_to = ""
        self.subject = ""
        self.headers = ""
        self.text = ""
        self.file = ""
        self.expands_file = False
        self.forbidden: list[str] = []  # what may not be expanded in the file: forbid_lookup, ...
        self.log = ""
        self.once = ""
        self.once_repeat = 0.0  # seconds
        self.once_repeat_text = ""
        self.returns_message = False


class Outcome:
    """How the run of a filter ended."""

    __slots__ = ("actions", "message", "verdict")

    def __init__(self) -> None:
        self.actions: list[Action] = []
        self.verdict = ""  # "fail", "freeze" or "defer" if a command said so
        self.message = ""  # the text of that command

    @property
    def is_delivered(self) -> bool:
        """True if something significant was done, so that normal delivery does not happen."""
        return any(action.is_significant for action in self.actions)
