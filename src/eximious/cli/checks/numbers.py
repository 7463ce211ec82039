"""Comparisons of numbers with what is none: these fail when they are reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from eximious.cli.checks.strings import Text, texts
from eximious.config.configuration import Configuration
from eximious.errors import ConfigError, ExpandError
from eximious.expand.condition import Test
from eximious.expand.conditions import number
from eximious.expand.numbers import integer
from eximious.expand.variable import Variable

FUNCTIONS: Final = frozenset(
    (number.equal, number.equal_too, number.less, number.less_or_equal, number.greater, number.greater_or_equal)
)
# Variables that never hold a number (or only by accident), and the condition that compares texts.
TEXTUAL: Final = frozenset(
    (
        *("authenticated_id", "domain", "domain_data", "home", "host", "host_address", "interface_address"),
        *("local_part_prefix", "message_exim_id", "primary_hostname", "protocol", "qualify_domain"),
        *("received_protocol", "return_path", "sender_address", "sender_address_domain", "sender_fullhost"),
        *("sender_helo_name", "sender_host_address", "sender_host_authenticated", "sender_host_name"),
        *("tls_in_cipher", "tls_in_sni", "tls_in_ver", "tod_full", "tod_log"),
    )
)
# Options that are expanded, and must then be a number.
OPTIONS: Final = frozenset({"max_rcpt", "message_size_limit", "quota", "quota_filecount"})


def numbers(config: Configuration) -> Iterator[ConfigError]:
    """A warning for each argument that is no number."""
    for text in texts(config):
        if text.option in OPTIONS and text.template.constant is not None:
            try:
                integer(text.template.constant.partition("/")[0])  # quota = 10M/no_check
            except ExpandError as error:
                yield ConfigError(f"{text.option} is a number: {error}", text.place)
        for thing in text.walk():
            if isinstance(thing, Test) and thing.function in FUNCTIONS:
                for argument in thing.arguments:
                    yield from _argument(text, thing, argument)


def _argument(text: Text, test: Test, argument: Any) -> Iterator[ConfigError]:
    if isinstance(argument, Variable) and argument.name in TEXTUAL:
        hint = "eq, lt, gt and the like compare texts"
        yield ConfigError(f"${argument.name} is compared as a number", text.place_of(argument), hint)
    elif argument.constant is not None:
        try:
            integer(argument.constant)
        except ExpandError as error:
            place = text.place_in(test, argument.constant)
            yield ConfigError(f"numbers are compared: {error}", place, "eq, lt, gt and the like compare texts")
