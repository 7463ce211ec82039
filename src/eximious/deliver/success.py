"""Delivery status notifications about deliveries that worked, for senders who asked for them (RFC 3461)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.deliver import report_parts as parts
from eximious.deliver.bounce import message_fields
from eximious.deliver.submit import NotSubmitted, submit

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.deliver.progress import Progress


def send_success_reports(progress: Progress) -> None:
    """Report the deliveries of this attempt for which that was asked and which no other host will report."""
    addresses = progress.notify_success
    message = progress.message
    if not addresses or not message.sender:
        return
    progress.notify_success = []
    reported = list({(address.top.address, _how(address)): address for address in addresses}.values())
    try:
        submit(progress.services, [message.sender], compose(progress, reported), about=message.id)
    except NotSubmitted as error:
        progress.log(f"failed to send a delivery status notification to {message.sender}: {error}")


def compose(progress: Progress, addresses: list[Address]) -> bytes:
    """The notification as it is submitted."""
    main, message = progress.context.config.main, progress.message
    mark = parts.boundary(progress)
    text = f"Reply-To: {main.errors_reply_to}\n" if main.errors_reply_to else ""
    text += parts.sender_line(progress.context) + f"Auto-Submitted: auto-generated\nTo: {message.sender}\n"
    text += (
        "Subject: Delivery Status Notification\n" + parts.references(progress.context) + parts.multipart(progress, mark)
    )
    text += f"\n--{mark}\nContent-type: text/plain; charset={parts.charset(progress)}\n\n"
    text += "This message was created automatically by mail delivery software.\n"
    text += " ----- The following addresses had successful delivery notifications -----\n"
    for address in addresses:
        text += f"<{address.top.address}> ({_how(address)[0]})\n\n"
    text += f"--{mark}\nContent-type: message/delivery-status\n\n{message_fields(progress)}\n"
    for address in addresses:
        text += _fields(progress, address)
    text += f"--{mark}\n"
    octets = text.encode("latin-1", "replace") + parts.returned_part(progress, headers_only=True)
    return octets + f"\n--{mark}--\n".encode()


def _how(address: Address) -> tuple[str, str]:
    """For people, and as a diagnostic code."""
    if address.transport is not None and not address.transport.is_local:
        return "relayed to non DSN-aware mailer", "relayed to non-DSN-aware mailer"
    return 'relayed via non "Remote SMTP" router', "relayed via non SMTP router"


def _fields(progress: Progress, address: Address) -> str:
    is_remote = address.transport is not None and not address.transport.is_local
    group = parts.recipient_fields(progress, address, None, "relayed" if is_remote else "delivered", "2.0.0")
    text = group.rstrip("\n") + "\n"
    if is_remote and address.result.host is not None:
        text += f"Remote-MTA: dns; {address.result.host.name}\nDiagnostic-Code: smtp; 250 Ok\n\n"
    else:
        text += f"Diagnostic-Code: X-Exim; {_how(address)[1]}\n\n"
    return text
