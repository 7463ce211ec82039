"""The message to the postmaster that another one has been frozen, or came to be frozen (option freeze_tell)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.deliver import report_parts as parts
from eximious.deliver.submit import NotSubmitted, submit

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.deliver.progress import Progress


def send(progress: Progress, recipients: str) -> None:
    """Tell those whom the option names."""
    _submit(progress.context, recipients, "Message frozen", _text(progress))


def send_on_arrival(context: Context, recipients: str) -> None:
    """Tell them of a message that an ACL has frozen."""
    message = context.message
    text = f"Message {message.id} was frozen on arrival by ACL.\nThe sender is <{message.sender}>.\n"
    _submit(context, recipients, "Message frozen on arrival", text)


def _submit(context: Context, recipients: str, subject: str, text: str) -> None:
    head = "Auto-Submitted: auto-replied\n" + parts.sender_line(context) + f"To: {recipients}\n"
    head += parts.references(context) + f"Subject: {subject}\n\n"
    octets = (head + text).encode("latin-1", "replace")
    about = context.message.id
    try:
        submit(context.services, [], octets, about=about, recipients_from_headers=True)
    except NotSubmitted as error:
        context.services.logs.main(f"failed to send a message about freezing to {recipients}: {error}", about)


def _text(progress: Progress) -> str:
    message = progress.message
    text = f"Message {message.id} has been frozen{_why(progress)}.\nThe sender is <{message.sender}>.\n\n"
    if progress.deferred:
        text += "The following address(es) have yet to be delivered:\n"
        for address in progress.deferred:
            why = f": {address.result.message}" if address.result is not None and address.result.message else ""
            text += f"  {address.address}{why}\n"
    return text


def _why(progress: Progress) -> str:
    """The reason, on lines of its own if the system filter has given one."""
    note = progress.frozen_note or ""
    who, colon, text = note.partition(": ")
    return f"{who}.\n{text}".replace("\\n", " \n") if colon else note
