"""The queuefile transport: copy the message, in spool format, into a directory.

(Exim's experimental specification, "Queuefile transport".)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from eximious.config.option import option
from eximious.spool.layout import FILE_MODE
from eximious.taint import is_tainted
from eximious.transports.base import Batch, Transport, expand, transports
from eximious.transports.content import IN_MEMORY
from eximious.transports.job import QUEUE_FILES, Content, Job
from eximious.transports.outcome import Outcome, Unable, panicked

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.template import Template


@transports.register("queuefile")
class Queuefile(Transport):
    """Put a copy of the message's spool files into a directory."""

    driver_name: ClassVar[str] = "queuefile"

    directory: Template | None = option(None, doc="Directory for the files: absolute, and there already.")

    def deliver(self, batch: Batch, context: Context) -> list[Outcome]:
        """Copy the message as it is in the queue, with all its recipients."""
        from eximious.spool.header_file import dump

        message = context.message
        path = expand(self, "directory", context)
        if is_tainted(path):
            raise Unable(panicked(f"Tainted '{path}' (directory for {self.name} transport) not permitted"))
        if not path.startswith("/"):
            raise Unable(panicked(f"{self.name} transport directory: {path} is not absolute"))
        content = Content(dump(message))
        if message.body.in_memory or message.body.size <= IN_MEMORY:
            content.body = message.body.data()
        else:
            content.descriptor = message.body.open_fd()
        assert batch.identity is not None
        arguments = {"path": path, "name": message.id, "mode": FILE_MODE}
        try:
            ended = context.services.local.run(Job(QUEUE_FILES, batch.identity, arguments, content))
        finally:
            if content.descriptor is not None:
                os.close(content.descriptor)
        outcome = Outcome(ended.status, ended.message, ended.errno)
        outcome.size = ended.values.get("size", 0)
        return [outcome] + [outcome.copy() for _ in batch.addresses[1:]]
