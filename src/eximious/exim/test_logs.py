"""Log entries of runs that only test something: shown on standard error, and written nowhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from eximious.logs.destination import Destinations
from eximious.logs.log import MAIN, PANIC, REJECT, Logs
from eximious.logs.printing import entry

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation


class ShownLogs(Logs):
    """Logs without files. `names_them`: say which logs an entry would go to, in place of the time."""

    def __init__(self, of: Logs, *, names_them: bool) -> None:
        super().__init__(Destinations(None, False), of.selected, log_timezone=False)
        self.names_them = names_them
        self.stamps = of._timestamps

    def write(self, logs: Iterable[str], text: str, message_id: str = "", details: str = "") -> None:
        """Show an entry."""
        chosen = list(logs)
        text = entry(text)
        if self.names_them:
            names = " ".join(log.upper() for log in (MAIN, PANIC, REJECT) if log in chosen)
            indented = text.replace("\n", "\n  ")
            shown = f"LOG: {names}\n  {indented}\n"
        else:
            shown = f"{self.stamps.now()} {f'{message_id} ' if message_id else ''}{text}\n"
        sys.stdout.flush()
        sys.stderr.write(shown)


def show_logs(call: Invocation, *, names_them: bool) -> None:
    """Let the services of this process show their log entries instead of writing them."""
    call.services.__dict__["logs"] = ShownLogs(call.services.logs, names_them=names_them)
