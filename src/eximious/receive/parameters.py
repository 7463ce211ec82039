"""The parameters of MAIL and RCPT: ``SIZE=100 BODY=8BITMIME`` after the address. (RFC 5321 section 4.1.2.)"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

_WORD: Final = re.compile(r"\S+")
_PARAMETER: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=(\S*))?")


class Parameter:
    """One parameter; `value` is None where there is no equals sign."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: str | None) -> None:
        self.name = name
        self.value = value

    @property
    def text(self) -> str:
        """The value, "" if there is none."""
        return self.value or ""


def split(argument: str, known: Container[str]) -> tuple[str, list[Parameter]]:
    """The address, and the parameters from the last to the first, as far back as they are known.

    What is not known stays with the address, which is then refused as malformed, as in Exim.
    """
    parameters: list[Parameter] = []
    end = len(argument)
    for word in reversed(list(_WORD.finditer(argument))):
        found = _in_word(word[0], is_first=word.start() == 0)
        if found is None or found[1].upper() not in known:
            break
        parameters.append(Parameter(found[1].upper(), found[2]))
        end = word.start() + found.start()
        if found.start():
            break  # what is before it ends with ">", and so with the address
    return (argument[:end].rstrip() if parameters else argument), parameters


def _in_word(word: str, *, is_first: bool) -> re.Match[str] | None:
    """The parameter that a word is, or ends with after a ``>``: ``<a@b.example>SIZE=10``."""
    found = None if is_first else _PARAMETER.fullmatch(word)
    at = word.find(">")
    while found is None and at >= 0:
        found = _PARAMETER.fullmatch(word, at + 1)
        at = word.find(">", at + 1)
    return found
