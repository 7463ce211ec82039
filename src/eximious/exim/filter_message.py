"""The message that ``-bf`` and ``-bF`` test filters with: read from standard input, put right, and kept in memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from eximious.acl.settings import Reception
from eximious.address.delivery import Address
from eximious.address.parse import AddressError, parse
from eximious.exim.submission import describe_client, submitter_of
from eximious.exim.submit import sender_of
from eximious.receive import from_line
from eximious.receive.acceptance import give_id
from eximious.receive.envelope import rules
from eximious.receive.fixups import Fixups
from eximious.receive.header_addresses import put_right
from eximious.receive.headers import records, size_of
from eximious.receive.submitter import Submitter
from eximious.smtp.data import PlainReader
from eximious.spool.body import Body
from eximious.spool.message import DELETED, Recipient
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.exim.invocation import Invocation

RETURN_PATH: Final = "return-path"


def read_filter_message(call: Invocation, context: Context) -> None:
    """Read the message into the context, with the caller as its recipient, and show what is known of its envelope."""
    submitter = submitter_of(call, context)
    # Whoever only tests may say anything of where the message comes from (-oM..., -f).
    call.caller.is_trusted = True
    describe_client(call, context, submitter)
    message = context.message
    message.allow_unqualified_sender = message.allow_unqualified_recipient = True
    message.login = submitter.login
    message.originator_uid, message.originator_gid = submitter.uid, submitter.gid
    given = sender_of(call, context, Submitter(is_trusted=True))
    message.sender = submitter.address if given is None else Tainted(given)
    message.sender_is_local = message.sender == submitter.address
    message.sender_set_untrusted = given is not None
    give_id(context)
    read_content(context)
    if not message.headers:
        call.print("Warning: no message headers read")
    return_path = _take_return_path(call, context)
    reception = context.reception = Reception()
    Fixups(context, reception, submitter, is_local=True, is_smtp=False, has_given_sender=given is not None).apply()
    put_right(context, qualifies_senders=True, qualifies_recipients=True)
    context.address = filter_address(call)
    message.recipients = [Recipient(Tainted(context.address.address))]
    call.print(f"Sender      = {message.sender or '<>'}")
    address = context.address
    prefix, suffix = address.local_part_prefix, address.local_part_suffix
    call.print(f"Recipient   = {address.address}")
    if prefix:
        call.print(f"Prefix    = {prefix}")
    if suffix:
        call.print(f"Suffix    = {suffix}")
    address.errors_to = return_path


def read_content(context: Context, fd: int = 0) -> None:
    """Headers and body from a descriptor up to its end, the body kept in memory."""
    main = context.config.main
    reader = PlainReader(main.header_maxsize, main.header_line_maxsize, dot_ends=True)
    reader.is_from_line = from_line.recogniser(context)
    body = Body()
    while not reader.is_complete and not reader.too_long:
        data = os.read(fd, 65536)
        if data:
            reader.feed(data)
        else:
            reader.finish()
        body.append(reader.take())
    message = context.message
    if reader.from_line and (sender := from_line.sender_in(reader.from_line, context)) is not None:
        message.sender = Tainted(sender)
    message.headers = records(reader.headers or [])
    message.body = body
    message.body_size = body.size
    message.size = size_of(message.headers) + min(reader.separator_size, 1) + body.size
    message.body_line_count = reader.body_lines
    message.body_zero_count = reader.body_zeros
    message.max_received_line_length = reader.longest_line


def filter_address(call: Invocation) -> Address:
    """Whose mail it is: the caller's, unless -bfl, -bfd, -bfp and -bfs say otherwise."""
    import pwd

    line, main = call.line, call.config.main
    try:
        account = pwd.getpwuid(call.caller.uid)
        login, home = account.pw_name, account.pw_dir
    except KeyError:
        login, home = str(call.caller.uid), ""
    local_part = login if line.filter_local_part is None else line.filter_local_part
    domain = line.filter_domain or main.qualify_domain
    address = Address(f"{line.filter_prefix}{local_part}{line.filter_suffix}@{domain}")
    address.local_part = address.local_part_cased = local_part
    address.local_part_prefix, address.local_part_suffix = line.filter_prefix, line.filter_suffix
    address.home_directory = home
    return address


def _take_return_path(call: Invocation, context: Context) -> str:
    """The return path: what a Return-path: header says, which is taken out of the message, or the sender."""
    message = context.message
    for header in message.headers:
        if header.kind != DELETED and header.name.lower() == RETURN_PATH:
            header.kind = DELETED
            text = header.text.partition(":")[2].strip()
            try:
                found = parse(text, rules(context.config.main, allow_null=True)).address
            except AddressError:
                continue
            call.print('Return-path taken from "Return-path:" header line')
            call.print(f"Return-path = {found}")
            return Tainted(found)
    call.print("Return-path copied from sender")
    return message.sender
