"""The autoreply transport: answer the message with one generated here.

(Exim specification, chapter "The autoreply transport".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from eximious.config.option import option
from eximious.transports.base import Batch, Transport, transports
from eximious.transports.outcome import Outcome

if TYPE_CHECKING:
    from eximious.config.values import Octal, Size
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.lists.address import AddressList


@transports.register("autoreply")
class Autoreply(Transport):
    """Send a message, usually back to the sender."""

    driver_name: ClassVar[str] = "autoreply"

    bcc: Template | None = option(None, doc="Recipients who are not named in the header.")
    cc: Template | None = option(None, doc="Content of the Cc: header; its addresses are recipients.")
    file: Template | None = option(None, doc="File whose content goes into the message.")
    file_expand: bool = option(False, doc="Expand the file, line by line.")
    file_optional: bool = option(False, doc="The file need not exist.")
    from_: Template | None = option(None, doc="Content of the From: header.")
    headers: Template | None = option(None, doc="More header lines.")
    log: Template | None = option(None, doc="File to log each reply in.")
    mode: Octal = option("0600", doc="Mode of the log file, if it is created.")
    never_mail: AddressList | None = option(None, doc="Nobody on this list is ever written to.")
    once: Template | None = option(None, doc="File that remembers who has had a reply.")
    once_file_size: Size = option(0, doc="Size limit of that file; with it the oldest entries are forgotten.")
    once_repeat: Template | None = option(None, doc="Time after which a reply may be sent again.")
    reply_to: Template | None = option(None, doc="Content of the Reply-To: header.")
    return_message: bool = option(False, doc="Append the message that is answered.")
    subject: Template | None = option(None, doc="Content of the Subject: header.")
    text: Template | None = option(None, doc="Text of the message, before what comes from a file.")
    to: Template | None = option(None, doc="Content of the To: header; its addresses are recipients.")

    def deliver(self, batch: Batch, context: Context) -> list[Outcome]:
        """Send one reply."""
        from eximious.transports.replying import Delivery

        return [Delivery(self, batch, context).run()]
