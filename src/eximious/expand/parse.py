"""From the text of a string to its tree. The grammar is that of Exim's chapter "String expansions".

A string is read once, when the configuration is; evaluation never looks at the text again. The parser raises `Fault`
for what Exim would complain of when it reaches that place, with Exim's words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eximious.errors import did_you_mean
from eximious.expand.fault import Fault
from eximious.expand.item import find_item, known_items
from eximious.expand.nodes import EMPTY, Concatenation, Failure, Literal, Node, Refusal
from eximious.expand.operator import find_operator, known_operators
from eximious.expand.variable import acl_hint, capture, complaint_about, find_header, find_variable, known_names

if TYPE_CHECKING:
    from eximious.expand.condition import Condition

DEEPEST_NESTING: Final = 120  # items within items; the evaluator recurses as deep

_SPECIAL_OPEN = re.compile(r"[\\$]")
_SPECIAL_CLOSED = re.compile(r"[\\$}]")
_SPECIAL_CLOSED_LITERAL = re.compile(r"[\\}]")
_PLAIN = re.compile(r"(?:([^$\\}]*)|\\N([^\\]*(?:\\[^N\\][^\\]*)*)\\N)\}")  # a string in which nothing is expanded
# The same with white space and the opening brace before it: the fast way for most arguments.
PLAIN_ARGUMENT: Final = re.compile(r"[ \t\n\r\f\v]*\{" + _PLAIN.pattern)
_LAST_BRANCH = re.compile(
    r"[ \t\n\r\f\v]*(?:\{([^$\\}]*)\}[ \t\n\r\f\v]*)?\}"
)  # a second string, and the end of an item
_NAME = re.compile(r"[A-Za-z0-9_]*")
_NAME_IN_BRACES = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_DIGITS = re.compile(r"[0-9]+")
_SPACE = re.compile(r"[ \t\n\r\f\v]*")
_HEADER = re.compile(r"(r|l|b)?h(?:eader)?_")
_HEADER_NAME = re.compile(r"[!-9;-~]*")  # what is printed, up to a colon
_OCTAL = re.compile(r"[0-7]{1,3}")
_HEX = re.compile(r"[0-9A-Fa-f]{0,2}")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "v": "\v", "f": "\f"}


class Parser:
    """A text, and how far it has been read."""

    __slots__ = ("at", "depth", "text", "warnings")

    # For parsers that follow what is read: what to put in the place of a condition that began at an offset.
    on_condition: Callable[[Condition, int], Condition] | None = None

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.warnings: list[Fault] = []  # what can be parsed, but will fail when it is reached

    # Text ---------------------------------------------------------------------------------------------------------

    def whole(self) -> Node:
        """The whole string. A fault ends it: what stands before is evaluated first, as Exim would."""
        parts: list[Node] = []
        try:
            self._sequence(parts, _SPECIAL_OPEN)
        except Fault as fault:
            self.warnings.append(fault)
            parts.append(Failure(fault.message))
        return _joined(parts)

    def braced(self) -> Node:
        """An expanded string up to its closing brace, which is passed over; the opening one is behind us."""
        if self.depth >= DEEPEST_NESTING:
            raise Fault("the string is nested too deeply", self.at)
        plain = _PLAIN.match(self.text, self.at)
        if plain is not None:
            self.at = plain.end()
            text = plain[1] or plain[2]
            return Literal(text) if text else EMPTY
        self.depth += 1
        parts: list[Node] = []
        self._sequence(parts, _SPECIAL_CLOSED)
        self.depth -= 1
        self.at += 1
        return _joined(parts)

    def braced_literal(self) -> str:
        """The same for a string that is not expanded, but has its escapes interpreted."""
        parts: list[Node] = []
        self._sequence(parts, _SPECIAL_CLOSED_LITERAL)
        self.at += 1
        return "".join(part.constant or "" for part in parts)

    def _sequence(self, parts: list[Node], special: re.Pattern[str]) -> None:
        """Read parts up to the closing brace that belongs to us, or to the end of the text."""
        text = self.text
        while True:
            found = special.search(text, self.at)
            if found is None:
                if special is not _SPECIAL_OPEN:
                    self.at = len(text)
                    raise Fault("missing } at end of string", len(text))
                if self.at < len(text):
                    parts.append(Literal(text[self.at :]))
                    self.at = len(text)
                return
            start = found.start()
            if start > self.at:
                parts.append(Literal(text[self.at : start]))
            self.at = start + 1
            character = text[start]
            if character == "$":
                parts.append(self._dollar(start))
            elif character == "\\":
                parts.append(Literal(self._escape()))
            else:
                self.at = start
                return

    def _escape(self) -> str:
        """What a backslash, just passed, and its followers stand for."""
        text = self.text
        following = text[self.at : self.at + 1]
        if not following:
            raise Fault("\\ at end of string", self.at)
        if following == "N":
            end = text.find("\\N", self.at + 1)
            start = self.at + 1
            self.at = len(text) if end < 0 else end + 2
            return text[start:] if end < 0 else text[start:end]
        if octal := _OCTAL.match(text, self.at):
            self.at = octal.end()
            return chr(int(octal[0], 8) & 255)
        self.at += 1
        if following == "x":
            digits = _HEX.match(text, self.at)
            assert digits is not None
            self.at = digits.end()
            return chr(int(digits[0] or "0", 16))
        return _ESCAPES.get(following, following)

    # $... and ${...} ------------------------------------------------------------------------------------------------

    def _dollar(self, start: int) -> Node:
        """What a dollar sign, just passed, begins."""
        text = self.text
        following = text[self.at : self.at + 1]
        if following == "{":
            self.at += 1
            return self._item(start)
        if "0" <= following <= "9":
            digits = _DIGITS.match(text, self.at)
            assert digits is not None
            self.at = digits.end()
            return capture(int(digits[0]))
        if not (following.isascii() and following.isalpha()):
            raise Fault("$ not followed by letter, digit, or {", start)
        if following in "hrbl" and (header := _HEADER.match(text, self.at)):
            self.at = header.end()
            return find_header(header[1] or "", self.header_name())
        name = _NAME.match(text, self.at)
        assert name is not None
        self.at = name.end()
        return self.variable(name[0], start)

    def header_name(self) -> str:
        """The name of a header after ``$h_``, up to and with its colon, or up to white space."""
        name = _HEADER_NAME.match(self.text, self.at)
        assert name is not None
        self.at = name.end()
        if self.text[self.at : self.at + 1] == ":":
            self.at += 1
        return name[0]

    def variable(self, name: str, start: int, complaint: str = "") -> Node:
        """The variable of that name. Raises Fault with Exim's message, or the one given."""
        node = find_variable(name)
        if node is not None:
            if node.warning:
                self.warnings.append(Fault(node.warning, start))
            return node
        raise Fault(complaint or complaint_about(name), start, did_you_mean(name, known_names()))

    def _item(self, start: int) -> Node:
        """What follows ``${``: an item, an operator, or a variable in braces."""
        text = self.text
        named = _NAME_IN_BRACES.match(text, self.at)
        if named is None and (digits := _DIGITS.match(text, self.at)):
            self.at = digits.end()
            if text[self.at : self.at + 1] != "}":
                raise Fault("} expected after number", self.at)
            self.at += 1
            return capture(int(digits[0]))
        if named is None:
            raise Fault("letter or digit expected after ${", start)
        name = named[0]
        self.at = named.end()
        item = find_item(name)
        if item is not None:
            return item.parse(self, name)
        following = text[self.at : self.at + 1]
        if following == "}":
            self.at += 1
            return self.variable(name, start, f'unknown variable in "${{{name}}}"{acl_hint(name)}')
        if following == ":":
            self.at += 1
            return self._operator(name, start)
        raise Fault(
            f'"${{{name}" is not a known operator (or a }} is missing in a variable reference)',
            start,
            did_you_mean(name, known_items()),
        )

    def _operator(self, name: str, start: int) -> Node:
        """An operator, whose colon has been passed, and the text that it works on."""
        build = find_operator(name, start)
        operand = self.braced()
        if build is None:
            raise Fault(f'unknown expansion operator "{name}"', start, did_you_mean(name, known_operators()))
        return build(operand)

    # Parts of items ---------------------------------------------------------------------------------------------------

    def skip_space(self) -> str:
        """Pass over white space; the character that follows, "" at the end."""
        following = self.text[self.at : self.at + 1]
        if following > " ":
            return following
        space = _SPACE.match(self.text, self.at)
        assert space is not None
        self.at = space.end()
        return self.text[self.at : self.at + 1]

    def word(self) -> str:
        """The letters, digits and underscores that come next, perhaps none."""
        name = _NAME.match(self.text, self.at)
        assert name is not None
        self.at = name.end()
        return name[0]

    def argument(self, complaint: str) -> Node:
        """One string in braces; raises Fault with the complaint if there is none."""
        plain = PLAIN_ARGUMENT.match(self.text, self.at)
        if plain is not None:
            self.at = plain.end()
            return Literal(plain[1] or plain[2] or "")
        if self.skip_space() != "{":
            raise Fault(complaint, self.at)
        self.at += 1
        return self.braced()

    def arguments(self, least: int, most: int, name: str) -> list[Node]:
        """Strings in braces up to the brace that ends the item, which is passed over."""
        found: list[Node] = []
        while self.skip_space() == "{" and len(found) < most:
            self.at += 1
            found.append(self.braced())
        if len(found) < least:
            raise Fault(f"Not enough arguments for '{name}' (min is {least})", self.at)
        if self.text[self.at : self.at + 1] != "}":
            if self.text[self.at : self.at + 1] == "{":
                raise Fault(f"Too many arguments for '{name}' (max is {most})", self.at)
            raise Fault(f"missing '}}' after '{name}'", self.at)
        self.at += 1
        return found

    def branches(self, item: str) -> tuple[Node | None, Node]:
        """The strings for yes and no of an item that decides, and the brace that ends it, which is passed over.

        The first is None if there is neither; the second is empty if it is not given, or the word ``fail``.
        """
        following = self.skip_space()
        if following == "}":
            self.at += 1
            return None, EMPTY
        if following != "{":
            raise self._bad_branches("'yes' part did not start with '{'")
        self.at += 1
        yes = self.braced()
        no: Node = EMPTY
        last = _LAST_BRANCH.match(self.text, self.at)
        if last is not None:
            self.at = last.end()
            return yes, Literal(last[1]) if last[1] else EMPTY
        following = self.skip_space()
        if following == "{":
            self.at += 1
            no = self.braced()
        elif following != "}":
            word = self.word()
            if word != "fail":
                raise Fault(f'syntax error in "{item}" item - "fail" expected', self.at)
            if self.skip_space() != "}":
                raise self._bad_branches("did not close with '}' after forcedfail")
            self.at += 1
            return yes, Refusal(item)
        if self.skip_space() != "}":
            raise self._bad_branches("did not close with '}'")
        self.at += 1
        return yes, no

    def _bad_branches(self, what: str) -> Fault:
        rest = self.text[self.at :]
        return Fault(
            f"curly-bracket problem in conditional yes/no parsing: {what}\n remaining string is '{rest}'", self.at
        )


def _joined(parts: list[Node]) -> Node:
    """One node for several; neighbouring constants become one."""
    if len(parts) == 1:
        return EMPTY if parts[0].constant == "" else parts[0]
    joined: list[Node] = []
    for part in parts:
        if part.constant is not None:
            if not part.constant:
                continue
            if joined and joined[-1].constant is not None:
                joined[-1] = Literal(joined[-1].constant + part.constant)
                continue
        joined.append(part)
    if not joined:
        return EMPTY
    return joined[0] if len(joined) == 1 else Concatenation(joined)
