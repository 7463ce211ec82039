"""Recipients taken from header lines: ``exim -t``. (Exim specification, the command line option -t.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.address.header_list import parse_list
from eximious.octets import SPACE
from eximious.receive.complaint import Complaint, Kind
from eximious.receive.envelope import rules
from eximious.receive.headers import RECIPIENTS, name_of
from eximious.spool.header_kinds import BCC, RESENT
from eximious.spool.message import DELETED, Recipient
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context


def extract(context: Context) -> Complaint | None:
    """Add the recipients in To:, Cc: and Bcc: (with Resent- headers, only theirs), and delete Bcc:.

    There is a complaint about addresses that cannot be understood, or if there are none at all.
    """
    message = context.message
    main = context.config.main
    address_rules = rules(main, literals_allowed=True)
    has_resent = any(name_of(header.text).startswith(RESENT) for header in message.headers)
    known = {recipient.address for recipient in message.recipients}
    bad: list[tuple[str, str]] = []
    were_removed = False
    for header in message.headers:
        if header.kind not in RECIPIENTS or name_of(header.text).startswith(RESENT) is not has_resent:
            continue
        value = header.text.partition(":")[2]
        for item in parse_list(value, address_rules):
            if item.parsed is None:
                bad.append((value[item.start :].strip(SPACE), item.error))
                continue
            given = address = item.parsed.address.replace("\n", "")  # a quoted local part may be folded
            if item.parsed.at < 0:
                address = f"{address}@{main.qualify_recipient}"
            if address in message.nonrecipients:
                were_removed = True
            elif address not in known:
                known.add(address)
                recipient = Recipient(Tainted(address))
                recipient.given = given
                message.recipients.append(recipient)
        if header.kind == BCC:
            header.kind = DELETED
    return _complaint(context, bad, were_removed=were_removed)


def _complaint(context: Context, bad: list[tuple[str, str]], *, were_removed: bool) -> Complaint | None:
    message = context.message
    if bad:
        complaint = Complaint(Kind.BAD_ADDRESSES, bad)
        complaint.has_others = bool(message.recipients)
        return complaint
    if not message.recipients:
        return Complaint(Kind.ALL_REMOVED if were_removed else Kind.NO_RECIPIENTS)
    return None
