"""Bounces: reports about addresses that failed for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.address.delivery import Address
from eximious.config.lists import split
from eximious.deliver import report_parts as parts
from eximious.deliver.lines import address_text
from eximious.deliver.submit import NotSubmitted, submit
from eximious.errors import Defer, ExpandError
from eximious.expand.template import expand
from eximious.lists.address import AddressText
from eximious.lists.address import compile as compile_addresses
from eximious.octets import SPACE
from eximious.smtp.dsn import FAILURE, NEVER

if TYPE_CHECKING:
    from eximious.deliver.progress import Progress


def send_bounces(progress: Progress) -> None:
    """Report all failed addresses: one bounce for each address that errors go to."""
    failed = list(reversed(progress.failed))
    while failed:
        address = failed.pop(0)
        if _is_ignored(address):
            _ignore(progress, address)
            continue
        recipient = errors_address(progress, address)
        if not recipient:  # there is nobody to tell
            if "cancelled" in address.flags:
                progress.is_done(address)
            else:
                _ignore(progress, address)
            continue
        together = [address]
        for other in failed:
            if not _is_ignored(other) and errors_address(progress, other) == recipient:
                together.append(other)
        failed = [other for other in failed if other not in together]
        _send(progress, recipient, together)


def errors_address(progress: Progress, address: Address) -> str:
    """Where reports about the address go."""
    return progress.message.sender if address.errors_to is None else address.errors_to


def _is_ignored(address: Address) -> bool:
    """Nobody is to be told: the configuration says so, or whoever sent the message (RFC 3461 NOTIFY)."""
    return "ignore_error" in address.flags or not _wants_report(address)


def _wants_report(address: Address) -> bool:
    flags = address.top.recipient.dsn_flags if address.top.recipient is not None else 0
    return not flags & NEVER and (not flags or bool(flags & FAILURE))


def _ignore(progress: Progress, address: Address) -> None:
    why = ": RFC 3461 DSN, failure notify not requested" if not _wants_report(address) else ""
    progress.log(f"{address_text(address, success=False)}: error ignored{why}")
    progress.is_done(address)


def _send(progress: Progress, recipient: str, addresses: list[Address]) -> None:
    """Send one bounce; then its addresses are done with."""
    message, main = progress.message, progress.context.config.main
    facts = progress.context.facts
    facts["bounce_recipient"] = recipient
    try:
        text = compose(progress, recipient, addresses)
        to = [recipient, *copies(progress, recipient)]
        authenticated = main.bounce_sender_authentication or ""
        submit(progress.services, to, text, about=message.id, authenticated_sender=authenticated)
    except NotSubmitted as error:
        # The addresses stay: the report is tried again with the next attempt.
        progress.log(f"failed to send a bounce message to {recipient}: {error}")
        progress.deferred += addresses
        return
    finally:
        facts.pop("bounce_recipient", None)
    for address in addresses:
        progress.is_done(address)


def copies(progress: Progress, recipient: str) -> list[str]:
    """errors_copy: who else gets what goes to this address."""
    option = progress.context.config.main.errors_copy
    if not option:
        return []
    context = progress.context
    before = context.address, context.captures
    context.address = Address(recipient)
    try:
        for item in split(option):
            pattern, addresses = _pattern_and_rest(item)
            # One item, not a list: a regular expression may have colons.
            if compile_addresses(f"<\n {pattern}").scan(AddressText(recipient), context) is not None:
                listed = expand(addresses, context)
                return [address.strip(SPACE) for address in listed.split(",") if address.strip(SPACE)]
    except (Defer, ExpandError) as error:
        progress.services.logs.panic(f"failed to expand errors_copy: {error}", progress.message.id)
    finally:
        context.address, context.captures = before
    return []


def _pattern_and_rest(item: str) -> tuple[str, str]:
    """An item of errors_copy: a pattern, in quotes if it has spaces, and addresses."""
    if item.startswith('"'):
        end = item.find('"', 1)
        while end > 0 and item[end - 1] == "\\":
            end = item.find('"', end + 1)
        return item[1:end].replace('\\"', '"').replace("\\\\", "\\"), item[end + 1 :].strip(SPACE)
    pattern, _, rest = item.partition(" ")
    return pattern, rest.strip(SPACE)


def compose(progress: Progress, recipient: str, addresses: list[Address]) -> bytes:
    """The bounce as it is submitted."""
    main = progress.context.config.main
    mark = parts.boundary(progress)
    templates = parts.Templates(progress, "bounce_message_file", "error")
    is_sender = recipient == progress.message.sender
    head = _failed_recipients(addresses)
    if main.errors_reply_to:
        head += f"Reply-To: {main.errors_reply_to}\n"
    head += "Auto-Submitted: auto-replied\n" + parts.sender_line(progress.context) + f"To: {recipient}\n"
    head += parts.references(progress.context) + parts.multipart(progress, mark)
    subject = templates.next()
    if subject is None:
        subject = f"Subject: Mail delivery failed{': returning message to sender' if is_sender else ''}\n"
    head += subject if subject.endswith("\n") else subject + "\n"
    body = f"\n--{mark}\nContent-type: text/plain; charset={parts.charset(progress)}\n\n"
    intro = templates.next()
    body += intro if intro is not None else _introduction(progress, is_sender=is_sender)
    body += "\n" + "".join(_address_entry(address) for address in addresses)
    octets = (head + body).encode("latin-1", "replace") + _outputs(addresses, templates.next())
    octets += _status_part(progress, addresses, mark).encode("latin-1", "replace")
    if main.bounce_return_message:
        octets += f"--{mark}\n".encode() + parts.returned_part(progress, headers_only=False) + b"\n"
    return octets + f"--{mark}--\n".encode()


def _failed_recipients(addresses: list[Address]) -> str:
    """X-Failed-Recipients: addresses, and for pipes and files those that were redirected to them."""
    named: dict[str, None] = {}
    for address in addresses:
        if "hide_child" not in address.flags:
            whose = address.parent if address.redirected_file and address.parent is not None else address
            named[parts.one_line(whose.address)] = None
    return "X-Failed-Recipients: " + ",\n  ".join(named) + "\n" if named else ""


def _introduction(progress: Progress, *, is_sender: bool) -> str:
    custom = progress.context.config.main.bounce_message_text or ""
    text = f"This message was created automatically by mail delivery software.\n{custom}\n"
    if is_sender:
        return text + (
            "A message that you sent could not be delivered to one or more of its\n"
            "recipients. This is a permanent error. The following address(es) failed:\n"
        )
    return text + (
        f"A message sent by\n\n  <{progress.message.sender}>\n\n"
        "could not be delivered to one or more of its recipients. The following\naddress(es) failed:\n"
    )


def _address_entry(address: Address) -> str:
    text, may_tell = parts.shown_address(address)
    return f"  {text}{parts.error_text(address, address.result) if may_tell else ''}"


def _outputs(addresses: list[Address], intro: str | None) -> bytes:
    """What commands have written, where it is to be returned."""
    with_output = [address for address in addresses if address.result.return_output and address.result.output]
    if not with_output:
        return b"\n"
    text = (
        intro
        if intro is not None
        else "The following text was generated during the delivery attempt%s:\n" % ("s" if len(with_output) > 1 else "")
    )
    octets = b"\n" + text.encode("latin-1", "replace")
    for address in with_output:
        name = parts.shown_address(address)[0].rstrip("\n").replace("\n    ", "\n       ")
        octets += f"\n------ {name} ------\n\n".encode("latin-1", "replace")
        octets += address.result.output
        if not address.result.output.endswith(b"\n"):
            octets += b"\n"
    return octets + b"\n"


def _status_part(progress: Progress, addresses: list[Address], mark: str) -> str:
    text = f"--{mark}\nContent-type: message/delivery-status\n\n{message_fields(progress)}\n"
    for address in reversed(addresses):
        text += parts.recipient_fields(progress, address, address.result, "failed", "5.0.0")
    return text


def message_fields(progress: Progress) -> str:
    """The fields about the whole message (RFC 3464 section 2.2)."""
    text = f"Reporting-MTA: dns; {progress.context.config.main.primary_hostname}\n"
    if progress.message.dsn_envid:
        text += f"Original-Envelope-ID: {parts.one_line(progress.message.dsn_envid)}\n"
    return text
