"""Options as ``exim -bP`` prints them: one a line, in Exim's format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from eximious.config.configuration import Configuration
from eximious.config.drivers import DriverClass
from eximious.config.named_lists import NamedList
from eximious.config.option import Option, Options
from eximious.config.users import group_name, user_id
from eximious.config.values import default_text, kind_of
from eximious.errors import ConfigError
from eximious.logs.printing import printing

HIDDEN = "<value not displayable>"

# Options whose default depends on others, and the property that knows.
_DERIVED = {"retry_use_local_part": "is_retry_per_local_part", "log_as_local": "is_logged_as_local"}
# Kinds that print nothing after the equals sign, not even a space, while they are unset.
_WITHOUT_SPACE = ("Fixed", "Users", "Groups")


class Show:
    """Prints options of one configuration for one caller."""

    def __init__(self, config: Configuration, *, is_admin: bool, is_terse: bool = False) -> None:
        self.config = config
        self.is_admin = is_admin  # may see what is hidden
        self.is_terse = is_terse  # -n: values only

    def main(self) -> Iterator[str]:
        """All main options, in alphabetical order."""
        main = self.config.main
        for name in sorted(main.options):
            yield self.option(main, main.options[name])

    def main_option(self, name: str) -> str | None:
        """One main option by any of its names; None if there is none of that name."""
        main = self.config.main
        option = main.by_any_name.get(name)
        return None if option is None else self.option(main, option, name)

    def option(self, options: Options, option: Option, name: str = "") -> str:
        """The line for one option."""
        name = name or option.name
        kind = kind_of(option)
        if kind.style in ("bool", "bool_or_text"):
            value = self._text(options, option)
            if not value and option.name not in options.given:
                value = "false"  # unset, as long as nothing else decides
            if value.lower() in ("true", "yes", ""):
                return name
            if value.lower() in ("false", "no"):
                return f"no_{name}"
        if self._is_hidden(options, option):
            return self._line(name, HIDDEN)
        value = self._text(options, option)
        if not value and _has_no_space(option):
            return "" if self.is_terse else f"{name} ="
        return self._line(name, printing(value, top_bit=self.config.main.print_topbitchars))

    def _line(self, name: str, value: str) -> str:
        return value if self.is_terse else f"{name} = {value}"

    def _is_hidden(self, options: Options, option: Option) -> bool:
        """``hide`` on an option of one driver instance hides it in all instances of that driver."""
        if self.is_admin:
            return False
        return any(option.name in other.given and other.given[option.name].is_hidden for other in self._alike(options))

    def _alike(self, options: Options) -> Iterable[Options]:
        config = self.config
        everything = (*config.routers, *config.transports.values(), *config.authenticators)
        return [other for other in everything if type(other) is type(options)] or [options]

    def _text(self, options: Options, option: Option) -> str:
        kind = kind_of(option)
        given = options.given.get(option.name)
        if option.name == "group" and given is None:
            return _group_of_user(options)
        if option.name == "public_name" and given is None:
            return options.name
        if option.name in _DERIVED and given is None and hasattr(options, _DERIVED[option.name]):
            return _plain(getattr(options, _DERIVED[option.name]))
        if kind.show is not None or option.field in options.__dict__:
            value = getattr(options, option.field)
            if value is None:
                return ""
            if kind.show is not None:
                return kind.show(value)
            if given is None and isinstance(option.default, str) and "$" in option.default:
                return option.default
            if given is None or option.kind.startswith("StartText"):
                return _plain(value)
        if given is not None:
            return _identity(option, given.text)
        return default_text(option) or ""

    def drivers(self, drivers: DriverClass) -> Iterator[str]:
        """All instances of a class of drivers, each under its name."""
        for instance in self._instances(drivers):
            yield ""
            yield f"{instance.name} {drivers.kind}:"
            yield from self.instance(drivers, instance)

    def instance(self, drivers: DriverClass, instance: Options) -> Iterator[str]:
        """The generic options of one driver instance, and then its own."""
        generic = drivers.base.options
        for name in sorted(generic):
            if not generic[name].sets:
                yield self.option(instance, instance.options[name])
        for name in sorted(instance.options):
            if name not in generic and not instance.options[name].sets:
                yield self.option(instance, instance.options[name])

    def driver(self, drivers: DriverClass, name: str) -> list[str] | None:
        """The options of the instance of that name; None if there is none."""
        for instance in self._instances(drivers):
            if instance.name == name:
                return list(self.instance(drivers, instance))
        return None

    def names(self, drivers: DriverClass) -> list[str]:
        """The names of all instances."""
        return [instance.name for instance in self._instances(drivers)]

    def _instances(self, drivers: DriverClass) -> list[Any]:
        config = self.config
        if drivers.kind == "transport":
            return list(config.transports.values())
        return config.routers if drivers.kind == "router" else config.authenticators

    def named_lists(self, name: str) -> list[str]:
        """The named lists of that name, of any kind."""
        found = []
        for lists in self.config.named_lists.values():
            named: NamedList | None = lists.get(name)
            if named is not None:
                value = HIDDEN if named.is_hidden else named.text
                found.append(value if self.is_terse else f"{named.kind} {name} = {value}")
        return found

    def macro(self, name: str, text: str) -> str:
        """One macro."""
        return text if self.is_terse else f"{name}={text}"

    def source(self) -> Iterator[str]:
        """The configuration as it was read: macros replaced, files included, lines joined, comments gone."""
        from eximious.config.main import MainOptions

        yield f"# Exim Configuration ({MainOptions.exim_version})"
        if self.is_terse:
            yield from map(self._uncovered, self.config.lines)
        else:
            yield from self._indented()

    def _indented(self) -> Iterator[str]:
        indent = 0
        for text in self.config.lines:
            if text.startswith("# "):
                yield text
            elif text.startswith("begin "):
                yield ""
                yield text
                indent = 2
            elif indent and text.endswith(":") and " " not in text:
                yield ""
                yield f"  {text}"
                indent = 4
            elif indent and "A" <= text[:1] <= "Z":
                yield f"  {text}"
            else:
                yield " " * indent + self._uncovered(text)

    def _uncovered(self, text: str) -> str:
        if self.is_admin or not text.startswith("hide"):
            return text
        return f"{text.partition('=')[0].rstrip()} = {HIDDEN}"


def _has_no_space(option: Option) -> bool:
    return option.kind.startswith(_WITHOUT_SPACE)


def _plain(value: Any) -> str:
    """A computed default."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " : ".join(map(str, value))
    source = getattr(value, "source", None)
    return str(value) if source is None else str(source)


def _identity(option: Option, text: str) -> str:
    """Users and groups that were given by number are shown by name."""
    from eximious.config.users import is_number, user_name

    if option.kind.startswith("ExpandedUser") and is_number(text):
        return user_name(int(text))
    if option.kind.startswith("ExpandedGroup") and is_number(text):
        return group_name(int(text))
    return text


def _group_of_user(options: Options) -> str:
    """The group that a delivery gets if only its user is set: that user's own, if the user is fixed."""
    import pwd

    given = options.given.get("user")
    if given is None or "$" in given.text:
        return ""
    try:
        return group_name(pwd.getpwuid(user_id(given.text)).pw_gid)
    except (ConfigError, KeyError):
        return ""
