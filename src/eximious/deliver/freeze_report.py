"""The message to the postmaster that another one has been frozen (option freeze_tell)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.deliver import report_parts as parts
from eximious.deliver.submit import NotSubmitted, submit

if TYPE_CHECKING:
    from eximious.deliver.progress import Progress


def send(progress: Progress, recipients: str) -> None:
    """Tell those whom the option names."""
    text = compose(progress, recipients)
    try:
        submit(progress.services, [], text, about=progress.message.id, recipients_from_headers=True)
    except NotSubmitted as error:
        progress.log(f"failed to send a message about freezing to {recipients}: {error}")


def compose(progress: Progress, recipients: str) -> bytes:
    """The message as it is submitted."""
    message = progress.message
    text = "Auto-Submitted: auto-replied\n" + parts.sender_line(progress) + f"To: {recipients}\n"
    text += parts.references(progress) + "Subject: Message frozen\n\n"
    text += f"Message {message.id} has been frozen{_why(progress)}.\nThe sender is <{message.sender}>.\n\n"
    if progress.deferred:
        text += "The following address(es) have yet to be delivered:\n"
        for address in progress.deferred:
            why = f": {address.result.message}" if address.result is not None and address.result.message else ""
            text += f"  {address.address}{why}\n"
    return text.encode("latin-1", "replace")


def _why(progress: Progress) -> str:
    """The reason, on lines of its own if the system filter has given one."""
    note = progress.frozen_note or ""
    who, colon, text = note.partition(": ")
    return f"{who}.\n{text}".replace("\\n", " \n") if colon else note
