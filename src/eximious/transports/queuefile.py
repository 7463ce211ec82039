"""The queuefile transport: copy the message, in spool format, into a directory.

(Exim's experimental specification, "Queuefile transport".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from eximious.config.option import option
from eximious.transports.base import Transport, transports

if TYPE_CHECKING:
    from eximious.expand.template import Template


@transports.register("queuefile")
class Queuefile(Transport):
    """Put a copy of the message's spool files into a directory."""

    driver_name: ClassVar[str] = "queuefile"

    directory: Template | None = option(None, doc="Directory for the files: absolute, and there already.")
