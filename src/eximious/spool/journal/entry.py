"""A message in the journal of this process, and a claim on it."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from eximious.spool.body import Body
from eximious.spool.claimed import ClaimedFiles
from eximious.spool.errors import SpoolError
from eximious.spool.header_variables import one_line
from eximious.spool.journal.segment import Segment
from eximious.spool.message import Client, Message

if TYPE_CHECKING:
    from eximious.spool.journal.journal import Journal


class Entry:
    """An accepted message that is not finished, and not in spool files yet."""

    __slots__ = ("accepted_at", "body", "claim", "is_finished", "log_lines", "message", "segment", "size")

    def __init__(self, message: Message, body: Body, segment: Segment, size: int, now: float) -> None:
        self.message = message
        self.body = body
        self.segment = segment
        self.size = size  # octets of memory that it is counted for
        self.accepted_at = now  # by the journal's clock
        self.claim: JournalClaim | None = None
        self.is_finished = False
        self.log_lines: list[str] = []  # of the message's own log


class JournalClaim:
    """A claim on an entry. When the entry becomes spool files meanwhile, the claim goes on with these."""

    __slots__ = ("_entry", "_files", "_journal", "message")

    def __init__(self, journal: Journal, entry: Entry) -> None:
        self._journal = journal
        self._entry = entry
        self._files: ClaimedFiles | None = None
        self.message = entry.message

    @property
    def body(self) -> Body:
        """The message's body."""
        return self._entry.body

    def record_done(self, address: str) -> None:
        """Remember that the address is done with, even if this process dies in the next moment."""
        if self._files is not None:
            self._files.record_done(address)
            return
        address = one_line(address)
        self.message.nonrecipients.add(address)
        self._journal.note_partly_done(self._entry, address)

    def log(self, line: str) -> None:
        """Append to the message's own log, which becomes a file when the message does."""
        if self._files is not None:
            self._files.log(line)
        else:
            self._journal.log(self._entry, line)

    def update(self) -> None:
        """Turn the message into spool files with the state that it has now."""
        if self._files is None:
            error = self._journal.spill([self._entry]).get(self.message.id)
            if error is not None:
                raise error
        elif self._files is not None:
            self._files.update()

    def remove(self) -> None:
        """The message is finished."""
        if self._files is not None:
            self._files.remove()
        else:
            self._journal.finish(self._entry)

    def release(self) -> None:
        """End the claim."""
        if self._files is not None:
            self._files.release()
        elif self._entry.claim is self:
            self._entry.claim = None

    def go_on_with(self, files: ClaimedFiles) -> None:
        """The entry has become these files."""
        self._files = files


def snapshot(message: Message) -> Message:
    """The message as it is now: what the client does next (another AUTH, other ACL variables) does not change it."""
    client = Client.__new__(Client)
    for name, value in zip(Client.__slots__, _client_values(message.client), strict=True):
        setattr(client, name, value)
    client.acl_variables = dict(client.acl_variables)
    copy = Message.__new__(Message)
    for name, value in zip(Message.__slots__, _message_values(message), strict=True):
        setattr(copy, name, value)
    copy.client = client
    return copy


_client_values = attrgetter(*Client.__slots__)
_message_values = attrgetter(*Message.__slots__)


__all__ = ["Entry", "JournalClaim", "SpoolError", "snapshot"]
