"""What is put right in the headers of a message that was submitted here, or in submission mode.

Exim specification, "Message processing": Date:, Message-ID:, From:, Sender:, and header lines that only a final
delivery should have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.address.parse import USUAL, AddressError, parse
from eximious.errors import Defer, ExpandError
from eximious.expand.operators.quote import quote_local_part
from eximious.expand.variables.tod import tod_full
from eximious.receive.full_name import phrase
from eximious.receive.headers import Found, add_after_received, mark_other_ids, name_of, value_of
from eximious.receive.rewriting import rewrite_recipients, rewrite_sender
from eximious.spool.header_kinds import FROM, ID, SENDER
from eximious.spool.message import DELETED, OTHER, Header
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.acl.settings import Reception
    from eximious.context import Context
    from eximious.receive.submitter import Submitter

NOT_IN_TRANSIT: Final = {
    "delivery-date": "delivery_date_remove",
    "envelope-to": "envelope_to_remove",
    "return-path": "return_path_remove",
}


class Fixups:
    """The fix-ups of one message."""

    def __init__(
        self,
        context: Context,
        reception: Reception,
        submitter: Submitter,
        *,
        is_local: bool,
        is_smtp: bool,
        has_given_sender: bool,
    ) -> None:
        self.context = context
        self.main = context.config.main
        self.message = context.message
        self.submission = reception.submission
        self.submitter = submitter
        self.is_local = is_local
        self.is_smtp = is_smtp
        self.has_given_sender = has_given_sender  # by MAIL, -f or a From line
        self.is_wanted = (is_local and not reception.suppress_local_fixups) or self.submission is not None
        self.found = Found(self.message.headers)
        self.id_was_added = False

    def apply(self) -> None:
        """Do all of it, in the order that Exim's messages show; the envelope is rewritten where it has its turn."""
        self._remove_transit_headers()
        mark_other_ids(self.message.headers, self.found.message_id)
        if not self.is_wanted:
            rewrite_recipients(self.context)
            rewrite_sender(self.context)
            return
        self._restore_login_in_from()
        self._drop_sender_headers()
        new_id = self._message_id()
        if new_id is not None:
            self._add(new_id)
        rewrite_recipients(self.context)
        if self.found.from_ is None:
            self._add_from()
        self._check_sender()
        rewrite_sender(self.context)
        if self.found.date is None:
            self._add(Header(f"{self.found.prefix}Date: {tod_full(self.context)}\n", OTHER))

    def _add(self, header: Header) -> None:
        """At the end; what belongs to a set of Resent-... headers, where that set is."""
        if self.found.has_resent and header.kind in (ID, OTHER):
            headers = self.message.headers
            position = 0
            while position < len(headers) and name_of(headers[position].text) in ("received", "resent-date"):
                position += 1
            if header.kind == OTHER:
                add_after_received(headers, header)
            else:
                headers.insert(position, header)
            return
        self.message.headers.append(header)

    # --- what should not be there -----------------------------------------------------------------------------------

    def _remove_transit_headers(self) -> None:
        for header in self.message.headers:
            option = NOT_IN_TRANSIT.get(name_of(header.text)) if header.kind == OTHER else None
            if option is not None and getattr(self.main, option):
                header.kind = DELETED

    def _drop_sender_headers(self) -> None:
        """Sender: is ours to say for local users who are not trusted, and in submission mode."""
        if self.submission is not None:
            drops = not self.submission.sender_retain
        else:
            drops = not self.submitter.is_trusted and not self.main.local_sender_retain
        if drops:
            for header in self.found.senders:
                header.kind = DELETED

    # --- what is missing --------------------------------------------------------------------------------------------

    def _message_id(self) -> Header | None:
        if self.found.message_id is not None:
            return None
        self.id_was_added = True
        domain = self._expanded("message_id_header_domain")
        domain = _only(domain, "-", ".") if domain else self.main.primary_hostname
        text = self._expanded("message_id_header_text")
        text = "." + _only(text, "-", "!#$%&'*+-/=?^_`{|}~.") if text else ""
        return Header(f"{self.found.prefix}Message-Id: <E{self.message.id}{text}@{domain}>\n", ID)

    def _expanded(self, option: str) -> str:
        template = getattr(self.main, option)
        if template is None:
            return ""
        try:
            return str(template.expand(self.context))
        except (ExpandError, Defer) as error:
            self.context.services.logs.panic(f'expansion of "{template.source}" ({option}) failed: {error}')
            return ""

    def _restore_login_in_from(self) -> None:
        """From: with nothing but the caller's login becomes the caller's whole address."""
        found = self.found.from_
        if found is None or self.is_smtp or not self.is_local or self.submission is not None:
            return
        if value_of(found).lower() != self.submitter.login.lower():
            return
        name = phrase(self._submitter_name(), self.main)
        new = Header(f"{self.found.prefix}From: {name} <{self.submitter.address}>\n", FROM)
        found.kind = DELETED
        self.message.headers.append(new)
        self.found.from_ = new

    def _add_from(self) -> None:
        # What rules make of the envelope's sender does not concern the header.
        sender = self.message.sender_rewritten_from or self.message.sender
        prefix = self.found.prefix
        if self.submission is not None:
            address = sender or self._authenticated_sender()
            if not address:
                return
            name = phrase(self.submission.name, self.main) if self.submission.name else ""
            text = f"{prefix}From: {name} <{address}>\n" if name else f"{prefix}From: {address}\n"
        elif not sender and self.submitter.is_trusted and not self.message.is_locally_submitted_error:
            return
        else:
            sender = sender or self.submitter.address
            name = phrase(self._submitter_name(), self.main)
            text = f"{prefix}From: {name} <{sender}>\n" if name else f"{prefix}From: {sender}\n"
        header = Header(text, FROM)
        self.message.headers.append(header)
        self.found.from_ = header

    def _submitter_name(self) -> str:
        """The caller's name; "" where a trusted caller has said who the sender is, and only that."""
        submitter = self.submitter
        if submitter.is_trusted and not submitter.name_is_forced and self.has_given_sender:
            return ""
        return submitter.name

    # --- Sender: ----------------------------------------------------------------------------------------------------

    def _check_sender(self) -> None:
        """Say who it really was, if From: is somebody else."""
        if self.submission is not None:
            if self.submission.sender_retain:
                return
            address = self._authenticated_sender()
            name = self.submission.name
        else:
            if self.submitter.is_trusted or not self.main.local_from_check:
                return
            address = self.submitter.address
            name = self.submitter.name
        if not address:
            return
        if not self._is_from(address):
            shown = phrase(name, self.main) if name else ""
            text = f"{shown} <{address}>" if shown else address
            self.message.headers.append(Header(f"{self.found.prefix}Sender: {text}\n", SENDER))
        if self.message.sender and self.message.sender != address and not self.message.sender_set_untrusted:
            self.message.sender_rewritten_from = ""
            self.message.sender = Tainted(address)

    def _authenticated_sender(self) -> str:
        """The address of an authenticated client, for submission mode; "" if there is none."""
        identity = self.context.client.authenticated_id
        assert self.submission is not None
        if not identity:
            return ""
        domain = self.submission.domain
        if domain == "":
            return identity
        return f"{quote_local_part(identity)}@{domain or self.main.qualify_domain}"

    def _is_from(self, address: str) -> bool:
        """True if From: has just this address, apart from prefixes and suffixes that are allowed."""
        found = self.found.from_
        if found is None:
            return False
        try:
            parsed = parse(value_of(found), USUAL)
        except AddressError:
            return False
        written = parsed.address if parsed.at >= 0 else f"{parsed.address}@{self.main.qualify_domain}"
        local_part, _, domain = written.rpartition("@")
        local_part = _without(local_part, self.main.local_from_prefix, at_start=True)
        local_part = _without(local_part, self.main.local_from_suffix, at_start=False)
        return f"{local_part}@{domain}".lower() == address.lower()


def _without(local_part: str, affixes: list[str] | None, *, at_start: bool) -> str:
    """The local part without one of the prefixes or suffixes, each of which may have a wildcard."""
    import fnmatch

    for affix in affixes or ():
        lengths = range(len(local_part), 0, -1)
        for length in lengths:
            piece = local_part[:length] if at_start else local_part[-length:]
            if fnmatch.fnmatchcase(piece.lower(), affix.lower()):
                return local_part[length:] if at_start else local_part[:-length]
    return local_part


def _only(text: str, replacement: str, allowed: str) -> str:
    """The text with what cannot be in a message id replaced."""
    return "".join(c if c.isascii() and (c.isalnum() or c in allowed) else replacement for c in text)
