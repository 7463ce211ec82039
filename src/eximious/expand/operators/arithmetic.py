"""``${eval``: arithmetic in 64 bits, with C's operators."""

from __future__ import annotations

import re
from typing import Final

from eximious.errors import ExpandError
from eximious.expand.numbers import wrapped
from eximious.expand.operator import operator
from eximious.taint import Tainted

DEEPEST: Final = 60  # parentheses and signs within each other

_SPACE = re.compile(r"[ \t\n\r\f\v]*")
_NUMBER = re.compile(r"0[xX][0-9A-Fa-f]*|[0-9]+")
_DECIMAL = re.compile(r"[0-9]+")
_OCTAL = re.compile(r"0[0-7]*")
_FACTORS: Final = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
# Binary operators by how strongly they bind, the weakest first.
_LEVELS: Final = (("|",), ("^",), ("&",), ("<<", ">>"), ("+", "-"), ("*", "/", "%"))


@operator("eval", is_clean=True)
def evaluate(text: str) -> str:
    """The value of an expression; numbers may be decimal, octal (``010``) or hexadecimal (``0x10``)."""
    return _Expression(text, decimal=False).value()


@operator("eval10", is_clean=True)
def evaluate_decimal(text: str) -> str:
    """The same with decimal numbers only, whatever they begin with."""
    return _Expression(text, decimal=True).value()


class _Expression:
    """A text, and how far it has been evaluated."""

    def __init__(self, text: str, *, decimal: bool) -> None:
        if text.__class__ is Tainted:
            raise ExpandError(f"attempt to use tainted string '{text}' in an arithmetic expression")
        self.text = text
        self.decimal = decimal
        self.at = 0
        self.depth = 0

    def value(self) -> str:
        """The value of the whole text. Raises ExpandError with Exim's words and what came before the fault."""
        number = self._binary(0)
        self._skip()
        if self.at < len(self.text):
            raise self._error("expecting operator")
        return str(number)

    def _skip(self) -> None:
        space = _SPACE.match(self.text, self.at)
        assert space is not None
        self.at = space.end()

    def _error(self, what: str) -> ExpandError:
        return ExpandError(f'error in expression evaluation: {what} (after processing "{self.text[: self.at]}")')

    def _binary(self, level: int) -> int:
        """What is joined by operators of this level, from left to right."""
        if level == len(_LEVELS):
            return self._operand()
        left = self._binary(level + 1)
        while True:
            self._skip()
            mark = next((mark for mark in _LEVELS[level] if self.text.startswith(mark, self.at)), None)
            if mark is None:
                return left
            self.at += len(mark)
            left = self._apply(mark, left, self._binary(level + 1))

    def _apply(self, mark: str, left: int, right: int) -> int:
        if mark == "+":
            return wrapped(left + right)
        if mark == "-":
            return wrapped(left - right)
        if mark == "*":
            return wrapped(left * right)
        if mark == "/":
            if right == 0:
                raise self._error("divide by zero")
            return min(_towards_zero(left, right), (1 << 63) - 1)
        if mark == "%":
            if right == 0:
                raise self._error("modulo by zero")
            return left - right * _towards_zero(left, right)
        if mark == "<<":
            return wrapped(left << (right & 63))
        if mark == ">>":
            return left >> (right & 63)
        if mark == "&":
            return left & right
        return left ^ right if mark == "^" else left | right

    def _operand(self) -> int:
        """A number, something in parentheses, or a sign and another operand."""
        self._skip()
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._error("nested too deeply")
        try:
            return self._unary(self.text[self.at : self.at + 1])
        finally:
            self.depth -= 1

    def _unary(self, mark: str) -> int:
        if mark in ("-", "~", "+"):
            self.at += 1
            operand = self._operand()
            return wrapped(-operand) if mark == "-" else ~operand if mark == "~" else operand
        if mark != "(":
            return self._number()
        self.at += 1
        inside = self._binary(0)
        self._skip()
        if self.text[self.at : self.at + 1] != ")":
            raise self._error("expecting closing parenthesis")
        self.at += 1
        return inside

    def _number(self) -> int:
        found = (_DECIMAL if self.decimal else _NUMBER).match(self.text, self.at)
        if found is None:
            raise self._error("expecting number or opening parenthesis")
        digits = found[0]
        if self.decimal or digits[0] != "0":
            number = int(digits[:40])
        elif digits[1:2] in ("x", "X"):
            number = int(digits[2:40] or "0", 16)
        else:
            found = _OCTAL.match(self.text, self.at)
            assert found is not None
            number = int(found[0][:40], 8)
        self.at = found.end()
        number = min(number, (1 << 63) - 1)
        factor = _FACTORS.get(self.text[self.at : self.at + 1].lower())
        if factor is not None:
            self.at += 1
            number = wrapped(number * factor)
        return number


def _towards_zero(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient
