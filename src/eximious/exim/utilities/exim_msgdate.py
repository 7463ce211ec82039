"""``exim_msgdate``: when a message arrived, from its id."""

from __future__ import annotations

import re
import time
from typing import Final, NoReturn

from eximious.errors import ConfigError
from eximious.exim.utilities import complain, run

USAGE: Final = """\
Usage:
    exim_msgdate [-u|--unix] [-z|--zulu|--utc|--gmt] [-l|--local]
                 [--base 36|62 | --b36 | --b62] [--pid]
                 [--localhost_number NUMBER] [-C FILE] MESSAGE-ID ...

Without -u, -z or -l times are in the local time zone."""

DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Seconds, process, and the fraction of a second, of today's and of older ids; a prefix and a suffix do not matter.
PARTS: Final = re.compile(
    r"(?:^|.*[^0-9A-Za-z-]|.*\bE|E)?(?P<seconds>[0-9A-Za-z]{6})"
    r"(?:-(?P<pid>[0-9A-Za-z]{11})-(?P<micro>[0-9A-Za-z]{4})|-(?P<old_pid>[0-9A-Za-z]{6})-(?P<fraction>[0-9A-Za-z]{2}))?"
    r"(?:-[HDJ])?$"
)
ZONES: Final = {
    "u": "unix",
    "unix": "unix",
    "z": "utc",
    "zulu": "utc",
    "utc": "utc",
    "gmt": "utc",
    "l": "local",
    "local": "local",
}
HOSTS: Final = {62: 16, 36: 10}  # the largest localhost_number, by base
FATAL: Final = 255
ORDER: Final = ("unix", "utc", "local")


class Wish:
    """What the command line asks for."""

    def __init__(self) -> None:
        self.zones: list[str] = []
        self.base = 62
        self.shows_pid = False
        self.host_number: int | None = None
        self.config_file = ""
        self.macros: dict[str, str] = {}
        self.ids: list[str] = []


class Complaint(Exception):
    """The command line cannot be obeyed."""


def console() -> NoReturn:
    """The installed script."""
    run(main)


def main(arguments: list[str]) -> int:
    """Options and message ids."""
    try:
        wish = parse(arguments)
    except Complaint as error:
        return complain(f"{error}\n{USAGE}", 2)
    if not wish.ids:
        print(USAGE)
        return 0
    if wish.host_number is None:
        try:
            wish.host_number = configured_host_number(wish)
        except ConfigError as error:
            return complain(f"exim_msgdate: {error}", FATAL)
    most = HOSTS[wish.base]
    if wish.host_number > most:
        return complain(f"localhost_number > {most}", FATAL)
    try:
        for message_id in wish.ids:
            print("\n".join(show(message_id, wish)))
    except Complaint as error:
        return complain(str(error), FATAL)
    return 0


def parse(arguments: list[str]) -> Wish:
    """Options have one hyphen or two, and their value after ``=`` or as the next word. Raises Complaint."""
    wish = Wish()
    words = list(arguments)
    while words:
        word = words.pop(0)
        if not word.startswith("-") or word == "-":
            wish.ids.append(word)
            continue
        if word.startswith("-D"):
            macro, _, text = word[2:].partition("=")
            wish.macros[macro] = text
            continue
        name, equals, value = word.lstrip("-").partition("=")
        lower = name.lower()
        if lower in ZONES:
            if ZONES[lower] not in wish.zones:
                wish.zones.append(ZONES[lower])
        elif lower in ("b36", "base36", "b62", "base62"):
            wish.base = int(lower[-2:])
        elif lower == "pid":
            wish.shows_pid = True
        elif lower in ("help", "man", "h"):
            wish.ids = []
            return wish
        elif lower in ("base", "localhost_number", "c"):
            _set(wish, lower, value if equals else (words.pop(0) if words else ""))
        elif lower != "debug":
            raise Complaint(f"Unknown option: {name}")
    return wish


def _set(wish: Wish, name: str, value: str) -> None:
    if name == "c":
        wish.config_file = value
    elif name == "base" and value in ("36", "62"):
        wish.base = int(value)
    elif name == "localhost_number" and value == "none":
        wish.host_number = -1
    elif name == "localhost_number" and value.isdigit():
        wish.host_number = int(value)
    else:
        raise Complaint(f'bad value "{value}" for {name}')


def configured_host_number(wish: Wish) -> int:
    """The option localhost_number; -1 if it is unset, or there is no configuration. Raises ConfigError."""
    from eximious.exim import start
    from eximious.exim.command_line import CommandLine, CommandLineError

    line = CommandLine("exim_msgdate")
    line.config_files, line.macros = wish.config_file, wish.macros
    try:
        number = start.load_configuration(line).main.localhost_number
    except CommandLineError:
        return -1
    return int(number.source) if number is not None and number.source.isdigit() else -1


def show(message_id: str, wish: Wish) -> list[str]:
    """One line for each time zone that was asked for."""
    found = PARTS.match(message_id)
    if found is None:
        return [f"{message_id} not parsed"]
    seconds = _number(found["seconds"], wish.base)
    fraction = _fraction(found, wish)
    pid = found["pid"] or found["old_pid"]
    tail = f"\tpid {_number(pid, wish.base)}" if wish.shows_pid and pid else ""
    zones: list[str] = [zone for zone in ORDER if zone in wish.zones]
    return [f"{_time(seconds, fraction, zone)}{tail}" for zone in zones or [""]]


def _number(text: str, base: int) -> int:
    """Raises Complaint for digits that the base does not have."""
    number = 0
    for character in text:
        digit = DIGITS.index(character)
        if digit >= base:
            raise Complaint(f"{text} is no number to base {base}")
        number = number * base + digit
    return number


def _fraction(found: re.Match[str], wish: Wish) -> float:
    """The part of a second: in units that depend on the form of the id, and on whether hosts are numbered."""
    text = found["micro"] or found["fraction"]
    if not text:
        return 0.0
    units = _number(text, wish.base)
    has_host = wish.host_number is not None and wish.host_number >= 0
    in_a_second = (500_000 if has_host else 1_000_000) if found["micro"] else (200 if has_host else 2000)
    host, part = divmod(units, in_a_second)
    if has_host and host != wish.host_number:
        complain(f"localhost {host} from message-id != given number {wish.host_number}")
    return part / in_a_second


def _time(seconds: int, fraction: float, zone: str) -> str:
    micro = f"{fraction:.6f}"[1:]
    if zone == "unix":
        return f"{seconds}{micro}"
    if zone == "utc":
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds)) + micro
    local = time.localtime(seconds)
    return time.strftime("%Y-%m-%d %H:%M:%S", local) + f"{micro} {local.tm_zone}"
