"""The lmtp transport: speak LMTP to a command or over a Unix-domain socket.

(Exim specification, chapter "The lmtp transport"; RFC 2033.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from eximious.config.errors import Fault
from eximious.config.option import option
from eximious.transports.base import Batch, Transport, transports
from eximious.transports.outcome import Outcome

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.units import Seconds


@transports.register("lmtp")
class Lmtp(Transport):
    """Speak LMTP to a command, or to a server on this machine."""

    driver_name: ClassVar[str] = "lmtp"

    batch_id: Template | None = option(None, doc="Addresses are delivered together only if this is the same for them.")
    batch_max: int = option(1, doc="How many addresses one run may deliver to.")
    command: str | None = option(None, doc="Command to run: split into words, and only then expanded.")
    ignore_quota: bool = option(False, doc="Send the IGNOREQUOTA extension's parameter.")
    socket: Template | None = option(None, doc="Unix-domain socket of the server.")
    timeout: Seconds = option("5m", doc="How long to wait for each answer.")

    def check(self, config: Configuration) -> None:
        """Check the options together."""
        super().check(config)
        if (self.command is None) == (self.socket is None):
            raise Fault(f"one (and only one) of command or socket must be set for the {self.name} transport")

    def deliver(self, batch: Batch, context: Context) -> list[Outcome]:
        """One LMTP transaction for all addresses of the batch."""
        from eximious.transports.lmtp_dialogue import Dialogue

        return Dialogue(self, batch, context).run()
