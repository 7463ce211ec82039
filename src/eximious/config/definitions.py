"""Lines that define macros: ``NAME = text`` and ``NAME == text``."""

from __future__ import annotations

from eximious.config.errors import Fault, Faults
from eximious.config.lines import Line
from eximious.config.macros import NAME_LIMIT, Macros
from eximious.config.settings import skip_spaces
from eximious.errors import ConfigError


def is_definition(line: Line) -> bool:
    """True for a line that begins with an upper-case letter."""
    return "A" <= line.text[:1] <= "Z"


def define_macro(line: Line, macros: Macros, faults: Faults) -> None:
    """Define or redefine the macro; what is wrong becomes a fault."""
    text = line.text
    end = 0
    while end < len(text) and text[end].isascii() and (text[end].isalnum() or text[end] == "_"):
        end += 1
    if end > NAME_LIMIT:
        faults.add(f"macro name too long (maximum is {NAME_LIMIT} characters)", line.place())
        return
    name = text[:end]
    equals = skip_spaces(text, end)
    if text[equals : equals + 1] != "=":
        faults.add("malformed macro definition", line.place(equals), "NAME = text")
        return
    is_redefinition = text[equals + 1 : equals + 2] == "="
    value = text[skip_spaces(text, equals + (2 if is_redefinition else 1)) :]
    try:
        if is_redefinition:
            macros.redefine(name, value)
        else:
            macros.define(name, value)
    except ConfigError as error:
        faults.take(Fault(error.message, line.place(), error.hint))
