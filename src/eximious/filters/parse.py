"""The text of a filter to commands. Every fault is a FilterError with Exim's words."""

from __future__ import annotations

from typing import Final

from eximious.filters.conditions import parse_condition
from eximious.filters.lexer import FilterError, Lexer
from eximious.filters.tree import Command

DEEPEST: Final = 100  # ifs in each other
MOST_COMMANDS: Final = 10_000
PREFIXES: Final = ("seen", "unseen", "noerror")
WITHOUT_PREFIX: Final = ("add", "headers", "if")
ENDS: Final = ("elif", "else", "endif")
# What may stand in mail and vacation, and whether a text follows.
REPLY_TEXTS: Final = (
    "to",
    "cc",
    "bcc",
    "from",
    "reply_to",
    "subject",
    "extra_headers",
    "text",
    "file",
    "log",
    "once",
    "once_repeat",
)
VACATION: Final = {
    "subject": "On vacation",
    "file": ".vacation.msg",
    "log": ".vacation.log",
    "once": ".vacation",
    "once_repeat": "7d",
}


class Rules:
    """What the filter may do."""

    __slots__ = ("allowed", "is_system", "may_log", "writes_logs")

    def __init__(
        self,
        allowed: frozenset[str] = frozenset(),
        *,
        is_system: bool = False,
        may_log: bool = True,
        writes_logs: bool = True,
    ) -> None:
        self.allowed = frozenset(("defer", "fail", "freeze")) if is_system else allowed  # of these three
        self.is_system = is_system
        self.may_log = may_log  # False: ``logwrite`` is an error
        self.writes_logs = writes_logs  # False: it does nothing


def parse(text: str, rules: Rules) -> list[Command]:
    """The commands of a filter."""
    return _Parser(Lexer(text), rules).whole()


class _Parser:
    def __init__(self, lexer: Lexer, rules: Rules) -> None:
        self.lexer = lexer
        self.rules = rules
        self.count = 0

    def whole(self) -> list[Command]:
        commands, end = self.commands(0)
        if end:
            raise FilterError(f'unexpected "{end}" command near line {self.lexer.line} of filter file')
        return commands

    def commands(self, depth: int) -> tuple[list[Command], str]:
        """Commands up to the end, or to the ``elif``, ``else`` or ``endif`` that is given with them."""
        found: list[Command] = []
        while not self.lexer.at_end:
            seen, no_error, word = self.prefixes()
            if word in ENDS:
                if depth and (no_error or seen is not None):
                    line = self.lexer.line
                    raise FilterError(f'"seen", "unseen", or "noerror" near line {line} is not followed by a command')
                return found, word
            found.append(self.command(word, seen, no_error, depth))
            self.count += 1
            if self.count > MOST_COMMANDS:
                raise FilterError("too many commands in filter file")
        return found, ""

    def prefixes(self) -> tuple[bool | None, bool, str]:
        """``seen``, ``unseen`` and ``noerror`` before a command, and the word that follows."""
        seen: bool | None = None
        no_error = False
        word = self.lexer.word()
        while word in PREFIXES:
            if word == "noerror":
                no_error = True
            elif seen is not None:
                raise FilterError(f'"seen" or "unseen" repeated near line {self.lexer.line}')
            else:
                seen = word == "seen"
            if self.lexer.at_end:
                names = '"noerror"' if word == "noerror" else '"seen" or "unseen"'
                raise FilterError(f"{names} near line {self.lexer.line} is not followed by a command")
            word = self.lexer.word()
        if (no_error or seen is not None) and word in WITHOUT_PREFIX:
            line = self.lexer.line
            raise FilterError(f'"seen", "unseen", or "noerror" found before an "{word}" command near line {line}')
        return seen, no_error, word

    def command(self, word: str, seen: bool | None, no_error: bool, depth: int) -> Command:
        reader = READERS.get(word)
        if reader is None and word != "if":
            raise FilterError(f'unknown filtering command "{word}" near line {self.lexer.line} of filter file')
        command = Command(word)
        command.seen, command.no_error = seen, no_error
        if reader is None:
            self.conditional(command, depth + 1)
        else:
            reader(self, command)
        return command

    def conditional(self, command: Command, depth: int) -> None:
        if depth > DEEPEST:
            raise FilterError(f'too many nested "if" commands near line {self.lexer.line} of filter file')
        end = "if"
        while end in ("if", "elif"):
            condition = parse_condition(self.lexer)
            self.lexer.word()  # then
            commands, end = self.commands(depth)
            command.branches.append((condition, commands))
        if end == "else":
            commands, end = self.commands(depth)
            command.branches.append((None, commands))
        if end == "":
            raise FilterError('"endif" missing at end of filter file')
        if end != "endif":
            raise FilterError(f'"endif" missing near line {self.lexer.line} of filter file')

    def text(self, command: Command) -> str:
        """The argument that a command must have."""
        text = self.lexer.item()
        if not text:
            raise FilterError(f'"{command.name}" requires an argument near line {self.lexer.line} of filter file')
        return text

    # --- commands ---------------------------------------------------------------------------------------------------

    def deliver(self, command: Command) -> None:
        command.arguments["address"] = self.text(command)
        if self.lexer.next_is("errors_to"):
            command.arguments["errors_to"] = self.lexer.item()

    def save(self, command: Command) -> None:
        command.arguments["path"] = self.text(command)
        if self.lexer.peek().isdigit():
            command.arguments["mode"] = self.lexer.word()

    def argument(self, command: Command) -> None:
        command.arguments["text"] = self.text(command)

    def logfile(self, command: Command) -> None:
        command.arguments["text"] = self.text(command)
        if self.lexer.peek().isdigit():
            command.arguments["mode"] = self.lexer.word()

    def add(self, command: Command) -> None:
        line = self.lexer.line
        command.arguments["number"] = number = self.lexer.item()
        if not number:
            raise FilterError(f'"add" requires an argument near line {line} of filter file')
        if self.lexer.word() != "to":
            raise FilterError(f'"to" expected in "add" command near line {self.lexer.line} of filter file')
        command.arguments["variable"] = variable = self.lexer.item()
        if not variable:
            raise FilterError(f'value missing after "to" near line {self.lexer.line} of filter file')

    def finish(self, command: Command) -> None:
        return

    def verdict(self, command: Command) -> None:
        """``defer``, ``fail``, ``freeze``: with ``text`` or without it a string may follow."""
        if command.name not in self.rules.allowed:
            raise FilterError(
                f'filtering command "{command.name}" is disabled: near line {self.lexer.line} of filter file'
            )
        if self.lexer.next_is("text") or self.lexer.peek() == '"':
            command.arguments["text"] = self.lexer.item()

    def headers(self, command: Command) -> None:
        if self.lexer.at_end:
            raise FilterError(f'"headers" requires an argument near line {self.lexer.line} of filter file')
        word = self.lexer.next_is("add", "remove", "charset")
        if word != "charset" and not self.rules.is_system:
            raise FilterError(
                f"header addition and removal is available only in system filters: near line {self.lexer.line} "
                "of filter file"
            )
        if not word:
            raise FilterError(
                f'"add", "remove", or "charset" expected after "headers" near line {self.lexer.line} of filter file'
            )
        command.arguments["what"] = word
        command.arguments["text"] = text = self.lexer.item()
        if not text:
            raise FilterError(
                f'value missing after "add", "remove", or "charset" near line {self.lexer.line} of filter file'
            )

    def mail(self, command: Command) -> None:
        while True:
            word = self.lexer.next_is(*REPLY_TEXTS, "expand", "return")
            if not word:
                break
            if word == "expand":
                if not self.lexer.next_is("file"):
                    line = self.lexer.line
                    raise FilterError(f'"expand" not followed by "file"  near line {line} of filter file')
                command.flags.add("expand")
                command.arguments["file"] = self.lexer.item()
            elif word == "return":
                if not self.lexer.next_is("message"):
                    line = self.lexer.line
                    raise FilterError(f'"return" not followed by "message"  near line {line} of filter file')
                command.flags.add("return message")
            else:
                command.arguments[word] = self.lexer.item()
        if command.name == "vacation":
            if "file" not in command.arguments:
                command.flags.add("expand")
            for name, text in VACATION.items():
                command.arguments.setdefault(name, text)


READERS: Final = {
    "add": _Parser.add,
    "defer": _Parser.verdict,
    "deliver": _Parser.deliver,
    "fail": _Parser.verdict,
    "finish": _Parser.finish,
    "freeze": _Parser.verdict,
    "headers": _Parser.headers,
    "logfile": _Parser.logfile,
    "logwrite": _Parser.argument,
    "mail": _Parser.mail,
    "pipe": _Parser.argument,
    "save": _Parser.save,
    "testprint": _Parser.argument,
    "vacation": _Parser.mail,
}
