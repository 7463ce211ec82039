"""Command lines: split into words first, expanded word by word afterwards, so that no value can add words.

(Exim specification, "How the command is run".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.errors import Defer, EximiousError, ExpandError
from eximious.expand.template import compile as compile_template
from eximious.taint import is_tainted

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context

MOST_WORDS: Final = 500  # of one command
ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}


class BadCommand(EximiousError):
    """A command line that cannot be used."""


class TaintedArgument(BadCommand):
    """An argument comes from outside: the command could take it for something else than data."""


def words(text: str) -> list[str]:
    """Split a command line at white space. ``"`` and ``'`` keep words together; in ``"`` a backslash escapes.

    Raises BadCommand if there are too many words.
    """
    found: list[str] = []
    position = 0
    while True:
        while position < len(text) and text[position].isspace():
            position += 1
        if position >= len(text):
            return found
        if len(found) >= MOST_WORDS:
            raise BadCommand(f'Too many arguments to command "{text}"')
        if text[position] == "'":
            end = text.find("'", position + 1)
            end = len(text) if end < 0 else end
            found.append(text[position + 1 : end])
            position = end + 1
        elif text[position] == '"':
            word, position = _double_quoted(text, position + 1)
            found.append(word)
        else:
            end = position
            while end < len(text) and not text[end].isspace():
                end += 1
            found.append(text[position:end])
            position = end


def _double_quoted(text: str, position: int) -> tuple[str, int]:
    """The text up to the closing quote, and where to go on."""
    out: list[str] = []
    while position < len(text) and text[position] != '"':
        if text[position] == "\\" and position + 1 < len(text):
            character, position = _escaped(text, position + 1)
            out.append(character)
            continue
        out.append(text[position])
        position += 1
    return "".join(out), position + 1


def _escaped(text: str, position: int) -> tuple[str, int]:
    """What the characters after a backslash stand for, and where to go on."""
    character = text[position]
    if character in "01234567":
        end = position
        while end < position + 3 and end < len(text) and text[end] in "01234567":
            end += 1
        return chr(int(text[position:end], 8) & 255), end
    if character == "x":
        end = position + 1
        while end < position + 3 and end < len(text) and text[end] in "0123456789abcdefABCDEF":
            end += 1
        if end > position + 1:
            return chr(int(text[position + 1 : end], 16)), end
    return ESCAPES.get(character, character), position + 1


def expanded(command: str, context: Context, addresses: list[Address], what: str, *, expand: bool = True) -> list[str]:
    """The words of a command, expanded; ``$pipe_addresses`` becomes one word an address, ``$address_pipe`` the words
    of the command that the address names. `what` says whose command it is, for messages. Raises BadCommand.
    """
    result: list[str] = []
    for word in words(command):
        if addresses and word in ("$pipe_addresses", "${pipe_addresses}"):
            result += [str(address.address) for address in addresses]
        elif addresses and word in ("$address_pipe", "${address_pipe}"):
            result += _address_pipe(addresses[0], context, what)
        elif expand:
            result.append(_expanded_word(word, command, context, what))
        else:
            result.append(word)
    if not result:
        raise BadCommand(f"missing or empty command in {what}")
    for number, word in enumerate(result):
        if is_tainted(word):
            raise TaintedArgument(f"Tainted arg {number} for {what} command: '{word}'")
    return result


def expanded_text(text: str, context: Context, addresses: list[Address], what: str) -> str:
    """A whole command line for a shell, expanded at once. Raises BadCommand."""
    if "$pipe_addresses" in text:
        text = text.replace("$pipe_addresses", " ".join(address.address for address in addresses))
    try:
        result = compile_template(text).expand(context)
    except (ExpandError, Defer) as error:
        raise BadCommand(f'Expansion of command "{text}" in {what} failed: {error}') from error
    if is_tainted(result):
        raise TaintedArgument(f"Tainted '{result}' (command for {what}) not permitted")
    return result


def _expanded_word(word: str, command: str, context: Context, what: str) -> str:
    if "$" not in word and "\\" not in word:
        return word
    try:
        return compile_template(word).expand(context)
    except (ExpandError, Defer) as error:
        raise BadCommand(f'Expansion of "{word}" from command "{command}" in {what} failed: {error}') from error


def _address_pipe(address: Address, context: Context, what: str) -> list[str]:
    text = address.redirected_file.removeprefix("|").lstrip()
    if is_tainted(address.redirected_file):
        raise TaintedArgument(f"Tainted '{text}' (command for {what}) not permitted")
    return [_expanded_word(word, text, context, what) if address.expand_again else word for word in words(text)]
