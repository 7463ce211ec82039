"""One line that sets an option: its name, what is wrong with it, and its text without quotes and escapes.

Exim specification, "Common option syntax". Values are converted elsewhere (`eximious.config.values`); those kinds that
are cheap to convert are converted here, so that their faults are found.
"""

from __future__ import annotations

from collections.abc import Iterable

from eximious.config.errors import Faults
from eximious.config.lines import JoinedPlace, Line, LinePlace
from eximious.config.lists import join, split
from eximious.config.option import Given, Option, Options
from eximious.config.reader import SPACES
from eximious.config.values import is_off, kind_of
from eximious.errors import ConfigError, Note, OldName, Place, did_you_mean, nearest

NAME_LIMIT = 64  # characters in a name
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def read_name(text: str, start: int = 0) -> str:
    """The name that begins there: a letter, then letters, digits and underscores; empty if there is none."""
    end = start
    while end < len(text) and text[end].isascii() and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return text[start:end] if text[start : start + 1].isalpha() else ""


def skip_spaces(text: str, start: int) -> int:
    """The offset of the first character from `start` that is no white space."""
    while start < len(text) and text[start] in SPACES:
        start += 1
    return start


def read_string(line: Line, start: int, name: str) -> tuple[str, LinePlace]:
    """The string value that begins there: as it is, or between double quotes with escapes replaced.

    Raises ConfigError.
    """
    text = line.text
    if text[start : start + 1] != '"':
        return text[start:], line.place(start)
    characters: list[str] = []
    offsets: list[int] = []
    position = start + 1
    while position < len(text) and text[position] != '"':
        offsets.append(position)
        if text[position] == "\\" and position + 1 < len(text):
            character, position = _escape(text, position + 1)
        else:
            character, position = text[position], position + 1
        characters.append(character)
    if position >= len(text):
        raise ConfigError(f"missing quote at end of string value for {name}", line.place(start))
    end = skip_spaces(text, position + 1)
    if end < len(text):
        raise ConfigError(f"extra characters follow string value for {name}", line.place(end))
    return "".join(characters), LinePlace(line, start + 1, offsets)


def _escape(text: str, position: int) -> tuple[str, int]:
    """The character that an escape stands for, and where the text goes on; `position` is after the backslash."""
    character = text[position]
    if character == "x":
        digits = _digits(text, position + 1, 2, "0123456789abcdefABCDEF")
        return (chr(int(digits, 16)) if digits else "\0"), position + 1 + len(digits)
    digits = _digits(text, position, 3, "01234567")
    if digits:
        return chr(int(digits, 8) & 0xFF), position + len(digits)
    return _ESCAPES.get(character, character), position + 1


def _digits(text: str, start: int, most: int, digits: str) -> str:
    end = start
    while end < len(text) and end < start + most and text[end] in digits:
        end += 1
    return text[start:end]


class Setting:
    """An option being set: what its line says before and after the option has been looked up."""

    __slots__ = ("is_hidden", "is_negated", "line", "name", "option", "start")

    def __init__(self, line: Line, options: dict[str, Option]) -> None:
        text = line.text
        self.line = line
        self.is_hidden = False
        start = 0
        self.name = read_name(text)
        if self.name == "hide":
            self.is_hidden = True
            start = skip_spaces(text, 4)
            self.name = read_name(text, start)
        self.start = start  # of the name
        self.is_negated = False
        self.option = options.get(self.name)  # None: unknown
        for prefix in ("no_", "not_"):
            if self.option is None and self.name.startswith(prefix):
                self.option = options.get(self.name[len(prefix) :])
                self.is_negated = self.option is not None

    @property
    def bare_name(self) -> str:
        """The name without the prefix that negates it."""
        return self.name.partition("_")[2] if self.is_negated else self.name

    def value(self) -> Given:
        """What the option is set to. Raises ConfigError."""
        assert self.option is not None
        style = kind_of(self.option).style
        line = self.line
        text = line.text
        position = skip_spaces(text, self.start + len(self.name))
        if style in ("bool", "bool_or_text"):
            return self._bool(position, may_be_text=style == "bool_or_text")
        if self.is_negated:
            raise ConfigError("negation prefix applied to a non-boolean option", line.place(self.start))
        if position >= len(text):
            raise ConfigError(f"unexpected end of line (data missing) after {self.name}", line.place(position))
        if text[position] != "=":
            raise ConfigError(f'missing "=" after {self.name}', line.place(position))
        position = skip_spaces(text, position + 1)
        if style == "bare":
            return Given(text[position:], line.place(position), self.is_hidden)
        string, place = read_string(line, position, self.name)
        return Given(string, place, self.is_hidden)

    def _bool(self, position: int, may_be_text: bool) -> Given:
        line = self.line
        text = line.text
        if position >= len(text):
            return Given("false" if self.is_negated else "true", line.place(self.start), self.is_hidden)
        if self.is_negated or text[position] != "=":
            raise ConfigError(f"extra characters follow boolean option {self.name}", line.place(position))
        position = skip_spaces(text, position + 1)
        if may_be_text and "$" in text[position:]:
            string, place = read_string(line, position, self.name)
            return Given(string, place, self.is_hidden)
        if position >= len(text):
            return Given("true", line.place(self.start), self.is_hidden)
        word = read_name(text, position)
        if word.lower() not in ("true", "yes", "false", "no"):
            hint = did_you_mean(word.lower(), ("true", "yes", "false", "no"))
            raise ConfigError(f'"{word}" is not a valid value for the "{self.name}" option', line.place(position), hint)
        end = skip_spaces(text, position + len(word))
        if end < len(text):
            raise ConfigError(f'extra characters follow "{word}" for boolean option {self.name}', line.place(end))
        return Given("true" if word.lower() in ("true", "yes") else "false", line.place(position), self.is_hidden)


def apply(setting: Setting, target: Options, faults: Faults) -> None:
    """Set the option in the target; whatever is wrong with the value becomes a fault."""
    option = setting.option
    assert option is not None
    try:
        given = setting.value()
        given.name = setting.bare_name
        earlier = target.given.get(option.name)
        if earlier is not None and not option.repeat and earlier.name == given.name:
            hint = f"it was set in line {earlier.place.line} of {earlier.place.file}" if earlier.place else ""
            raise ConfigError(
                f'"{setting.name}" option set for the second time', setting.line.place(setting.start), hint
            )
        if option.later and not is_off(option, given.text):
            raise ConfigError(
                f'option "{setting.name}" needs {option.later}, which this version does not have',
                setting.line.place(setting.start),
            )
        if option.no_effect and not is_off(option, given.text):
            message = f'option "{setting.name}" has no effect'
            faults.warn(Note(message, setting.line.place(setting.start), option.no_effect))
        if option.repeat:
            given = _joined(option, earlier, given)
        target.given[option.name] = given
        kind = kind_of(option)
        if not kind.is_lazy:
            target.__dict__[option.field] = kind.convert(given.text, given.place, setting.name)
    except ConfigError as error:
        faults.take(error, setting.line.place(setting.start))
        return
    if setting.name in option.aliases:
        message = f'option "{setting.name}" is an old name'
        faults.warn(OldName(message, setting.line.place(setting.start), f"now called {option.name}"))
    for name in option.sets:
        target.given[name] = given
        target.__dict__[target.options[name].field] = target.__dict__[option.field]


def _joined(option: Option, earlier: Given | None, given: Given) -> Given:
    """The value of an option that may be set several times, after one more setting."""
    mark = option.repeat
    if mark in (":", ";"):
        given = Given(join(split(given.text, mark), mark), given.place, given.is_hidden)
    if earlier is None or given.place is None or earlier.place is None:
        return given
    places = earlier.place if isinstance(earlier.place, JoinedPlace) else JoinedPlace([(0, earlier.place)])
    is_hidden = earlier.is_hidden or given.is_hidden
    if mark == "bool_lax":
        begin, middle = "${if and{{bool_lax{", "}}{bool_lax{"
        text = f"{begin}{earlier.text}{middle}{given.text}}}}}}}}}"
        shifted = places.shifted(len(begin))
        return Given(text, shifted.joined_with(len(begin + earlier.text + middle), given.place), is_hidden)
    text = earlier.text + mark + given.text
    return Given(text, places.joined_with(len(earlier.text) + len(mark), given.place), is_hidden)


def unknown(setting: Setting, message: str, names: Iterable[str], elsewhere: str = "") -> ConfigError:
    """The fault for a name that is no option. `elsewhere` says where there is one of that name, if so; otherwise the
    nearest of the names is suggested.
    """
    hint = elsewhere
    for prefix in ("no_", "not_", ""):
        if not hint and setting.name.startswith(prefix):
            near = nearest(setting.name.removeprefix(prefix), names)
            hint = f"did you mean {prefix}{near}?" if near else ""
            if near and prefix + near == setting.name:
                hint = ""  # the option exists, and is no switch
    return ConfigError(message, place_of_name(setting), hint)


def place_of_name(setting: Setting) -> Place:
    """Where the option's name stands."""
    return setting.line.place(setting.start)
