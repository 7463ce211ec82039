"""One SMTP conversation with a client: commands are read, answered, counted, and the connection is closed in order.

    Session(stream, context).run()

The session is plain code over a `Stream`; in the daemon it runs in a greenlet of its own. What each command does is in
`eximious.receive.commands`, one file each. Replies are collected and go out when the session has to wait for input, so
pipelined commands are answered with one packet.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any, Final

from eximious.acl import engine, where
from eximious.acl.settings import ConnectionSettings, Reception
from eximious.acl.verdict import ACCEPT, DENY, Verdict
from eximious.logs.timestamp import duration
from eximious.receive import ending
from eximious.receive.commands import COMMANDS
from eximious.receive.counters import Counters
from eximious.receive.envelope import EnvelopeRules
from eximious.receive.transaction import Transaction
from eximious.smtp.command import Command
from eximious.smtp.server import Refusal, ServerProtocol, Stage
from eximious.spool.message import Message
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.net.stream import Stream
    from eximious.receive.submitter import Submitter

# Facts about a message that must not be seen while the next one is received.
MESSAGE_FACTS: Final = (
    "acl_verify_message",
    "callout_address",
    "headers_added",
    "recipient_data",
    "recipient_verify_failure",
    "sender_address_data",
    "sender_data",
    "sender_verify_failure",
)
REFUSED_WITHOUT_ACL: Final = frozenset({where.ETRN, where.EXPN, where.RCPT, where.VRFY, where.WELLKNOWN})


_numbers = itertools.count(1)  # of the connections of this process


class Session:
    """One client's connection; `context` is its own, with the configuration and the services."""

    def __init__(self, stream: Stream, context: Context, *, is_checking: bool = False) -> None:
        self.stream = stream
        self.context = context
        self.config = context.config
        self.main = context.config.main
        self.logs = context.services.logs
        self.client = context.client
        self.is_checking = is_checking  # a dry run (-bh): nothing is delivered, nothing waits
        self.does_callouts = not is_checking
        self.is_open = True
        self.has_quit = False
        self.active_host_name: str = self.main.primary_hostname
        self.started_at = context.services.now()
        self.protocol = ServerProtocol()
        self.settings = ConnectionSettings(enforce_sync=self.main.smtp_enforce_sync)
        self.counters = Counters(self.main)
        self.advertised: frozenset[str] = frozenset()  # extensions that the last EHLO offered
        self.has_greeted = False  # an acceptable HELO or EHLO has come
        self.is_esmtp = False
        self.command = Command("")
        self.transaction = Transaction()
        self.envelope_rules = EnvelopeRules(self.main)
        self.size_limit = 0  # message_size_limit, expanded
        self.mail_limit: int | None = None  # smtp_accept_max_per_connection, once it has been expanded
        self.recipients_limit: int | None = None  # recipients_max, likewise
        self.submitter: Submitter | None = None  # who runs us, for local SMTP
        self.known_hosts: dict[str, bool] = {}  # what `is_client_in` has found out for good
        self.has_pipelined = False  # the client has sent commands together
        self.facts: dict[str, Any] = {}  # what features keep for the connection
        context.session = self
        self.client.connection_id = f"{os.getpid()}{next(_numbers)}"
        context.message = self.new_message()
        context.message.size = 0  # $message_size until the client has said who it is

    # --- the conversation ---------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Hold the conversation. Everything that can go wrong with a connection ends it in order."""
        from eximious.receive.connect import begin

        try:
            if begin(self):
                self._converse()
            else:
                self.has_quit = True  # it was we who ended it
        except TimeoutError:
            ending.timed_out(self)
        except ending.Ended:
            pass  # told and logged already
        except OSError:
            ending.lost(self)
        finally:
            ending.finish(self)

    def _converse(self) -> None:
        while self.is_open:
            command = self.next_command()
            if command is not None:
                self.obey(command)

    def next_command(self) -> Command | None:
        """The next command; None if what came was refused. Raises ConnectionError at the end of the input."""
        protocol = self.protocol
        while True:
            found = protocol.next_command()
            if found is not None:
                break
            data = self.stream.read()
            if not data:
                raise ConnectionResetError
            protocol.receive(data)
        if isinstance(found, Refusal):
            self.command = Command("", "", found.line)
            self.context.smtp_command = Tainted(found.line)
            self.counters.refused(self, found)
            return None
        self.command = found
        self.context.smtp_command = Tainted(found.line)
        return found

    def obey(self, command: Command) -> None:
        """Do what the command asks for, if it may come now."""
        verb = command.verb
        self.counters.note(verb)
        if not command.may_be_followed("PIPELINING" in self.advertised):
            self.check_synchronisation()
        self.counters.count_nonmail(self, verb)
        COMMANDS[verb](self, command)

    def check_synchronisation_again(self, *, after_chunk: bool = False) -> None:
        """The same after something that took its time, for commands that may be followed with PIPELINING only."""
        if "PIPELINING" not in self.advertised:
            self.check_synchronisation(after_chunk=after_chunk)
        elif self.protocol.has_pending:
            self.has_pipelined = True

    def check_synchronisation(self, *, after_chunk: bool = False) -> None:
        """Refuse clients that send on before they have got our answer, where that is enforced."""
        if not self.settings.enforce_sync or not self.stream.peer.address:
            return
        if self.protocol.has_pending or (self.stream.has_input() and self._read_early()):
            ending.out_of_step(self, after_chunk=after_chunk)

    def _read_early(self) -> bool:
        """True if the client has sent something too early; it stays where commands are read from."""
        data = self.stream.read()
        if data:
            self.protocol.receive(data)
        return bool(data)

    # --- answers ------------------------------------------------------------------------------------------------------

    def send(self, text: str) -> None:
        """Send reply lines, which end with CRLF, when the session next waits."""
        self.stream.write(text.encode("latin-1", "replace"))

    def reply(self, code: int | str, text: str) -> None:
        """Send a reply of one line."""
        self.stream.write(f"{code} {text}\r\n".encode("latin-1", "replace"))

    def complain(self, text: str) -> None:
        """Tell the postmaster of a fault in a text for clients."""
        self.logs.panic(text, self.context.message.id)

    def flush(self) -> None:
        """Send what waits to be sent now: something that takes its time follows."""
        self.stream.flush()

    # --- policy -------------------------------------------------------------------------------------------------------

    def check(self, option: Template | None, moment: str) -> Verdict:
        """What the ACL for this moment says; where there is none, what Exim does then."""
        if option is not None:
            return engine.check(option, moment, self.context)
        if moment in REFUSED_WITHOUT_ACL:
            return Verdict(DENY)
        return Verdict(ACCEPT)

    def is_client_in(self, option: str) -> bool:
        """True if the client is in the host list of a main option. What cannot be told now counts as no."""
        known = self.known_hosts.get(option)
        if known is not None:
            return known
        from eximious.receive.hosts import ONCE, is_in

        answer = is_in(self.context, option)
        if option in ONCE:
            self.known_hosts[option] = answer
        return answer

    # --- transactions -------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget the message in progress."""
        context = self.context
        context.message = self.new_message()
        context.reception = None
        if context.named_list_cache:
            context.named_list_cache.clear()
        self.forget_message_facts()
        self.transaction.close()
        self.transaction = Transaction()
        self.protocol.reset()

    def forget_message_facts(self) -> None:
        """Forget what variables told about a message."""
        facts = self.context.facts
        if facts:
            for name in MESSAGE_FACTS:
                facts.pop(name, None)

    def new_message(self) -> Message:
        """A message with what is known of the connection."""
        message = Message(self.client)
        message.size = -1
        message.received_protocol = self.received_protocol
        return message

    @property
    def has_sender(self) -> bool:
        """True between MAIL and the end of its transaction."""
        return self.protocol.stage >= Stage.SENDER

    @property
    def reception(self) -> Reception:
        """What ACLs want done with the message in progress."""
        context = self.context
        if context.reception is None:
            context.reception = Reception()
        reception: Reception = context.reception
        return reception

    @property
    def received_protocol(self) -> str:
        """``$received_protocol``: what is spoken, as in Received: headers (RFC 3848)."""
        client = self.client
        is_esmtp = self.is_esmtp and self.has_greeted
        name = "esmtp" if is_esmtp else "smtp"
        if client.tls is not None and client.tls.on_connect and "tls_on_connect" in self.logs.selected:
            name = "essmtp" if is_esmtp else "ssmtp"
        elif client.tls is not None:
            name += "s"
        if client.authenticator_name and is_esmtp:
            name += "a"
        return f"local-{name}" if client.is_local else name

    @property
    def rcpt_count(self) -> int:
        """``$rcpt_count``."""
        return self.transaction.rcpt

    @property
    def rcpt_defer_count(self) -> int:
        """``$rcpt_defer_count``."""
        return self.transaction.rcpt_deferred

    @property
    def rcpt_fail_count(self) -> int:
        """``$rcpt_fail_count``."""
        return self.transaction.rcpt_failed

    # --- words for the log --------------------------------------------------------------------------------------------

    @property
    def full_host(self) -> str:
        """The client: ``name (helo) [address] I=[interface] U=ident``; the caller's login for local submission."""
        client, fields = self.client, self.logs.fields
        if client.host_address:
            interface = fields.interface(client.interface_address, client.interface_port)
            return fields.full_host(client) + interface + fields.ident(client)
        return client.ident

    @property
    def host_without_id(self) -> str:
        """`full_host` without the connection's id."""
        client, fields = self.client, self.logs.fields
        if not client.host_address:
            return client.ident
        ident = f" U={fields.printing(client.ident)}" if client.ident else ""
        return fields.full_host(client) + ident

    @property
    def connection_text(self) -> str:
        """The connection, in lines about its beginning and end."""
        client, fields = self.client, self.logs.fields
        id_text = f" Ci={client.connection_id}" if "connection_id" in self.logs.selected else ""
        if client.host_address and self.submitter is None:
            interface = fields.interface(client.interface_address, client.interface_port)
            return f"SMTP connection{id_text} from {fields.full_host(client)}{interface}"
        login = self.submitter.login if self.submitter is not None else client.ident
        return f"SMTP connection{id_text} from {login}"

    @property
    def host_and_ident(self) -> str:
        """The client with flags: ``H=name (helo) [address] U=ident``."""
        return self.logs.fields.host_and_ident(self.client)

    @property
    def duration(self) -> str:
        """How long the connection has lasted, as the log shows it."""
        seconds = self.context.services.now() - self.started_at
        return f"D={duration(seconds, 'millisec' in self.logs.selected)}"

    @property
    def command_history(self) -> str:
        """The last commands, with commas between: ``$smtp_command_history``."""
        return ",".join(self.counters.history)
