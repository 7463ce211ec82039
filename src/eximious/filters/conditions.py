"""Conditions of filters: parsed to a tree. ``and`` binds tighter than ``or``."""

from __future__ import annotations

from typing import Final

from eximious.filters.lexer import FilterError, Lexer
from eximious.filters.tree import All, Any, Condition, ForAnyAddress, Not, Personal, Test

DEEPEST: Final = 100  # parentheses in each other
ALONE: Final = frozenset({"delivered", "error_message", "first_delivery", "manually_thawed"})
# Words for tests, and which test it is. In capitals they make the case of letters matter.
TESTS: Final = {
    "begins": "begins",
    "begin": "begins",
    "contains": "contains",
    "contain": "contains",
    "ends": "ends",
    "end": "ends",
    "matches": "matches",
    "match": "matches",
    "is": "is",
}
CASEFUL_TESTS: Final = {word.upper(): kind for word, kind in TESTS.items()}
NUMERIC_TESTS: Final = {"above": "above", "below": "below"}
WORDS: Final = TESTS | CASEFUL_TESTS | NUMERIC_TESTS


def parse_condition(lexer: Lexer, depth: int = 0) -> Condition:
    """A condition up to ``then``, or at `depth` to the closing parenthesis, which stay."""
    if depth > DEEPEST:
        raise FilterError(f"conditions nested too deeply near line {lexer.line} of filter file")
    alternatives: list[list[Condition]] = [[]]
    while True:
        alternatives[-1].append(_one(lexer, depth))
        if lexer.peek() in ("(", ")"):
            if lexer.peek() == ")" and depth:
                return _any(alternatives)
            raise FilterError(f'unexpected "{lexer.peek()}" in line {lexer.line} of filter file')
        position, line = lexer.position, lexer.line
        word = lexer.word()
        if word == "and":
            continue
        if word == "or":
            alternatives.append([])
            continue
        if word == "then" and not depth:
            lexer.position, lexer.line = position, line
            return _any(alternatives)
        if word == "then":
            raise FilterError(f'missing ")" at end of condition near line {lexer.line} of filter file')
        end = ")" if depth else "then"
        raise FilterError(
            f'"and" or "or" or "{end}" expected near line {lexer.line} of filter file, but found "{word}"'
        )


def _any(alternatives: list[list[Condition]]) -> Condition:
    joined: list[Condition] = [each[0] if len(each) == 1 else All(each) for each in alternatives]
    return joined[0] if len(joined) == 1 else Any(joined)


def _one(lexer: Lexer, depth: int) -> Condition:
    """One condition, with all the ``not`` before it."""
    if lexer.at_end:
        raise FilterError('"then" missing at end of filter file')
    position, line = lexer.position, lexer.line
    word = lexer.word(brackets_end=True)
    if word == "not":
        return _negated(lexer, depth)
    if word == "(":
        condition = parse_condition(lexer, depth + 1)
        lexer.word(brackets_end=True)
        return condition
    if word == ")":
        raise FilterError(f'unexpected ")" in line {line} of filter file')
    if word == "then":
        raise FilterError(f'unexpected "then" near line {lexer.line} of filter file')
    if word in ALONE:
        return Test(word)
    if word == "personal":
        return _personal(lexer)
    if word == "foranyaddress":
        return _for_any_address(lexer, depth)
    lexer.position, lexer.line = position, line
    return _test(lexer)


def _negated(lexer: Lexer, depth: int) -> Condition:
    """What follows a ``not``; two of them cancel out."""
    is_negated = True
    while lexer.next_is("not"):
        is_negated = not is_negated
    condition = _one(lexer, depth)
    return Not(condition) if is_negated else condition


def _personal(lexer: Lexer) -> Condition:
    aliases = []
    while lexer.peek() not in ("(", ")") and lexer.next_is("alias"):
        aliases.append(lexer.item(brackets_end=True))
    return Personal(aliases)


def _for_any_address(lexer: Lexer, depth: int) -> Condition:
    addresses = lexer.item(brackets_end=True)
    if lexer.word(brackets_end=True) != "(":
        raise FilterError(f'"(" expected after "foranyaddress" near line {lexer.line} of filter file')
    condition = parse_condition(lexer, depth + 1)
    lexer.word(brackets_end=True)
    return ForAnyAddress(addresses, condition)


def _test(lexer: Lexer) -> Condition:
    """``text is text`` and its kin."""
    left = lexer.item(brackets_end=True)
    word = lexer.word(brackets_end=True)
    is_negated = False
    if word.lower() in ("does", "is"):
        first = word
        position = lexer.position
        word = lexer.word(brackets_end=True)
        if word.lower() == "not":
            is_negated = True
            position = lexer.position
            word = lexer.word(brackets_end=True)
        if first.lower() == "is" and word not in WORDS:
            # A test by itself, and what follows is what is compared.
            lexer.position = position
            word = "is" if first[0] == "i" else "IS"
    kind = WORDS.get(word)
    if kind is None:
        raise FilterError(f'unrecognized condition word "{word}" near line {lexer.line} of filter file')
    return Test(kind, left, lexer.item(brackets_end=True), is_caseful=word in CASEFUL_TESTS, is_negated=is_negated)
