"""Warnings to senders that a message has not been delivered for some time.

(Exim specification, options delay_warning and delay_warning_condition.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.deliver import report_parts as parts
from eximious.deliver.bounce import errors_address, message_fields
from eximious.deliver.submit import NotSubmitted, submit
from eximious.errors import Defer, ExpandError
from eximious.octets import SPACE
from eximious.smtp.dsn import DELAY
from eximious.transports.outcome import ROUTING_RETRY

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.deliver.progress import Progress


def send_warnings(progress: Progress) -> None:
    """Send the warning that is due, if one is."""
    message = progress.message
    if message.is_frozen or (not message.sender and not _has_errors_address(progress)):
        return
    times = progress.context.config.main.delay_warning
    if not times or all(time == 0 for time in times):
        return
    due = _due(times, progress.age)
    if due <= message.warning_count or not _is_wanted(progress):
        return
    addresses = [address for address in progress.deferred if _wants_delay_report(address)]
    if not addresses:
        return
    if not _send(progress, addresses):
        return
    message.warning_count = due
    progress.is_changed = True


def _has_errors_address(progress: Progress) -> bool:
    return any(errors_address(progress, address) for address in progress.deferred)


def _wants_delay_report(address: Address) -> bool:
    flags = address.top.recipient.dsn_flags if address.top.recipient is not None else 0
    return flags == 0 or bool(flags & DELAY)


def _due(times: list[float], age: float) -> int:
    """How many warnings should have been sent to the sender of a message of this age; the last interval repeats."""
    count = sum(1 for time in times if age >= time)
    if count == len(times):
        last = times[-1] - (times[-2] if len(times) > 1 else 0)
        if last > 0:
            count += int((age - times[-1]) // last)
    return count


def _is_wanted(progress: Progress) -> bool:
    template = progress.context.config.main.delay_warning_condition
    if template is None:
        return True
    try:
        text = template.expand(progress.context).strip(SPACE).lower()
    except (ExpandError, Defer):
        return False
    return text not in ("", "0", "no", "false")


def delay_text(seconds: float) -> str:
    """``35 minutes``, ``2 hours``."""
    minutes = int(seconds) // 60
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"


def _send(progress: Progress, addresses: list[Address]) -> bool:
    to: list[str] = []
    for address in addresses:
        recipient = errors_address(progress, address)
        if recipient and recipient not in to:
            to.append(recipient)
    if not to:
        return False
    facts = progress.context.facts
    facts["warn_message_delay"] = delay_text(_warned_age(progress))
    facts["warn_message_recipients"] = ", ".join(to)
    try:
        submit(progress.services, to, compose(progress, to, addresses), about=progress.message.id)
    except NotSubmitted as error:
        progress.log(f"failed to send a warning message to {to[0]}: {error}")
        return False
    finally:
        del facts["warn_message_delay"], facts["warn_message_recipients"]
    return True


def _warned_age(progress: Progress) -> float:
    """The delay that the warning states: that of the option which has been exceeded."""
    times = progress.context.config.main.delay_warning
    passed = [time for time in times if progress.age >= time]
    if len(passed) == len(times):
        last = times[-1] - (times[-2] if len(times) > 1 else 0)
        if last > 0:
            return times[-1] + ((progress.age - times[-1]) // last) * last
    return passed[-1] if passed else 0.0


def compose(progress: Progress, to: list[str], addresses: list[Address]) -> bytes:
    """The warning as it is submitted."""
    main, message = progress.context.config.main, progress.message
    mark = parts.boundary(progress)
    templates = parts.Templates(progress, "warn_message_file", "warning")
    delay = progress.context.facts["warn_message_delay"]
    head = f"Reply-To: {main.errors_reply_to}\n" if main.errors_reply_to else ""
    head += "Auto-Submitted: auto-replied\n" + parts.sender_line(progress.context) + f"To: {', '.join(to)}\n"
    head += parts.references(progress.context) + parts.multipart(progress, mark)
    subject = templates.next()
    head += subject if subject is not None else f"Subject: Warning: message {message.id} delayed {delay}\n"
    body = f"\n--{mark}\nContent-type: text/plain; charset={parts.charset(progress)}\n\n"
    intro = templates.next()
    body += intro if intro is not None else _introduction(progress, to, delay, len(addresses))
    body += "\n"
    listed = list(reversed(addresses))
    for address in listed:
        text, may_tell = parts.shown_address(address)
        body += f"  {text}{_reason(address) if may_tell else ''}"
    body += "\n"
    end = templates.next()
    body += (
        end
        if end is not None
        else (
            "No action is required on your part. Delivery attempts will continue for\n"
            "some time, and this warning may be repeated at intervals if the message\n"
            "remains undelivered. Eventually the mail delivery software will give up,\n"
            "and when that happens, the message will be returned to you.\n"
        )
    )
    status = f"\n--{mark}\nContent-type: message/delivery-status\n\n{message_fields(progress)}\n"
    for address in listed:
        status += parts.recipient_fields(progress, address, address.result, "delayed", "4.0.0")
    octets = (head + body + status).encode("latin-1", "replace")
    octets += f"--{mark}\n".encode() + parts.returned_part(progress, headers_only=True)
    return octets + f"\n--{mark}--\n".encode()


def _introduction(progress: Progress, to: list[str], delay: str, count: int) -> str:
    message, main = progress.message, progress.context.config.main
    text = "This message was created automatically by mail delivery software.\n"
    if to == [message.sender]:
        text += "A message that you sent has not yet been delivered to one or more of its\nrecipients after more than "
    else:
        text += f"A message sent by\n\n  <{message.sender}>\n\nhas not yet been delivered to one or more of its\n"
        text += "recipients after more than "
    text += f"{delay} on the queue on {main.primary_hostname}.\n\n"
    text += f"The message identifier is:     {message.id}\n"
    for name, label in (("subject", "The subject of the message is:"), ("date", "The date of the message is:   ")):
        for header in message.headers:
            if header.name.lower() == name and header.kind != "*":
                text += f"{label} {header.text.partition(':')[2].strip(SPACE)}\n"
                break
    plural = "addresses" if count > 1 else "address"
    text += f"\nThe {plural} to which the message has not yet been delivered {'are' if count > 1 else 'is'}:\n"
    return text


def _reason(address: Address) -> str:
    outcome = address.result
    if outcome.errno <= ROUTING_RETRY or not (outcome.user_message or outcome.message):
        return ""
    return parts.error_text(address, outcome, "Delay reason: ")
