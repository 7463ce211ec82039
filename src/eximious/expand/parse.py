"""From the text of a string to its tree. The grammar is that of Exim's chapter "String expansions".

A string is read once, when the configuration is; evaluation never looks at the text again. The parser raises `Fault`
for what Exim would complain of when it reaches that place, with Exim's words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eximious.errors import did_you_mean
from eximious.expand.fault import TOO_DEEP, Fault
from eximious.expand.item import find_item, known_items
from eximious.expand.nodes import EMPTY, Concatenation, Failure, Literal, Node, Refusal
from eximious.expand.operator import find_operator, known_operators
from eximious.expand.variable import acl_hint, capture, complaint_about, find_header, find_variable, known_names

if TYPE_CHECKING:
    from eximious.expand.condition import Condition

DEEPEST_NESTING: Final = 100  # strings within strings, conditions within conditions; the evaluator recurses as deep

SPACE: Final = r"[ \t\n\r\f\v]*+"
# What stands in braces if nothing in it is expanded; all of it may be protected.
PLAIN: Final = r"\{(\\N[^\\]*+(?:\\[^N\\][^\\]*+)*+\\N|[^$\\}]*+)\}"

# A piece of a string: text, and what follows it. The groups are the text and one of those below, if any.
_REFERENCE: Final = r"\$(?:\{([A-Za-z][A-Za-z0-9_-]*+)|([A-Za-z][A-Za-z0-9_]*+)|([0-9]++))"
_ITEM, _VARIABLE, _NUMBER, _END = 2, 3, 4, 5
_PIECE = re.compile(rf"([^$\\]*+)(?:{_REFERENCE})?")
_PIECE_IN_BRACES = re.compile(rf"([^$\\}}]*+)(?:{_REFERENCE}|(\}}))?")
_LITERAL_PIECE_IN_BRACES = re.compile(r"([^\\}]*+)(\})?")

# The fast ways for arguments in which nothing is expanded, which most are not.
_ARGUMENT = re.compile(rf"{SPACE}{PLAIN}")
_LAST_BRANCH = re.compile(rf"{SPACE}(?:\{{([^$\\}}]*+)\}}{SPACE})?\}}")  # and the end of the item

_NAME = re.compile(r"[A-Za-z0-9_]*")
_DIGITS = re.compile(r"[0-9]+")
_SPACE = re.compile(SPACE)
_HEADER = re.compile(r"(r|l|b)?h(?:eader)?_")
_HEADER_NAME = re.compile(r"[!-9;-~]*")  # what is printed, up to a colon
_OCTAL = re.compile(r"[0-7]{1,3}")
_HEX = re.compile(r"[0-9A-Fa-f]{0,2}")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "v": "\v", "f": "\f"}


def plain_text(found: str) -> str:
    """The text of an argument in which nothing is expanded."""
    return found[2:-2] if found[:1] == "\\" else found


MOST_SHARED: Final = 4096
_FLAT = re.compile(r"[^{}\\]{1,60}\}")
_shared: dict[str, Node] = {}  # short strings of variables, as ``$domain}``, of which a configuration repeats many


def _share(text: str, node: Node) -> None:
    if len(_shared) >= MOST_SHARED:
        _shared.clear()
    _shared[text] = node


class Parser:
    """A text, and how far it has been read."""

    __slots__ = ("at", "depth", "read", "text", "warnings")

    # For parsers that follow what is read: what to put in the place of a condition that began at an offset.
    on_condition: Callable[[Condition, int], Condition] | None = None
    shares = True  # whether such a node may be part of several trees

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        # Where something can be read in two ways: the strings in braces that have been read, by where they begin, each
        # with its end. To read them twice, and what is in them four times, and so on, could take for ever.
        self.read: dict[int, tuple[Node | Fault, int]] | None = None
        self.warnings: list[Fault] = []  # what can be parsed, but will fail when it is reached

    # Text ---------------------------------------------------------------------------------------------------------

    def whole(self) -> Node:
        """The whole string. A fault ends it: what stands before is evaluated first, as Exim would."""
        parts: list[Node] = []
        try:
            self._sequence(parts, _PIECE, _PIECE.match(self.text))
        except Fault as fault:
            self.warnings.append(fault)
            parts.append(Failure(fault.message))
        except RecursionError:
            self.warnings.append(Fault(TOO_DEEP, 0))
            parts.append(Failure(TOO_DEEP))
        return _together(parts)

    def braced(self) -> Node:
        """An expanded string up to its closing brace, which is passed over; the opening one is behind us."""
        found = _PIECE_IN_BRACES.match(self.text, self.at)
        assert found is not None
        kind = found.lastindex
        if kind == _END:
            self.at = found.end()
            return Literal(found[1]) if found[1] else EMPTY
        flat = None
        if kind in (_VARIABLE, _NUMBER):
            flat = _FLAT.match(self.text, self.at)
            if flat is not None and self.shares and flat[0] in _shared:
                self.at = flat.end()
                return _shared[flat[0]]
        warnings = len(self.warnings)
        node = self._nested(found) if self.read is None else self._nested_once(found)
        if flat is not None and self.shares and self.at == flat.end() and len(self.warnings) == warnings:
            _share(flat[0], node)
        return node

    def _nested(self, found: re.Match[str]) -> Node:
        """The parts of a string in braces, which begins with a piece."""
        self.enter()
        parts: list[Node] = []
        self._sequence(parts, _PIECE_IN_BRACES, found)
        self.depth -= 1
        return _together(parts)

    def _nested_once(self, found: re.Match[str]) -> Node:
        """The same for a string that may have been read before."""
        assert self.read is not None
        start = self.at
        known = self.read.get(start)
        if known is None:
            try:
                known = self._nested(found), self.at
            except Fault as fault:
                known = fault, start
            self.read[start] = known
        result, self.at = known
        if isinstance(result, Fault):
            raise result
        return result

    def enter(self) -> None:
        """Something within something begins. Raises Fault if that is one too many."""
        if self.depth >= DEEPEST_NESTING:
            raise Fault(TOO_DEEP, self.at)
        self.depth += 1

    def braced_literal(self) -> str:
        """The same for a string that is not expanded, but has its escapes interpreted."""
        pieces: list[str] = []
        while True:
            found = _LITERAL_PIECE_IN_BRACES.match(self.text, self.at)
            assert found is not None
            pieces.append(found[1])
            self.at = found.end()
            if found[2]:
                return "".join(pieces)
            pieces.append(self._escape())

    def _sequence(self, parts: list[Node], pattern: re.Pattern[str], found: re.Match[str] | None) -> None:
        """Read parts from a piece on, up to and with the closing brace that belongs to us, or the end of the text."""
        text = self.text
        constant = ""  # text that has not become a part yet
        while found is not None:  # a piece may be empty: there always is one
            constant += found[1]
            self.at = found.end()
            kind = found.lastindex
            if kind == _END:
                break
            if kind != 1 or text[self.at : self.at + 1] == "$":
                node = self._reference(found)
                if node.constant is not None:
                    constant += node.constant
                else:
                    if constant:
                        parts.append(Literal(constant))
                        constant = ""
                    parts.append(node)
            elif self.at < len(text) or pattern is not _PIECE:
                constant += self._escape()
            else:
                break
            found = pattern.match(text, self.at)
        if constant:
            parts.append(Literal(constant))

    def _escape(self) -> str:
        """What a backslash and its followers stand for. It stands here, unless the text has ended."""
        text = self.text
        if self.at == len(text):
            raise Fault("missing } at end of string", self.at)
        self.at += 1
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

    def _reference(self, found: re.Match[str]) -> Node:
        """What the dollar sign of a piece begins, which has been passed over as far as the piece goes."""
        kind = found.lastindex
        start = found.end(1)
        if kind == _ITEM:
            name = found[_ITEM]
            item = find_item(name)
            return self._other_item(name, start) if item is None else item.parse(self, name)
        if kind == _NUMBER:
            return capture(int(found[_NUMBER]))
        if kind == _VARIABLE:
            name = found[_VARIABLE]
            if name[0] in "hrbl" and (header := _HEADER.match(name)):
                self.at = start + 1 + header.end()
                return find_header(header[1] or "", self.header_name())
            return self.variable(name, start)
        return self._number_in_braces(start)

    def _number_in_braces(self, start: int) -> Node:
        """``${1}``, or nothing that may follow a dollar sign."""
        text = self.text
        if text[start + 1 : start + 2] != "{":
            raise Fault("$ not followed by letter, digit, or {", start, "a dollar sign itself is written \\$")
        digits = _DIGITS.match(text, start + 2)
        if digits is None:
            raise Fault("letter or digit expected after ${", start)
        self.at = digits.end()
        if text[self.at : self.at + 1] != "}":
            raise Fault("} expected after number", self.at)
        self.at += 1
        return capture(int(digits[0]))

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

    def _other_item(self, name: str, start: int) -> Node:
        """An operator, or a variable in braces, whose name has been read."""
        following = self.text[self.at : self.at + 1]
        if following == "}":
            self.at += 1
            return self.variable(name, start, f'unknown variable in "${{{name}}}"{acl_hint(name)}')
        if following == ":":
            self.at += 1
            return self._operator(name, start)
        raise Fault(
            f'"${{{name}" is not a known operator (or a }} is missing in a variable reference)',
            start,
            self._intended(name),
        )

    def _intended(self, name: str) -> str:
        """What was probably meant by a name of no item."""
        if self.text[self.at : self.at + 1] == "{" and name.partition("_")[0] in known_operators():
            return f"an operator has a colon: ${{{name}:...}}"
        return did_you_mean(name, known_items())

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

    def expect(self, brace: str, complaint: str) -> None:
        """Pass over a brace, and white space before it; raises Fault with the complaint if there is none."""
        if self.skip_space() != brace:
            raise Fault(complaint, self.at)
        self.at += 1

    def word(self) -> str:
        """The letters, digits and underscores that come next, perhaps none."""
        name = _NAME.match(self.text, self.at)
        assert name is not None
        self.at = name.end()
        return name[0]

    def argument(self, complaint: str) -> Node:
        """One string in braces; raises Fault with the complaint if there is none."""
        plain = _ARGUMENT.match(self.text, self.at)
        if plain is not None:
            self.at = plain.end()
            return Literal(plain_text(plain[1]))
        self.expect("{", complaint)
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
        message = f"curly-bracket problem in conditional yes/no parsing: {what}\n remaining string is '{rest}'"
        return Fault(message, self.at, "" if rest else "a closing brace is missing")


def _together(parts: list[Node]) -> Node:
    """One node for several."""
    if len(parts) == 1:
        return parts[0]
    return Concatenation(parts) if parts else EMPTY
