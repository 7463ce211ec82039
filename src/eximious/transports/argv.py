"""Command lines: split into words first, expanded word by word afterwards, so that no value can add words.

(Exim specification, "How the command is run".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.errors import Defer, EximiousError, ExpandError
from eximious.expand.template import compile as compile_template
from eximious.expand.words import split_words
from eximious.taint import is_tainted

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context


class BadCommand(EximiousError):
    """A command line that cannot be used."""


class TaintedArgument(BadCommand):
    """An argument comes from outside: the command could take it for something else than data."""


def words(text: str) -> list[str]:
    """Split a command line at white space, with quotes and escapes. Raises BadCommand if there are too many words."""
    try:
        return split_words(text)
    except ValueError as error:
        raise BadCommand(str(error)) from error


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
