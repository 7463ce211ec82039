"""A context to expand strings in: an empty configuration, a clock that stands still, nobody connected."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from eximious.config.configuration import Configuration
from eximious.config.load import load
from eximious.context import Context
from eximious.dns.static import StaticResolver
from eximious.errors import Defer, ExpandError
from eximious.expand.template import compile
from eximious.logs.fields import Fields
from eximious.services import Services

NOW = 1795521600.0  # 2026-11-24 12:00:00 UTC, when the reference was asked
CONFIGURATION = "primary_hostname = mail.example.test\n"


@functools.lru_cache(maxsize=32)
def configuration(text: str = CONFIGURATION) -> Configuration:
    """The configuration with that text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "exim.conf")
        path.write_text(text, encoding="latin-1")
        return load(str(path))


def make_context(text: str = CONFIGURATION, zone: str = "") -> Context:
    """A fresh context of that configuration and a DNS of that zone. Logs are kept in `context.services.logs.lines`."""
    config = configuration(text)
    services = Services(config)
    services.now = lambda: NOW
    services.__dict__["logs"] = Logs()
    services.__dict__["dns"] = StaticResolver(zone)
    return Context(config, services)


class Logs:
    """Logs that remember what was written."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.selected: frozenset[str] = frozenset({"unknown_in_list"})
        self.fields = Fields(self.selected)

    def main(self, text: str, message_id: str = "") -> None:
        self.lines.append(text)

    def panic(self, text: str, message_id: str = "") -> None:
        self.lines.append(text)

    def write(self, logs: object, text: str, message_id: str = "", details: str = "") -> None:
        self.lines.append(text)


def answer(text: str, context: Context | None = None) -> str:
    """What ``exim -be`` shows for a string: its expansion, or ``Failed:`` and why."""
    try:
        return compile(text).expand(context or make_context())
    except (ExpandError, Defer) as error:
        return f"Failed: {error}"
