"""Messages that deliveries give rise to: bounces, warnings, automatic replies. They are received as any local message.

(Exim submits them to itself by ``exim -E<id> -t -oem -oi -f <>``; so do their headers, ids, ACL and log lines look.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.context import Context
from eximious.errors import EximiousError
from eximious.spool.errors import SpoolError
from eximious.spool.message import Message, Recipient

if TYPE_CHECKING:
    from eximious.receive.incoming import Incoming
    from eximious.services import Services

CHUNK: Final = 64 * 1024


class NotSubmitted(EximiousError):
    """The generated message was not accepted: an ACL refused it, or the spool has no room."""


def submit(
    services: Services,
    recipients: list[str],
    text: bytes,
    *,
    sender: str = "",
    about: str = "",
    uid: int | None = None,
    gid: int | None = None,
    authenticated_sender: str = "",
    recipients_from_headers: bool = False,
) -> str:
    """Queue a message (lines end with LF) and have it delivered; its id.

    `about` is the id of the message that gave rise to this one. `uid` and `gid` say who sends it; by default this
    program. Raises NotSubmitted.
    """
    from eximious.receive import queueing
    from eximious.receive.acceptance import accept
    from eximious.receive.incoming import ACCEPTED

    try:
        incoming = _incoming(services, recipients, text, sender, uid, gid)
    except SpoolError as error:
        raise NotSubmitted(str(error)) from error
    incoming.context.message.is_locally_submitted_error = bool(about)
    context = incoming.context
    if authenticated_sender:
        context.message.authenticated_sender = authenticated_sender
        context.client.authenticated_id = ""
    incoming.arrival.reference = about
    incoming.recipients_from_headers = recipients_from_headers
    try:
        outcome = accept(incoming)
        if outcome.status != ACCEPTED:
            why = outcome.reply or (outcome.verdict.user_message if outcome.verdict is not None else "") or "refused"
            raise NotSubmitted(why)
        queueing.start_delivery(incoming)
    finally:
        incoming.close()
    return context.message.id


def _incoming(
    services: Services, recipients: list[str], text: bytes, sender: str, uid: int | None, gid: int | None
) -> Incoming:
    from eximious.acl.settings import Reception
    from eximious.receive.acceptance import give_id
    from eximious.receive.incoming import Incoming
    from eximious.receive.submitter import Submitter
    from eximious.smtp.data import PlainReader

    main = services.config.main
    uid = main.exim_user if uid is None else uid
    gid = main.exim_group if gid is None else gid
    context = Context(services.config, services)
    login, name = names_of(uid, context)
    message = context.message = Message(context.client)
    client = context.client
    client.is_local = True
    client.ident = login
    client.active_host_name = main.primary_hostname
    message.sender = sender
    message.sender_is_local = True
    message.allow_unqualified_sender = message.allow_unqualified_recipient = True
    message.login = login
    message.originator_uid, message.originator_gid = uid, gid
    message.received_protocol = "local"
    message.recipients = [Recipient(address) for address in recipients]
    give_id(context)
    reader = PlainReader(main.header_maxsize, dot_ends=False)
    body = services.spool.new_body()
    for start in range(0, len(text), CHUNK):
        reader.feed(text[start : start + CHUNK])
        body.append(reader.take())
    reader.finish()
    body.append(reader.take())
    is_trusted = uid in (main.exim_user, 0) or uid in (main.trusted_users or ())
    submitter = Submitter(login, name, uid, gid, address=f"{login}@{main.qualify_domain}", is_trusted=is_trusted)
    context.reception = reception = Reception()
    incoming = Incoming(context, reception, reader, body, submitter, is_local=True, is_smtp=False)
    incoming.has_given_sender = True
    return incoming


def names_of(uid: int, context: Context) -> tuple[str, str]:
    """The login name and the full name of a user; the number in digits, and none, if there is no account."""
    import pwd

    from eximious.receive.full_name import full_name, octets_of

    try:
        account = pwd.getpwuid(uid)
    except KeyError:
        return str(uid), ""
    return octets_of(account.pw_name), full_name(octets_of(account.pw_gecos), account.pw_name, context)
