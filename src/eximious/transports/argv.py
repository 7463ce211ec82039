"""Command lines: split into words first, expanded word by word afterwards, so that no value can add words.

(Exim specification, "How the command is run".)
"""

from __future__ import annotations

from collections.abc import Callable
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


Expander = Callable[[list[str]], "list[str | ExpandError]"]


def expanded(
    command: str,
    context: Context,
    addresses: list[Address],
    what: str,
    *,
    expand: bool = True,
    expander: Expander | None = None,
) -> list[str]:
    """The words of a command, expanded; ``$pipe_addresses`` becomes one word an address, ``$address_pipe`` the words
    of the command that the address names. `what` says whose command it is, for messages. What a user has written is
    expanded by `expander`, as the user. Raises BadCommand.
    """
    result: list[str] = []
    for word in words(command):
        if addresses and word in ("$pipe_addresses", "${pipe_addresses}"):
            result += [str(address.address) for address in addresses]
        elif addresses and word in ("$address_pipe", "${address_pipe}"):
            result += _address_pipe(addresses[0], what, expander)
        elif expand:
            result.append(_expanded_word(word, command, context, what))
        else:
            result.append(word)
    _check(result, what)
    return result


def expanded_by_user(command: str, addresses: list[Address], what: str, expander: Expander) -> list[str]:
    """The words of a command that a user's filter has written. Raises BadCommand."""
    result: list[str] = []
    others: list[str] = []
    for word in words(command):
        if addresses and word in ("$pipe_addresses", "${pipe_addresses}"):
            result += _expanded_words(others, command, what, expander)
            result += [str(address.address) for address in addresses]
            others = []
        else:
            others.append(word)
    result += _expanded_words(others, command, what, expander)
    _check(result, what)
    return result


def _check(result: list[str], what: str) -> None:
    if not result:
        raise BadCommand(f"missing or empty command in {what}")
    for number, word in enumerate(result):
        if is_tainted(word):
            raise TaintedArgument(f"Tainted arg {number} for {what} command: '{word}'")


def expanded_text(
    text: str, context: Context, addresses: list[Address], what: str, expander: Expander | None = None
) -> str:
    """A whole command line for a shell, expanded at once. Raises BadCommand."""
    if "$pipe_addresses" in text:
        text = text.replace("$pipe_addresses", " ".join(address.address for address in addresses))
    if expander is not None:
        found = expander([text])[0]
        if isinstance(found, ExpandError):
            raise BadCommand(f'Expansion of command "{text}" in {what} failed: {found}')
        result = found
    else:
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
        raise _failed(word, command, what, error) from error


def _failed(word: str, command: str, what: str, error: Exception) -> BadCommand:
    return BadCommand(f'Expansion of "{word}" from command "{command}" in {what} failed: {error}')


def _expanded_words(found: list[str], command: str, what: str, expander: Expander) -> list[str]:
    result: list[str] = []
    for word, text in zip(found, expander(found) if found else [], strict=True):
        if isinstance(text, ExpandError):
            raise _failed(word, command, what, text)
        result.append(text)
    return result


def _address_pipe(address: Address, what: str, expander: Expander | None) -> list[str]:
    text = address.redirected_file.removeprefix("|").lstrip()
    if is_tainted(address.redirected_file):
        raise TaintedArgument(f"Tainted '{text}' (command for {what}) not permitted")
    found = words(text)
    if not address.expand_again or expander is None:
        return found
    return _expanded_words(found, text, what, expander)
