"""Reading the retry section of a configuration.

(Exim specification, "Format of retry rules".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.config.numbers import seconds
from eximious.errors import ConfigError, Place
from eximious.retry.errors import parse as parse_error
from eximious.retry.rules import FIXED, GEOMETRIC, RANDOM, RetryRule, Step

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.config.sections import Section

PARAMETERS: Final = {FIXED: 3, GEOMETRIC: 4, RANDOM: 4}  # by letter, which is one of them


def read(section: Section, config: Configuration) -> None:
    """Read all rules of the section into the configuration."""
    for line in section:
        if section.is_definition(line):
            section.define(line)
            continue
        try:
            config.retry_rules.append(parse(line.text, line.place()))
        except ConfigError as error:
            section.fault(error.message, error.place or line.place(), error.hint)


def parse(text: str, place: Place | None = None) -> RetryRule:
    """One rule. Raises ConfigError."""
    from eximious.lists.address import compile as compile_addresses

    def here(rest: str) -> Place | None:
        """The place where the rest of the text begins."""
        return None if place is None else place.at(len(text) - len(rest))

    pattern, rest = _word(text, "domain pattern", place)
    place_of_error = here(rest)
    error_name, rest = _word(rest, "error type", place_of_error)
    error = parse_error(error_name, place_of_error)
    senders = None
    if rest.startswith("senders="):
        senders, rest = _word(rest[len("senders=") :], "sender list", here(rest))
    rule = RetryRule(compile_addresses(_one_item(pattern), place), error, _steps(rest, here(rest)))
    rule.pattern_source = pattern
    rule.place = place
    if senders is not None:
        rule.senders_source = senders
        rule.senders = compile_addresses(senders, place)
    return rule


def _one_item(pattern: str) -> str:
    """The pattern as a list of one item: what it says of colons is to be left alone."""
    return pattern if "$" in pattern else pattern.replace(":", "::")


def _word(text: str, what: str, place: Place | None) -> tuple[str, str]:
    """A word, which may be in double quotes, and what follows it without leading blanks."""
    text = text.lstrip()
    if not text:
        raise ConfigError(f"missing {what} in retry rule", place)
    if text[0] != '"':
        cut = min((text.find(blank) for blank in " \t" if blank in text), default=len(text))
        return text[:cut], text[cut:].lstrip()
    word_characters: list[str] = []
    position = 1
    while position < len(text) and text[position] != '"':
        if text[position] == "\\" and position + 1 < len(text):
            position += 1
        word_characters.append(text[position])
        position += 1
    if position >= len(text):
        raise ConfigError("missing quote at end of string in retry rule", place)
    return "".join(word_characters), text[position + 1 :].lstrip()


def _steps(text: str, place: Place | None) -> list[Step]:
    steps = []
    start = 0
    for item in text.split(";"):
        if item.strip():
            blanks = len(item) - len(item.lstrip())
            steps.append(_step(item.strip(), None if place is None else place.at(start + blanks)))
        start += len(item) + 1
    return steps


def _step(item: str, place: Place | None) -> Step:
    """One set of parameters, as in ``G,16h,1h,1.5``."""
    words = [word.strip() for word in item.split(",")]
    kind = words[0]
    if kind not in PARAMETERS:
        raise ConfigError("unknown retry rule letter", place, "F, G or H, then a comma")
    expected = PARAMETERS[kind]
    if len(words) < expected:
        raise ConfigError("comma expected", place, f"{kind} has {expected - 1} parameters")
    if len(words) > expected or " " in words[-1]:
        raise ConfigError("semicolon expected", place)
    cutoff, interval = _time(words[1], place), _time(words[2], place)
    factor = 1.0
    if kind != FIXED:
        try:
            factor = float(words[3])
        except ValueError:
            raise ConfigError("bad parameters for retry rule", place, f'"{words[3]}" is not a number') from None
    if interval <= 0 or factor < 1.0:
        raise ConfigError("bad parameters for retry rule", place, "intervals are above 0, factors 1 or more")
    return Step(kind, cutoff, interval, factor)


def _time(text: str, place: Place | None) -> float:
    try:
        return seconds(text)
    except ValueError:
        raise ConfigError("bad time value", place, f'"{text}" is not a time such as 1h30m') from None
