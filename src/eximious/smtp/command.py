"""The commands of SMTP: how a line is recognised as one, as Exim does it."""

from __future__ import annotations

import re
from typing import Final

from eximious.octets import SPACE

# Verbs that stand alone; anything after them is refused.
WITHOUT_ARGUMENT: Final = frozenset({"RSET", "DATA", "QUIT", "STARTTLS"})
VERBS: Final = (
    frozenset({"HELO", "EHLO", "AUTH", "NOOP", "HELP", "VRFY", "EXPN", "ETRN", "BDAT", "MAIL", "RCPT"})
    | WITHOUT_ARGUMENT
)
WITH_COLON: Final = {"MAIL": "FROM:", "RCPT": "TO:"}  # exactly one space between, none before the colon

# After these the client may send on without waiting for the answer. RFC 2920 has fewer, Exim lets these pass.
MAY_SEND_ON: Final = frozenset({"HELP", "AUTH", "BDAT", "QUIT"})
MAY_SEND_ON_WITH_PIPELINING: Final = MAY_SEND_ON | {"RSET", "MAIL", "RCPT"}
_WITH_RESPONSE: Final = re.compile(r"^(AUTH[ \t]+[^ \t\r\n]+[ \t]+)[^\r\n]+", re.IGNORECASE | re.MULTILINE)


class Command:
    """One command: `verb` is in capitals, `argument` without white space around it, `line` as it came.

    For MAIL and RCPT the argument begins after the colon. An unknown command has the verb "".
    """

    __slots__ = ("argument", "line", "verb")

    def __init__(self, verb: str, argument: str = "", line: str = "") -> None:
        self.verb = verb
        self.argument = argument
        self.line = line or f"{verb} {argument}".rstrip(SPACE)

    def __repr__(self) -> str:
        return f"Command({self.verb!r}, {self.argument!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Command) and (self.verb, self.argument, self.line) == (
            other.verb,
            other.argument,
            other.line,
        )

    __hash__ = None  # type: ignore[assignment]

    def may_be_followed(self, with_pipelining: bool) -> bool:
        """True if a well-behaved client may have sent more already (see `smtp_enforce_sync`)."""
        return self.verb in (MAY_SEND_ON_WITH_PIPELINING if with_pipelining else MAY_SEND_ON)


def without_secrets(text: str) -> str:
    """Lines from a client as logs may have them: the response that comes with AUTH may be a password, and is stars."""
    return _WITH_RESPONSE.sub(r"\1***", text)


def parse_command(line: str) -> Command:
    """The command in a line, whose line end is gone already."""
    text = line.rstrip(" \t\r\n\v\f")
    verb, _, rest = text.partition(" ")
    verb = verb.upper()
    argument = rest.lstrip(" \t\r\n\v\f")
    if verb in WITH_COLON:
        keyword = WITH_COLON[verb]
        if rest[: len(keyword)].upper() != keyword:
            return Command("", "", text)
        argument = rest[len(keyword) :].lstrip(" \t\r\n\v\f")
    elif verb not in VERBS:
        return Command("", "", text)
    return Command(verb, argument, text)
