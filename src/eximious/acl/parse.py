"""Reading the lines of one access control list. (Exim specification, "Format of an ACL".)"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from functools import partial
from typing import Final

from eximious.acl.compiled import VERBS, WITH_ENDPASS, Acl, Item, Statement
from eximious.acl.declare import Declaration, conditions, modifiers
from eximious.acl.verdict import AclError
from eximious.config.lines import Line
from eximious.errors import ConfigError, Place, did_you_mean
from eximious.expand import template
from eximious.octets import SPACE

WORD: Final = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\s*")
VARIABLE: Final = re.compile(r"acl_([cm](?:[0-9]|_)[A-Za-z0-9_]*)(?=[\s=]|$)\s*")
DKIM_RESULT: Final = re.compile(r"(dkim_verify_(?:status|reason))[ \t]*(?==)")


class Cursor:
    """A logical line being read, from the left."""

    __slots__ = ("line", "position", "text")

    def __init__(self, line: Line) -> None:
        self.line = line
        self.text = line.text
        self.position = 0

    def word(self) -> str:
        """Take the word that comes next, and the white space after it; "" if something else comes."""
        found = WORD.match(self.text, self.position)
        if found is None:
            return ""
        self.position = found.end()
        return found[1]

    def take(self, character: str) -> bool:
        """Take this character and the white space after it, if it comes next."""
        if not self.text.startswith(character, self.position):
            return False
        self.position += 1
        while self.position < len(self.text) and self.text[self.position] in SPACE:
            self.position += 1
        return True

    @property
    def rest(self) -> str:
        """What has not been taken."""
        return self.text[self.position :]

    @property
    def place(self) -> Place:
        """Where reading has come to."""
        return self.line.place(self.position)

    def fault(self, message: str, hint: str = "") -> ConfigError:
        """An error that points here."""
        return ConfigError(message, self.place, hint)


def parse(name: str, lines: Iterable[Line], faults: list[ConfigError]) -> Acl:
    """The ACL that the logical lines describe; what is wrong with them is added to `faults`, and left out."""
    acl = Acl(name)
    for line in lines:
        try:
            _line(acl, Cursor(line))
        except ConfigError as fault:
            faults.append(fault)
    return acl


def _line(acl: Acl, cursor: Cursor) -> None:
    text = cursor.text
    word = cursor.word()
    if word in VERBS:
        acl.statements.append(Statement(word, cursor.line.place()))
        if not cursor.rest:
            return
    elif not acl.statements:
        cursor.position = 0
        if not word:
            raise cursor.fault(f'malformed ACL line "{text}"')
        raise cursor.fault(f'unknown ACL verb "{word}" in "{text}"', did_you_mean(word, VERBS))
    else:
        cursor.position = 0
    statement = acl.statements[-1]
    negated = cursor.take("!")
    start = cursor.position
    word = cursor.word()
    declaration = _find(word)
    if declaration is None:
        cursor.position = start
        if word in VERBS and negated:
            raise cursor.fault(f'malformed ACL line "{text}"')
        hint = did_you_mean(word, {*conditions.load_all(), *modifiers.load_all(), *VERBS}) if word else ""
        raise cursor.fault(f'unknown ACL condition/modifier in "{text}"', hint)
    if declaration.later:
        cursor.position = start
        raise cursor.fault(f'ACL {declaration.kind} "{word}": {declaration.later} is not part of this version')
    _add(acl, statement, declaration, cursor, negated=negated)


def _find(word: str) -> Declaration | None:
    return conditions.find(word) or modifiers.find(word) if word else None


def _add(acl: Acl, statement: Statement, declaration: Declaration, cursor: Cursor, *, negated: bool) -> None:
    name = declaration.name
    if negated and declaration.is_modifier:
        raise cursor.fault(f'ACL error: negation is not allowed with "{name}"')
    if name == "endpass":
        if statement.verb not in WITH_ENDPASS:
            raise cursor.fault(f'ACL error: "endpass" is not allowed with "{statement.verb}"')
        statement.endpass_at = len(statement.items)
        return
    variable = _variable(cursor) if name == "set" else ""
    if not cursor.take("="):
        raise cursor.fault(f'"=" missing after ACL "{name}" {declaration.kind}')
    item = Item(declaration, cursor.rest, cursor.place, negated=negated)
    if variable:
        item.name = f"set {variable}" if variable.startswith("dkim") else f"set acl_{variable}"
        item.function = partial(declaration.function, variable)
    _compile(acl, item)
    statement.items.append(item)


def _variable(cursor: Cursor) -> str:
    """The variable's name after ``set`` (without ``acl_``)."""
    result = DKIM_RESULT.match(cursor.text, cursor.position)
    if result is not None:
        cursor.position = result.end()
        return result[1]
    found = VARIABLE.match(cursor.text, cursor.position)
    if found is None:
        why = "digit or underscore must follow acl_c or acl_m"
        if not cursor.rest.startswith(("acl_c", "acl_m")):
            why = 'must start "acl_c" or "acl_m"'
        raise cursor.fault(f'invalid variable name after "set" in ACL modifier "set {cursor.rest}" ({why})')
    cursor.position = found.end()
    return found[1]


def _compile(acl: Acl, item: Item) -> None:
    """Prepare the argument: a list, a template, or, if the text is constant, its value."""
    argument = item.declaration.argument
    if argument.list_module:
        item.value = importlib.import_module(argument.list_module).compile(item.source, item.place)
        acl.faults.extend(getattr(item.value, "faults", ()))
        return
    compiled = template.compile(item.source, item.place)
    acl.faults.extend(compiled.faults)
    if argument.is_raw:
        item.value = compiled
        return
    item.template = compiled
    if compiled.constant is None:
        return
    if argument.parse is None:
        item.value = compiled.constant
        return
    try:
        item.value = argument.parse(compiled.constant)
    except AclError as error:
        # It will fail when it is reached, as in Exim; whoever reads the configuration is told now.
        acl.faults.append(ConfigError(str(error), item.place, error.hint))
