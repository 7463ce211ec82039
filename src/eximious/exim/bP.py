"""``exim -bP``: what is configured. (Exim specification, "Command line options".)"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from eximious.config.drivers import CLASSES, DriverClass
from eximious.config.show import Show

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation

EXIT_SUCCESS: Final = 0
EXIT_FAILURE: Final = 1


def run(invocation: Invocation) -> int:
    """Print what the arguments ask for; everything in the main part if there are none."""
    request = Request(invocation)
    words = list(invocation.line.arguments) or ["all"]
    while words:
        request.answer(words)
    return request.status


class Request:
    """One command line's worth of questions."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._is_terse: bool = invocation.line.is_terse
        self._show = Show(invocation.config, is_admin=invocation.caller.is_admin, is_terse=self._is_terse)
        self.status = EXIT_SUCCESS

    def answer(self, words: list[str]) -> None:
        """Answer the first of the words, or the first two; they are taken away."""
        word = words.pop(0)
        if word in CLASSES and words:
            self._driver(CLASSES[word], words.pop(0))
        elif word == "macro" and words:
            self._macro(words.pop(0))
        elif word == "environment" and words:
            self._environment_variable(words.pop(0))
        elif word in _WORDS:
            _WORDS[word](self)
        elif word.removesuffix("_list") in CLASSES and word.endswith("_list"):
            self._print(self._show.names(CLASSES[word.removesuffix("_list")]))
        elif word.removesuffix("s") in CLASSES and word.endswith("s"):
            self._print(self._show.drivers(CLASSES[word.removesuffix("s")]))
        elif word.startswith("+"):
            self._named_list(word[1:])
        else:
            line = self._show.main_option(word)
            if line is None:
                self._fail(f"{word} is not a known option")
            else:
                self._print([line])

    def _print(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._invocation.print(line)

    def _fail(self, text: str) -> None:
        self._invocation.print(text)
        self.status = EXIT_FAILURE

    def _driver(self, drivers: DriverClass, name: str) -> None:
        lines = self._show.driver(drivers, name)
        if lines is None:
            self._fail(f"{drivers.kind} {name} not found")
        else:
            self._print(lines)

    def _named_list(self, name: str) -> None:
        lines = self._show.named_lists(name)
        if lines:
            self._print(lines)
        else:
            self._fail(f'no address, domain, host, or local part list called "{name}" exists')

    def _macro(self, name: str) -> None:
        text = self._macros().get(name)
        if text is None:
            self._fail(f"macro {name} not found")
        else:
            self._print([self._show.macro(name, text)])

    def _macros(self) -> dict[str, str]:
        from eximious.config.built_in import built_in_macros

        return built_in_macros() | self._invocation.config.macros

    def _environment_variable(self, name: str) -> None:
        if name in os.environ:
            self._print([name if self._is_terse else f"{name}={os.environ[name]}"])
        else:
            self._fail(f"environment {name} not found")

    def all(self) -> None:
        """Every main option."""
        self._print(self._show.main())

    def macros(self) -> None:
        """Every macro with its text."""
        self._print(self._show.macro(name, text) for name, text in self._macros().items())

    def macro_list(self) -> None:
        """The names of all macros."""
        self._print(self._macros())

    def config(self) -> None:
        """The configuration as it was read."""
        self._print(self._show.source())

    def config_file(self) -> None:
        """The name of the file that was used."""
        self._print([self._invocation.config.file])

    def environment(self) -> None:
        """The environment that is left, by name."""
        names = sorted(os.environ)
        self._print(names if self._is_terse else [f"{name}={os.environ[name]}" for name in names])

    def local_scan(self) -> None:
        """Options of a local_scan function, of which there is none."""
        self._fail("local_scan() options are not supported")


_WORDS: Final = {
    "all": Request.all,
    "config": Request.config,
    "config_file": Request.config_file,
    "configure_file": Request.config_file,
    "environment": Request.environment,
    "local_scan": Request.local_scan,
    "macro_list": Request.macro_list,
    "macros": Request.macros,
}
