"""The kinds of option values: how each is read from the configuration, and printed by ``-bP``.

The annotation of an option names its kind, a key of `KINDS`. ``| None`` says that the option may be unset. Text comes
here with its quotes and escapes already gone. Converters raise ConfigError; what costs time (templates and lists) is
converted when it is first used, or by `eximious.config.load.compile_all`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from eximious.config import numbers, users
from eximious.config.lists import split
from eximious.errors import ConfigError, Place, did_you_mean
from eximious.units import Seconds

if TYPE_CHECKING:
    from eximious.config.option import Option
    from eximious.expand.template import Template

    ExpandedBool: TypeAlias = bool | Template
    ExpandedSeconds: TypeAlias = float | Template
    ExpandedUser: TypeAlias = Template
    ExpandedGroup: TypeAlias = Template

Size: TypeAlias = int  # bytes; K, M, G
Kilobytes: TypeAlias = int  # bytes; a plain number is kilobytes
Octal: TypeAlias = int
Fixed: TypeAlias = float
StringList: TypeAlias = list[str]
Times: TypeAlias = list[float]
Ports: TypeAlias = list[int]
User: TypeAlias = int
Group: TypeAlias = int
Users: TypeAlias = list[int]
Groups: TypeAlias = list[int]
StartText: TypeAlias = str  # expanded once, when the configuration has been read

TRUE_WORDS: Final = ("true", "yes")
FALSE_WORDS: Final = ("false", "no")

Convert: TypeAlias = Callable[[str, Place | None, str], Any]  # text, its place, the option's name


class Kind:
    """One kind of value."""

    __slots__ = ("convert", "is_lazy", "show", "style", "what")

    def __init__(
        self,
        what: str,
        convert: Convert,
        *,
        style: str = "text",
        show: Callable[[Any], str] | None = None,
        is_lazy: bool = False,
    ) -> None:
        self.what = what  # for the manual
        self.convert = convert
        self.style = style  # how it is written: "text" (may be quoted), "bare" (never quoted), "bool", "bool_or_text"
        self.show = show  # the value as -bP prints it; None: the text as it was given
        self.is_lazy = is_lazy


def _number(read: Callable[[str], Any]) -> Convert:
    def convert(text: str, place: Place | None, name: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            message = str(error)
            raise ConfigError(f"{message} {name}" if message.endswith("for") else message, place) from None

    return convert


def _bool(text: str, place: Place | None, name: str) -> bool:
    word = text.lower()
    if word in TRUE_WORDS or not word:
        return True
    if word in FALSE_WORDS:
        return False
    raise ConfigError(
        f'"{text}" is not a valid value for the "{name}" option', place, did_you_mean(word, TRUE_WORDS + FALSE_WORDS)
    )


def _text(text: str, place: Place | None, name: str) -> str:
    return text


def _template(text: str, place: Place | None, name: str) -> Any:
    return importlib.import_module("eximious.expand.template").compile(text, place)


def _bool_or_template(text: str, place: Place | None, name: str) -> Any:
    word = text.lower()
    if word in TRUE_WORDS or not word:
        return True
    return False if word in FALSE_WORDS else _template(text, place, name)


def _seconds_or_template(text: str, place: Place | None, name: str) -> Any:
    return _template(text, place, name) if "$" in text else _number(numbers.seconds)(text, place, name)


def _list_of(module: str) -> Convert:
    def convert(text: str, place: Place | None, name: str) -> Any:
        return importlib.import_module(f"eximious.lists.{module}").compile(text, place)

    return convert


def _strings(text: str, place: Place | None, name: str) -> list[str]:
    return split(text)


def _times(text: str, place: Place | None, name: str) -> list[float]:
    """Times that only grow, separated by colons (the separator cannot be changed)."""
    if not text.strip():
        return []
    times: list[float] = [_number(numbers.seconds)(item.strip(), place, name) for item in text.split(":")]
    if times != sorted(times):
        raise ConfigError(f"time value out of order for {name}", place)
    return times


def _ports(text: str, place: Place | None, name: str) -> list[int]:
    return [_port(item, place, name) for item in split(text)]


def _port(item: str, place: Place | None, name: str) -> int:
    if item.isascii() and item.isdigit():
        if len(item) < 6 and int(item) < 65536:
            return int(item)
        raise ConfigError(f'"{item}" is not a port number in {name}', place)
    import socket

    try:
        return socket.getservbyname(item, "tcp")
    except OSError:
        raise ConfigError(f'TCP port "{item}" not found', place) from None


def _identity(find: Callable[[str], int]) -> Convert:
    def convert(text: str, place: Place | None, name: str) -> int:
        try:
            return find(text)
        except ConfigError as error:
            error.place = place
            raise

    return convert


def _identities(find: Callable[[str], int]) -> Convert:
    one = _identity(find)

    def convert(text: str, place: Place | None, name: str) -> list[int]:
        return [one(item, place, name) for item in split(_expanded(text, place))]

    return convert


def _expanded(text: str, place: Place | None) -> str:
    """Expand text while the configuration is being read: nothing about messages or hosts is known."""
    if "$" not in text:
        return text
    from eximious.config.early import expand_early

    return expand_early(text, place)


def _identity_or_template(find: Callable[[str], int]) -> Convert:
    one = _identity(find)

    def convert(text: str, place: Place | None, name: str) -> Any:
        if "$" not in text:
            one(text, place, name)
        return _template(text, place, name)

    return convert


def _names(name_of: Callable[[int], str]) -> Callable[[list[int]], str]:
    return lambda values: ":".join(map(name_of, values))


KINDS: Final[dict[str, Kind]] = {
    "bool": Kind("boolean", _bool, style="bool"),
    "ExpandedBool": Kind("boolean, expanded", _bool_or_template, style="bool_or_text"),
    "int": Kind("integer", _number(numbers.integer), style="bare", show=str),
    "Size": Kind("size in bytes", _number(numbers.integer), style="bare", show=numbers.show_size),
    "Kilobytes": Kind("size in kilobytes", _number(numbers.kilobytes), style="bare", show=numbers.show_kilobytes),
    "Octal": Kind("octal integer", _number(numbers.octal), style="bare", show=numbers.show_octal),
    "Fixed": Kind("fixed-point number", _number(numbers.fixed), style="bare", show=numbers.show_fixed),
    "Seconds": Kind("time", _number(numbers.seconds), style="bare", show=numbers.show_seconds),
    "ExpandedSeconds": Kind("time, expanded", _seconds_or_template),
    "Times": Kind("list of times", _times, style="bare", show=lambda times: ":".join(map(numbers.show_seconds, times))),
    "str": Kind("string", _text),
    "StartText": Kind("string, expanded at the start", _text),
    "Template": Kind("string, expanded", _template, is_lazy=True),
    "StringList": Kind("string list", _strings),
    "DomainList": Kind("domain list, expanded", _list_of("domain"), is_lazy=True),
    "HostList": Kind("host list, expanded", _list_of("host"), is_lazy=True),
    "AddressList": Kind("address list, expanded", _list_of("address"), is_lazy=True),
    "LocalPartList": Kind("local part list, expanded", _list_of("local_part"), is_lazy=True),
    "Ports": Kind("list of ports", _ports, is_lazy=True),
    "User": Kind("user", _identity(users.user_id), show=users.user_name),
    "Group": Kind("group", _identity(users.group_id), show=users.group_name),
    "Users": Kind("list of users, expanded", _identities(users.user_id), show=_names(users.user_name)),
    "Groups": Kind("list of groups, expanded", _identities(users.group_id), show=_names(users.group_name)),
    "ExpandedUser": Kind("user, expanded", _identity_or_template(users.user_id)),
    "ExpandedGroup": Kind("group, expanded", _identity_or_template(users.group_id)),
}


def kind_of(option: Option) -> Kind:
    """The kind that the option's annotation names."""
    name = option.kind.removesuffix("| None").rstrip()
    kind = KINDS.get(name)
    if kind is None:
        raise TypeError(f"option {option.name} is annotated with {option.kind!r}, which is no kind of option value")
    return kind


def default_text(option: Option) -> str | None:
    """The default as a postmaster would write it; None for unset."""
    default = option.default() if callable(option.default) else option.default
    if default is None or isinstance(default, str):
        return default
    if isinstance(default, bool):
        return "true" if default else "false"
    show = kind_of(option).show
    return show(default) if show is not None else str(default)


def convert_default(option: Option) -> Any:
    """The default's value."""
    default = option.default() if callable(option.default) else option.default
    if not isinstance(default, str):
        return default
    return kind_of(option).convert(default, None, option.name)


def is_off(option: Option, text: str) -> bool:
    """True if the text leaves the feature behind the option unused: the default, an empty or false value."""
    word = text.strip().lower()
    return word in ("", "false", "no", "0", "0s", ":") or text.strip() == default_text(option)


__all__ = [
    "KINDS",
    "Fixed",
    "Group",
    "Groups",
    "Kilobytes",
    "Kind",
    "Octal",
    "Ports",
    "Seconds",
    "Size",
    "StartText",
    "StringList",
    "Times",
    "User",
    "Users",
    "convert_default",
    "default_text",
    "is_off",
    "kind_of",
]
