"""Changes to messages in the queue: freezing, thawing, removing, other recipients, another sender, another queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from eximious.exim.command_line import CommandLineError
from eximious.spool.errors import SpoolError
from eximious.spool.message import Recipient

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation
    from eximious.spool.claimed import Claimed
    from eximious.spool.message import Message

PERMISSION_DENIED = "Permission denied"


class Refused(Exception):
    """The change cannot be made; `str()` is what follows the message's id."""


def freeze(call: Invocation, message_id: str) -> bool:
    """``-Mf``: no delivery is tried until it is thawed."""

    def change(message: Message) -> str:
        if message.is_frozen:
            raise Refused("is already frozen")
        message.is_frozen = True
        message.manual_thaw = False
        message.frozen_at = int(call.services.now())
        _log(call, message, f"frozen by {_who(call)}")
        return "is now frozen"

    return _change(call, message_id, change)


def thaw(call: Invocation, message_id: str) -> bool:
    """``-Mt``: deliveries are tried again."""

    def change(message: Message) -> str:
        if not message.is_frozen:
            raise Refused("is not frozen")
        message.is_frozen = False
        message.manual_thaw = True
        _log(call, message, f"unfrozen by {_who(call)}")
        return "is no longer frozen"

    return _change(call, message_id, change)


def mark_all_delivered(call: Invocation, message_id: str) -> bool:
    """``-Mmad``: nobody is to get it any more."""

    def change(message: Message) -> str:
        for recipient in message.recipients:
            _mark(call, message, recipient.address)
        return "has been modified"

    return _change(call, message_id, change)


def mark_delivered(call: Invocation, message_id: str) -> bool:
    """``-Mmd``: these recipients are not to get it any more."""

    def change(message: Message) -> str:
        known = {recipient.address for recipient in message.recipients}
        if not call.line.arguments:
            raise Refused("- error while marking as delivered: no address given")
        for address in call.line.arguments:
            if address not in known:
                raise Refused(
                    f"- error while marking as delivered:\n  {address} is not a recipient: message not updated"
                )
            _mark(call, message, address)
        return "has been modified"

    return _change(call, message_id, change)


def add_recipients(call: Invocation, message_id: str) -> bool:
    """``-Mar``: others are to get it as well."""

    def change(message: Message) -> str:
        if not call.line.arguments:
            raise Refused("- error while adding recipient: no address given")
        for text in call.line.arguments:
            address = _qualified(text, "adding recipient", may_be_empty=False)
            message.recipients.append(Recipient(address))
            _log(call, message, f"recipient <{address}> added by {_who(call)}")
        return "has been modified"

    return _change(call, message_id, change)


def edit_sender(call: Invocation, message_id: str) -> bool:
    """``-Mes``: errors go to another address."""

    def change(message: Message) -> str:
        if not call.line.arguments:
            raise Refused("- error while editing sender: no address given")
        if len(call.line.arguments) > 1:
            raise Refused("- only one sender address can be specified")
        message.sender = _qualified(call.line.arguments[0], "editing sender", may_be_empty=True)
        _log(call, message, f"sender address changed to <{message.sender}> by {_who(call)}")
        return "has been modified"

    return _change(call, message_id, change)


def move(call: Invocation, message_id: str) -> bool:
    """``-MG``: into another queue."""
    from eximious.exim.move import move_files

    claimed = _claim(call, message_id)
    if claimed is None:
        return False
    source, target = call.line.queue_name, call.line.new_queue
    try:
        move_files(call.services.spool.layout, message_id, source, target)
    except SpoolError as error:
        call.print(f"Message {message_id} {error}")
        return False
    finally:
        claimed.release()
    call.print(f"Message {message_id} ")
    call.services.logs.main(f"moved from {_shown(source)}input, msglog to {_shown(target)}input, msglog", message_id)
    return True


def remove(call: Invocation, message_id: str) -> bool:
    """``-Mrm``: it is forgotten, and nobody is told."""
    from eximious.exim.move import remove_remains

    try:
        claimed = _claim(call, message_id, explain=False)
    except SpoolError as error:
        call.print(f"Spool read error for {message_id}-H: {error}\nContinuing to ensure all files removed")
        claimed = None
        _require_admin(call, message_id)
    if claimed is None:
        return _remove_nothing(call, message_id, remove_remains)
    message = claimed.message
    if not call.caller.is_admin and message.originator_uid != call.caller.uid:
        claimed.release()
        return _deny(call)
    _log(call, message, f"removed by {_who(call)}")
    _log(call, message, "Completed")
    claimed.remove()
    call.print(f"Message {message_id} has been removed")
    return True


def _remove_nothing(call: Invocation, message_id: str, remains: Callable[..., bool]) -> bool:
    """There is no message to claim: it is gone, being delivered, or its files are incomplete."""
    layout = call.services.spool.layout
    if layout.find(message_id, "-D", call.line.queue_name) is not None:
        call.print(f"Message {message_id} is locked")
        return False
    call.print(f"Spool data file for {message_id} does not exist\nContinuing, to ensure all files removed")
    if not call.caller.is_admin:
        return _deny(call)
    if layout.find(message_id, "-H", call.line.queue_name) is None:
        call.print(f"Spool read error for {message_id}-H: No such file or directory")
        call.print("Continuing to ensure all files removed")
    remains(layout, message_id, call.line.queue_name)
    call.print(f"Message {message_id} has been removed or did not exist")
    return False


# What the actions share.


def _change(call: Invocation, message_id: str, change: Callable[[Message], str]) -> bool:
    """Claim a message, change it, store it; `change` gives what is said, or raises Refused."""
    claimed = _claim(call, message_id)
    if claimed is None:
        return False
    if not call.caller.is_admin:
        claimed.release()
        return _deny(call)
    try:
        said = change(claimed.message)
        claimed.update()
    except Refused as error:
        call.print(f"Message {message_id} {error}")
        return False
    except SpoolError as error:
        call.print(f"Message {message_id} not modified: {error}")
        return False
    finally:
        claimed.release()
    call.print(f"Message {message_id} {said}")
    return True


def _claim(call: Invocation, message_id: str, *, explain: bool = True) -> Claimed | None:
    store, queue_name = call.services.spool, call.line.queue_name
    claimed = store.claim(message_id, queue_name)
    if claimed is None:
        is_locked = store.layout.find(message_id, "-D", queue_name) is not None
        if not is_locked:
            call.services.logs.main(f"Spool file {message_id}-D not found", message_id)
        elif "skip_delivery" in call.services.logs.selected:
            call.services.logs.main("Spool file is locked (another process is handling this message)", message_id)
        if explain:
            call.print(
                f"Message {message_id} is locked" if is_locked else f"Spool data file for {message_id} does not exist"
            )
    return claimed


def _require_admin(call: Invocation, message_id: str) -> None:
    if not call.caller.is_admin:
        raise CommandLineError(f"Message {message_id}: {PERMISSION_DENIED}")


def _deny(call: Invocation) -> bool:
    call.print(PERMISSION_DENIED)
    return False


def _mark(call: Invocation, message: Message, address: str) -> None:
    message.nonrecipients.add(address)
    _log(call, message, f"address <{address}> marked delivered by {_who(call)}")


def _log(call: Invocation, message: Message, text: str) -> None:
    call.services.logs.main(text, message.id)


def _who(call: Invocation) -> str:
    from eximious.config.users import user_name

    return user_name(call.caller.uid)


def _shown(queue_name: str) -> str:
    return f"({queue_name}) " if queue_name else ""


def _qualified(text: str, doing: str, *, may_be_empty: bool) -> str:
    """The address in a text. Raises Refused with what is wrong with it, or if it has no domain."""
    from eximious.address.parse import AddressError, parse

    if text == "<>" and may_be_empty:
        return ""
    try:
        address = parse(text).address
    except AddressError as error:
        raise Refused(f"- error while {doing}:\n  bad address {text}: {error}") from None
    if "@" not in address:
        raise Refused(f"- error while {doing}:\n  bad address {text}: domain missing")
    return address
