"""A configuration with routers, on a machine that exists only in memory: for tests of routing and verification."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

from eximious.config.configuration import Configuration
from eximious.config.load import load
from eximious.context import Context
from eximious.dns.static import StaticResolver
from eximious.hints.memory import MemoryHints
from eximious.logs.destination import Destinations
from eximious.logs.log import Logs
from eximious.services import Services
from eximious.taint import Tainted
from eximious.verify.report import RoutingReport, report_verification

MAIN = """
primary_hostname = my.host
qualify_domain = test.ex
local_interfaces = 127.0.0.1 : 10.9.9.9
"""
TRANSPORTS = """
begin transports
t1:
  driver = appendfile
  file = /tmp/x
t2:
  driver = appendfile
  file = /tmp/x
p1:
  driver = pipe
s:
  driver = smtp
"""


class KeptLogs(Logs):
    """Log entries in a list, as ``main panic: text``."""

    def __init__(self) -> None:
        super().__init__(Destinations(None, False))
        self.lines: list[str] = []

    def write(self, logs: Iterable[str], text: str, message_id: str = "", details: str = "") -> None:
        """Keep an entry."""
        self.lines.append(f"{' '.join(logs)}: {text}")


class Place:
    """A configuration, and what there is around it."""

    def __init__(
        self,
        folder: Path,
        routers: str,
        *,
        main: str = "",
        zone: str = "",
        more: str = "",
        transports: str = TRANSPORTS,
        ipv6: bool = False,
    ) -> None:
        path = folder / "exim.conf"
        path.write_text(
            f"{MAIN}disable_ipv6 = {not ipv6}\n{main}\n{more}\nbegin routers\n{routers}\n{transports}",
            encoding="latin-1",
        )
        self.config: Configuration = load(str(path))
        self.logs = KeptLogs()
        self.time = 1e9
        self.services = Services(self.config)
        self.services.random = random.Random(1)
        self.services.__dict__.update(
            logs=self.logs, dns=StaticResolver(zone), hints=MemoryHints(self._now), now=self._now
        )

    def _now(self) -> float:
        return self.time

    def context(self) -> Context:
        """A fresh context."""
        context = Context(self.config, self.services)
        context.message.sender = "sender@test.ex"
        return context

    def routed(self, address: str) -> list[str]:
        """What ``-bt`` shows."""
        shown: list[str] = []
        RoutingReport(self.context(), shown.append).report(Tainted(address))
        return shown

    def verified(self, address: str, *, is_recipient: bool = True) -> str:
        """What ``-bv`` shows."""
        shown: list[str] = []
        report_verification(Tainted(address), self.context(), shown.append, is_recipient=is_recipient, has_details=True)
        return "\n".join(shown)
