"""One run of the autoreply transport: who gets what, whether they have had it already, and sending it.

(Exim specification, chapter "The autoreply transport"; RFC 3834.)
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, Final

from eximious.address.header_list import parse_list
from eximious.address.rules import address_rules
from eximious.config.numbers import seconds
from eximious.errors import Defer, EximiousError, ExpandError
from eximious.expand.variables.tod import tod_log
from eximious.octets import SPACE
from eximious.spool.message import DELETED
from eximious.taint import is_tainted
from eximious.transports.expanding import expand_as_user
from eximious.transports.filtering import PASS_UNCHANGED, message_content
from eximious.transports.job import READ, REMEMBER, Ended, Job
from eximious.transports.outcome import DELIVERED, Outcome, Unable, deferred, delivered, failed

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.transports.autoreply import Autoreply
    from eximious.transports.base import Batch

FIELDS: Final = ("from", "reply_to", "to", "cc", "bcc", "subject", "headers")
NAMES: Final = {"from": "From", "reply_to": "Reply-To", "to": "To", "cc": "Cc", "subject": "Subject"}
MOST_FILE: Final = 10 * 1024 * 1024  # octets of a file that goes into a reply


class Reply:
    """What is to be sent: from the transport's options, or from the filter that asked for it."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.text = ""
        self.file = ""
        self.log = ""
        self.once = ""
        self.once_repeat = 0.0  # seconds
        self.expands_file = False
        self.forbidden: list[str] = []  # what may not be expanded in the file: forbid_lookup, ...
        self.returns_message = False


class Delivery:
    """Sending one reply."""

    def __init__(self, transport: Autoreply, batch: Batch, context: Context) -> None:
        self.transport = transport
        self.batch = batch
        self.context = context
        self.what = f"{transport.name} transport"

    def run(self) -> Outcome:
        """Send it. Raises Unable."""
        address = self.batch.addresses[0]
        reply = self._from_filter(address.reply) if address.reply is not None else self._from_options()
        self._refuse_tainted(reply)
        self._remove_never_mail(reply)
        recipients = self._recipients(reply)
        if not recipients:
            return delivered()
        file = self._file(reply)
        if self._was_sent(reply):
            return delivered()
        self._submit(recipients, self._compose(reply, file))
        self._note(reply)
        return delivered()

    # --- what -------------------------------------------------------------------------------------------------------

    def _from_options(self) -> Reply:
        transport, reply = self.transport, Reply()
        for name in FIELDS:
            option = "from_" if name == "from" else name
            reply.fields[name] = self._printable(option, several_lines=name == "headers")
        reply.text = self._expanded("text")
        reply.file = self._expanded("file")
        reply.log = self._expanded("log")
        reply.once = self._expanded("once")
        if reply.once and transport.once_repeat is not None:
            reply.once_repeat = self._seconds(self._expanded("once_repeat"))
        reply.expands_file = transport.file_expand
        reply.returns_message = transport.return_message
        return reply

    def _from_filter(self, wanted: Any) -> Reply:
        """Everything has been expanded while the filter ran."""
        reply = Reply()
        address = self.batch.addresses[0]
        for name in FIELDS:
            reply.fields[name] = getattr(wanted, "from_" if name == "from" else name) or ""
        reply.fields["to"] = reply.fields["to"] or address.redirected_file.removeprefix(">")
        for name in ("text", "file", "log", "once", "once_repeat", "expands_file", "forbidden"):
            setattr(reply, name, getattr(wanted, name))
        reply.returns_message = wanted.returns_message or self.transport.return_message
        return reply

    def _expanded(self, option: str) -> str:
        template = getattr(self.transport, option)
        if template is None:
            return ""
        try:
            text: str = template.expand(self.context)
        except (ExpandError, Defer) as error:
            why = f'Expansion of "{template.source}" failed in {self.what}: {error}'
            raise Unable(deferred(why, 0)) from error
        return text

    def _refuse_tainted(self, reply: Reply) -> None:
        """An outsider must not choose which of the user's files are read or written."""
        for path, what in ((reply.file, "file"), (reply.once, "once file"), (reply.log, "logfile")):
            if is_tainted(path):
                raise Unable(deferred(f"Tainted '{path}' ({what} for {self.what}) not permitted", errno.EACCES))

    def _printable(self, option: str, *, several_lines: bool) -> str:
        """A header's text: nothing but printing characters, and newlines only where a line goes on."""
        text = self._expanded(option)
        source = getattr(self.transport, option).source if text else ""
        for position, character in enumerate(text):
            if character == "\n" and (several_lines or text[position + 1 : position + 2] in (" ", "\t")):
                continue
            if character == "\t" or " " <= character < "\x7f" or character >= "\x80":
                continue
            message = f'Expansion of "{source}" in {self.what} contains non-printing character {ord(character)}'
            raise Unable(failed(message, 0))
        return text

    def _seconds(self, text: str) -> float:
        try:
            return seconds(text.strip(SPACE)) if text.strip(SPACE) else 0.0
        except ValueError:
            message = f'Invalid time value "{text}" for "once_repeat" in {self.what}'
            raise Unable(failed(message, 0)) from None

    # --- to whom ----------------------------------------------------------------------------------------------------

    def _remove_never_mail(self, reply: Reply) -> None:
        never = self.transport.never_mail
        if never is None:
            return
        for name in ("to", "cc", "bcc"):
            text = reply.fields[name]
            kept = []
            for item in parse_list(text, address_rules(self.context)):
                piece = text[item.start : item.end].strip(SPACE)
                address = item.parsed.address if item.parsed is not None else piece
                try:
                    if never.match(address, self.context) is None:
                        kept.append(piece)
                except Defer as error:
                    raise Unable(deferred(str(error), 0)) from error
            reply.fields[name] = ", ".join(kept) if len(kept) != len(parse_list(text)) else text

    def _recipients(self, reply: Reply) -> list[str]:
        found: dict[str, None] = {}
        domain = self.context.config.main.qualify_recipient
        for name in ("to", "cc", "bcc"):
            for item in parse_list(reply.fields[name], address_rules(self.context)):
                if item.parsed is not None and item.parsed.address:
                    address = item.parsed.address
                    found[address if item.parsed.at >= 0 else f"{address}@{domain}"] = None
        return list(found)

    # --- files of the user ------------------------------------------------------------------------------------------

    def _job(self, kind: str, arguments: dict[str, Any]) -> Ended:
        assert self.batch.identity is not None
        job = Job(kind, self.batch.identity, arguments, directory=self.batch.directory)
        ended: Ended = self.context.services.local.run(job)
        return ended

    def _file(self, reply: Reply) -> str:
        if reply.file in ("", "/dev/null"):
            return ""
        ended = self._job(READ, {"path": reply.file})
        if ended.status != DELIVERED or ended.descriptor is None:
            if self.transport.file_optional:
                return ""
            text = f"Failed to open file {reply.file} when sending message from {self.what}: {ended.message}"
            raise Unable(deferred(text, ended.errno))
        with os.fdopen(ended.descriptor, "rb") as file:
            text = file.read(MOST_FILE).decode("latin-1")
        return self._expanded_file(text, reply) if reply.expands_file else text

    def _expanded_file(self, text: str, reply: Reply) -> str:
        """Each line of the file expanded; as the user, who may have written it. A line that has a fault stays."""
        identity, address = self.batch.identity, self.batch.addresses[0]
        assert identity is not None
        lines = text.splitlines(keepends=True)
        results = expand_as_user(lines, self.context, identity, address, reply.forbidden)
        return "".join(
            line if isinstance(result, ExpandError) else result for line, result in zip(lines, results, strict=True)
        )

    def _was_sent(self, reply: Reply) -> bool:
        """True if the recipient has had a reply, and it is too early for another one."""
        if not reply.once:
            return False
        arguments = {"action": "seen", "path": reply.once, "key": reply.fields["to"], "repeat": reply.once_repeat}
        ended = self._remember(reply, arguments)
        if ended.values.get("seen") and reply.log:
            text = f"{tod_log(self.context)}\n  previously sent to {reply.fields['to'][:200]}\n"
            self._job(REMEMBER, {"action": "log", "path": reply.log, "text": text, "mode": self.transport.mode})
        return bool(ended.values.get("seen"))

    def _remember(self, reply: Reply, arguments: dict[str, Any]) -> Ended:
        ended = self._job(REMEMBER, arguments)
        if ended.status != DELIVERED:
            kind = '"once"' if self.transport.once_file_size else "hintsdb"
            text = f"Failed to open {kind} file {reply.once} when sending message from {self.what}: {ended.message}"
            raise Unable(deferred(text, ended.errno))
        return ended

    def _note(self, reply: Reply) -> None:
        """Remember that it has been sent, and log it where the user wants it."""
        if reply.once:
            arguments = {"action": "add", "path": reply.once, "key": reply.fields["to"]}
            self._remember(reply, arguments | {"size": self.transport.once_file_size})
        if not reply.log:
            return
        text = f"{tod_log(self.context)}\n"
        for name in ("from", "to", "cc", "bcc", "subject"):
            if reply.fields[name]:
                text += f"  {name.capitalize()}: {reply.fields[name]}\n"
        if reply.fields["headers"]:
            text += f"  {reply.fields['headers']}\n"
        ended = self._job(REMEMBER, {"action": "log", "path": reply.log, "text": text, "mode": self.transport.mode})
        if ended.status != DELIVERED:
            self.context.services.logs.main(
                f"Failed to open log file {reply.log} when sending message from {self.what}: {ended.message}",
                self.context.message.id,
            )

    # --- the message ------------------------------------------------------------------------------------------------

    def _compose(self, reply: Reply, file: str) -> bytes:
        head = "".join(f"{NAMES[name]}: {reply.fields[name]}\n" for name in NAMES if reply.fields[name])
        head += self._references() + "Auto-Submitted: auto-replied\n"
        if reply.fields["headers"]:
            head += reply.fields["headers"].rstrip("\n") + "\n"
        body = reply.text
        if body and not body.endswith("\n"):
            body += "\n"
        body += file
        octets = f"{head}\n{body}".encode("latin-1", "replace")
        return octets + self._returned() if reply.returns_message else octets

    def _references(self) -> str:
        """In-Reply-To: and References:, as RFC 5322 section 3.6.4 says."""
        message_id = references = in_reply_to = ""
        for header in self.context.message.headers:
            if header.kind == DELETED:
                continue
            name, _, value = header.text.partition(":")
            match name.strip(SPACE).lower():
                case "message-id":
                    message_id = value.strip(SPACE)
                case "references":
                    references = value.strip(SPACE)
                case "in-reply-to":
                    in_reply_to = value.strip(SPACE)
        if not message_id:
            return ""
        known = references or (in_reply_to if in_reply_to.count("@") == 1 else "")
        ids = [*known.split()[-11:], message_id]
        return f"In-Reply-To: {message_id}\nReferences: {' '.join(ids)}\n"

    def _returned(self) -> bytes:
        """A copy of the message that is answered."""
        limit = self.context.config.main.bounce_return_size_limit
        content = message_content(self.transport, self.batch, self.context, PASS_UNCHANGED)
        try:
            octets = content.joined()
        finally:
            if content.descriptor is not None:
                os.close(content.descriptor)
        rubric = "------ This is a copy of the message, including all the headers.\n"
        if self.transport.headers_only:
            rubric = "------ This is a copy of the message's header lines.\n"
        elif self.transport.body_only:
            rubric = "------ This is a copy of the body of the message, without the headers.\n"
        if 0 < limit < len(octets):
            size = self.context.message.body_size
            rubric += f"------ The body of the message is {size} characters long; only the first\n"
            rubric += f"------ {limit} or so are included here.\n"
            octets = octets[:limit]
        return f"\n{rubric}\n".encode() + octets

    def _submit(self, recipients: list[str], text: bytes) -> None:
        """Send it, from the null sender and as the transport's user."""
        identity = self.batch.identity
        assert identity is not None
        message = self.context.message
        submit = self.context.facts["submit"]
        try:
            submit(self.context.services, recipients, text, about=message.id, uid=identity.uid, gid=identity.gid)
        except EximiousError as error:
            message_text = f"Failed to send message from {self.what} ({error})"
            raise Unable(deferred(message_text, 0)) from error
