"""The message that tells the owner of a mailbox that it is getting full.

(Exim specification, "The appendfile transport", quota_warn_threshold.)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eximious.deliver.report_parts import sender_line
from eximious.deliver.submit import NotSubmitted, submit
from eximious.errors import Defer, ExpandError

if TYPE_CHECKING:
    from eximious.deliver.progress import Progress
    from eximious.transports.appendfile import Appendfile

WARN: Final = "warn"  # the special action of a delivery after which the mailbox is above the threshold

_FROM: Final = re.compile(r"^From[ \t]*:", re.IGNORECASE | re.MULTILINE)


def send_quota_warning(transport: Appendfile, progress: Progress) -> None:
    """Send the transport's quota_warn_message, to whom its own headers say. The delivery has been successful."""
    template = transport.quota_warn_message
    if template is None:
        return
    try:
        text = template.expand(progress.context)
    except (ExpandError, Defer) as error:
        progress.services.logs.panic(
            f"Failed to expand quota_warn_message for {transport.name} transport: {error}", progress.message.id
        )
        return
    head = "Auto-Submitted: auto-replied\n"
    if not _FROM.search(text.partition("\n\n")[0]):
        head += sender_line(progress.context)
    try:
        octets = (head + text).encode("latin-1", "replace")
        submit(progress.services, [], octets, about=progress.message.id, recipients_from_headers=True)
    except NotSubmitted as error:
        progress.log(f"failed to send the quota warning of {transport.name} transport: {error}")
