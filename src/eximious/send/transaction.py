"""One message over a connection: MAIL, RCPT, DATA or BDAT, and what the host says of each recipient.

(RFC 5321, 2920 PIPELINING, 1870 SIZE, 6152 8BITMIME, 3461 DSN, 3030 CHUNKING, 2033 LMTP; PRDR.)
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from eximious.retry.errors import reply_number
from eximious.send.chunks import BLOCK, SMALL, Chunks
from eximious.send.failure import MESSAGE, RECIPIENT, Failure, refusal, reply_text
from eximious.smtp.dsn import format_notify
from eximious.smtp.reply import Reply
from eximious.smtp.sending import TextSender
from eximious.transports.content import recipient as recipient_text
from eximious.transports.outcome import (
    DATA_4XX,
    DELIVERED,
    MAIL_4XX,
    RCPT_4XX,
    Outcome,
    deferred,
    failed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from eximious.address.delivery import Address
    from eximious.send.connection import Connection
    from eximious.spool.message import Message

    Content: TypeAlias = Callable[[], Iterator[bytes]]

TOO_MANY_RECIPIENTS: Final = 452  # to RCPT, after others were accepted (RFC 5321 section 4.5.3.1.10)
NOT_RECEIVED: Final = 451  # of a reply that closes the connection


class Transaction:
    """Sends one message to some recipients. `outcomes` has what became of each; None where nothing was said."""

    def __init__(
        self, connection: Connection, message: Message, sender: str, addresses: list[Address], *, chunking: bool
    ) -> None:
        self.connection = connection
        self.transport = connection.transport
        self.message = message
        self.sender = sender
        self.addresses = addresses
        self.outcomes: list[Outcome | None] = [None] * len(addresses)
        self.mail_parameters = ""
        self.uses_dsn = "DSN" in connection.features
        self.uses_chunking = chunking and "CHUNKING" in connection.features and not connection.is_lmtp
        self.uses_prdr = False
        self.is_all_or_nothing = False  # do not send the message if a recipient is refused
        self.is_last = False  # nothing is to follow on the connection, unless the host wants some recipients separately
        self.timed_out = -1  # the recipient for whom no answer came in time
        self.excess: list[
            int
        ] = []  # recipients that the host wants in another transaction; there is no outcome for them
        self._accepted: list[int] = []
        self._too_many: list[int] = []
        self._has_delivered = False

    # --- the envelope -----------------------------------------------------------------------------------------------

    @property
    def _mail_line(self) -> str:
        return f"MAIL FROM:<{self.sender}>{self.mail_parameters}"

    def _rcpt_line(self, number: int) -> str:
        address = self.addresses[number]
        text = recipient_text(address, self.transport.rcpt_include_affixes)
        line = f"RCPT TO:<{text}>"
        if self.connection.is_lmtp and self.transport.lmtp_ignore_quota and "IGNOREQUOTA" in self.connection.features:
            line += " IGNOREQUOTA"
        top = address.top.recipient
        if self.uses_dsn and top is not None and not _is_last_hop(address):
            if top.dsn_flags:
                line += f" NOTIFY={format_notify(top.dsn_flags)}"
            if top.orcpt:
                line += f" ORCPT={top.orcpt}"
        return line

    def _shown_rcpt(self, number: int) -> str:
        return f"RCPT TO:<{recipient_text(self.addresses[number], self.transport.rcpt_include_affixes)}>"

    # --- the dialogue -----------------------------------------------------------------------------------------------

    def run(self, content: Content, size: int) -> None:
        """Send the message. `content` makes the text, with LF line ends; `size` is its octets, roughly.

        Raises Failure, and what `content` raises.
        """
        connection = self.connection
        connection.written = 0
        if connection.needs_reset:
            connection.ask("RSET", self.transport.command_timeout)
            connection.needs_reset = False
        pipelined = connection.uses_pipelining
        if pipelined and len(self.addresses) < 900 and not self.is_all_or_nothing:
            self._run_pipelined(content, size)
        else:
            self._run_in_steps(content, size)
        connection.messages += 1
        if self._has_delivered:
            self.excess = self._too_many
            for number in self.excess:
                self.outcomes[number] = None

    def _run_in_steps(self, content: Content, size: int) -> None:
        connection, timeout = self.connection, self.transport.command_timeout
        connection.send(self._mail_line)
        self._judge_mail(self._answer(self._mail_line, MESSAGE), self._mail_line)
        for number in range(len(self.addresses)):
            line = self._rcpt_line(number)
            connection.send(line)
            self._judge_rcpt(number, self._rcpt_answer(number, pipelined=False))
        if not self._accepted or (self.is_all_or_nothing and len(self._accepted) < len(self.addresses)):
            self._reset()
            return
        if self.uses_chunking:
            self._send_chunks(content, size)
            return
        connection.send("DATA")
        self._judge_data(connection.reply("DATA", timeout), pipelined=False)
        self._send_text(content)
        self._judge_end(pipelined=False)

    def _run_pipelined(self, content: Content, size: int) -> None:
        """All of the envelope at once; with BDAT, a small message too."""
        connection = self.connection
        connection.send(self._mail_line)
        for number in range(len(self.addresses)):
            connection.send(self._rcpt_line(number))
        if self.uses_chunking:
            self._run_pipelined_chunks(content, size)
            return
        connection.send("DATA")
        connection.flush(self._mail_line, self.transport.command_timeout)
        self._finish_data(content, self._read_envelope_answers(f"pipelined {self._mail_line}"))

    def _run_pipelined_chunks(self, content: Content, size: int) -> None:
        """The whole message goes with the envelope if it is small, else its header."""
        connection = self.connection
        chunks = Chunks(connection, self.transport, content())
        is_small = self._wire_size(size) <= SMALL
        if is_small:
            chunks.send_all()
            if len(self.addresses) == 1:  # else the host may want some of them separately
                self._announce_quit()
        else:
            chunks.send_header()
        connection.flush(self._mail_line, self.transport.command_timeout)
        # What was sent last is what the log has for a refusal of the sender.
        what = "end of data" if is_small else BLOCK
        refused = self._read_envelope_answers(f"pipelined {what}")
        if refused is not None or not self._accepted:
            # The host has the text already, and says again that it does not want it.
            connection.reply(what, self.transport.final_timeout, pipelined=True)
            if refused is not None:
                raise refused
            self._reset()
        elif is_small:
            self._judge_end(pipelined=True)
        else:
            self._judge_chunk(pipelined=True)
            self._send_rest(chunks)

    def _read_envelope_answers(self, what: str) -> Failure | None:
        """The answers to MAIL and all RCPT commands; what was said to MAIL if it was refused.

        `what` is said to have been refused then.
        """
        refused: Failure | None = None
        try:
            self._judge_mail(self._answer(self._mail_line, MESSAGE, pipelined=True), what)
        except Failure as failure:
            if failure.is_gone:
                raise
            refused = failure
        for number in range(len(self.addresses)):
            try:
                reply = self._rcpt_answer(number, pipelined=True)
            except Failure:
                if refused is not None:
                    return refused  # and the host has hung up
                raise
            if refused is None:
                self._judge_rcpt(number, reply)
        return refused

    def _finish_data(self, content: Content, refused: Failure | None) -> None:
        """DATA was sent with the envelope: see whether anybody is left to send the text for."""
        try:
            reply = self.connection.reply("DATA", self.transport.command_timeout, pipelined=True)
        except Failure as failure:
            if refused is not None or not self._accepted:
                # Having refused what there was, the host has hung up.
                if refused is not None:
                    raise refused from failure
                return
            raise
        if refused is not None or not self._accepted:
            if reply.is_intermediate:
                # The host waits for text although nobody is to get it: an empty message ends that.
                self.connection.write(b".\r\n", "DATA", self.transport.data_timeout)
                self.connection.protocol.expect("end of data")
                self.connection.reply("end of data", self.transport.final_timeout)
            else:
                self._reset()
            if refused is not None:
                raise refused
            return
        self._judge_data(reply, pipelined=True)
        self._send_text(content)
        self._judge_end(pipelined=False)

    def _reset(self) -> None:
        """All recipients were refused: before the next transaction, the host has to forget this one."""
        self.connection.needs_reset = True

    # --- the text ---------------------------------------------------------------------------------------------------

    def _send_text(self, content: Content) -> None:
        """The message after DATA."""
        connection, timeout = self.connection, self.transport.data_timeout
        sender = TextSender()
        for piece in content():
            connection.write(sender.send(piece), BLOCK, timeout)
        connection.write(sender.finish(), BLOCK, timeout)
        connection.protocol.expect("end of data")
        self._announce_quit()
        connection.flush(BLOCK, timeout)

    def _announce_quit(self) -> None:
        connection = self.connection
        if self.is_last and connection.uses_pipelining and not (connection.is_lmtp or self.uses_prdr or self._too_many):
            connection.announce_quit()

    def _send_chunks(self, content: Content, size: int) -> None:
        """The message by BDAT when the host has accepted recipients."""
        chunks = Chunks(self.connection, self.transport, content())
        if self._wire_size(size) <= SMALL:
            chunks.send_all()
            self._announce_quit()
            self.connection.flush(BLOCK, self.transport.data_timeout)
            self._judge_end(pipelined=False)
            return
        chunks.send_header()
        self.connection.flush(BLOCK, self.transport.data_timeout)
        self._judge_chunk(pipelined=False)
        self._send_rest(chunks)

    def _send_rest(self, chunks: Chunks) -> None:
        """What is behind the header; with pipelining, the answer to a part is read when the next one is on its way."""
        connection = self.connection
        is_last = chunks.send_next()
        while not is_last:
            connection.flush(BLOCK, self.transport.data_timeout)
            if connection.uses_pipelining:
                is_last = chunks.send_next()
            self._judge_chunk(pipelined=connection.uses_pipelining)
            if not connection.uses_pipelining:
                is_last = chunks.send_next()
        self._announce_quit()
        connection.flush(BLOCK, self.transport.data_timeout)
        self._judge_end(pipelined=False)

    def _wire_size(self, size: int) -> int:
        """About how many octets the message has with CR LF line ends."""
        message = self.message
        return size + message.body_line_count + sum(header.text.count("\n") for header in message.headers) + 1

    def _judge_chunk(self, *, pipelined: bool) -> None:
        reply = self.connection.reply(BLOCK, self.transport.final_timeout, pipelined=pipelined)
        if not reply.is_positive:
            raise self._data_refusal(BLOCK, reply, pipelined=pipelined)

    # --- what the host says -----------------------------------------------------------------------------------------

    def _answer(self, line: str, scope: str, *, pipelined: bool = False) -> Reply:
        try:
            return self.connection.reply(line, self.transport.command_timeout, pipelined=pipelined)
        except Failure as failure:
            # A host that takes its time may be verifying the sender: that is about the message, not the host.
            if failure.errno == errno.ETIMEDOUT:
                failure.scope = scope
            raise

    def _rcpt_answer(self, number: int, *, pipelined: bool) -> Reply:
        shown = self._shown_rcpt(number)
        try:
            return self.connection.reply(shown, self.transport.command_timeout, pipelined=pipelined)
        except Failure as failure:
            if failure.errno == errno.ETIMEDOUT:
                self._time_out(number, failure)
            raise

    def _time_out(self, slow: int, failure: Failure) -> None:
        """The host does not answer for one recipient: all are deferred, but only that one has to wait for it."""
        failure.scope = RECIPIENT
        failure.message = f"SMTP timeout after {self._shown_rcpt(slow)}"
        self.timed_out = slow
        for number, known in enumerate(self.outcomes):
            if known is None:
                outcome = self.outcomes[number] = deferred(failure.message, failure.errno)
                if number <= slow:
                    outcome.host = self.connection.host

    def _judge_mail(self, reply: Reply, what: str) -> None:
        if reply.is_positive:
            return
        number, more = (MAIL_4XX, reply_number(f"{reply.code}")) if reply.is_temporary else (0, 0)
        failure = refusal(what, reply, scope=MESSAGE, number=number, more_errno=more)
        failure.is_gone = reply.code == 421
        raise failure

    def _judge_rcpt(self, number: int, reply: Reply) -> None:
        if reply.is_positive:
            self._accepted.append(number)
            return
        text = f"SMTP error from remote mail server after {self._shown_rcpt(number)}: {reply_text(reply)}"
        if reply.is_permanent:
            outcome = failed(text, 0)
        else:
            outcome = deferred(text, RCPT_4XX, reply_number(f"{reply.code}"))
            if reply.code == TOO_MANY_RECIPIENTS and self._accepted:
                self._too_many.append(number)
        outcome.user_message = text
        outcome.host = self.connection.host
        outcome.sent = self.connection.sent
        self.outcomes[number] = outcome

    def _judge_data(self, reply: Reply, *, pipelined: bool) -> None:
        if not reply.is_intermediate:
            raise self._data_refusal("DATA", reply, pipelined=pipelined)

    def _data_refusal(self, what: str, reply: Reply, *, pipelined: bool) -> Failure:
        number, more = (DATA_4XX, reply_number(f"{reply.code}")) if reply.is_temporary else (0, 0)
        shown = f"pipelined {what}" if pipelined else what
        return refusal(shown, reply, scope=MESSAGE, number=number, more_errno=more)

    def _judge_end(self, *, pipelined: bool) -> None:
        """The host's verdict on the message: one for all, or one for each recipient."""
        connection = self.connection
        if connection.is_lmtp:
            self._judge_each("LMTP")
            return
        try:
            reply = connection.reply("end of data", self.transport.final_timeout, pipelined=pipelined)
        except Failure as failure:
            # Some hosts do not say that they dislike a message, but hang up or fall silent.
            failure.scope = MESSAGE
            raise
        if self.uses_prdr and reply.code == 353:
            self._judge_each("PRDR")
            connection.protocol.expect("end of data")  # one more reply, about the message as a whole
            overall = connection.reply("end of data", self.transport.final_timeout)
            for number in self._accepted:
                outcome = self.outcomes[number]
                if outcome is not None and outcome.status == DELIVERED:
                    outcome.confirmation = f"{outcome.confirmation}\\n{overall}"
            return
        if not reply.is_positive:
            raise self._data_refusal("end of data", reply, pipelined=pipelined)
        for number in self._accepted:
            self.outcomes[number] = self._delivered(number, reply)

    def _judge_each(self, protocol: str) -> None:
        """One verdict for each recipient that was accepted."""
        for position, number in enumerate(self._accepted):
            if (protocol == "LMTP" and position) or protocol == "PRDR":
                self.connection.protocol.expect("end of data")
            reply = self.connection.reply("end of data", self.transport.final_timeout)
            if reply.is_positive:
                self.outcomes[number] = self._delivered(number, reply)
                continue
            text = f"{protocol} error after DATA: {reply_text(reply)}"
            make = failed if reply.is_permanent else deferred
            outcome = make(text, 0)
            if reply.is_temporary:
                outcome.more_errno = reply_number(f"{reply.code}")
            outcome.user_message = text
            outcome.host = self.connection.host
            outcome.sent = self.connection.sent
            self.outcomes[number] = outcome

    def _delivered(self, number: int, reply: Reply) -> Outcome:
        outcome = Outcome(DELIVERED)
        outcome.confirmation = str(reply)
        outcome.host = self.connection.host
        outcome.sent = self.connection.sent
        outcome.dsn_relayed = self.uses_dsn and not _is_last_hop(self.addresses[number])
        outcome.size = self.connection.written
        outcome.is_first = number == 0
        outcome.follows = self._has_delivered
        self._has_delivered = True
        return outcome


def _is_last_hop(address: Address) -> bool:
    """The router says that the next host does not count for delivery status notifications."""
    return address.router is not None and bool(getattr(address.router, "dsn_lasthop", False))
