"""A model of the SMTP session, and a client that does anything in any order: commands, texts, AUTH, TLS and its end.

Whatever it does: answers are those that the model has; one message in is one message, with the sender, recipients,
identity and encryption that hold when it ends; nothing from before TLS is believed after it, and nothing after its end
is read.
"""

from __future__ import annotations

import base64

import pytest
from greenlet import getcurrent, greenlet
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from eximious.context import Context
from eximious.net.memory import MemoryStream
from eximious.net.stream import Endpoint
from eximious.receive.session import Session
from eximious.tls.context import ClientContext
from eximious.tls.layer import TlsLayer
from tests.receive.place import CLIENT
from tests.security.place import shared_server

pytestmark = pytest.mark.slow

OPTIONS = """
tls_advertise_hosts = *
pipelining_advertise_hosts = *
hosts_require_helo = *
smtp_enforce_sync = false
smtp_max_synprot_errors = 10000
smtp_max_unknown_commands = 10000
smtp_accept_max_nonmail = 10000
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
rcpt:
  deny local_parts = nobody
  accept
data:
  deny condition = ${if def:h_x-refuse:}
  accept
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if eq{$auth3}{secret}}
  server_set_id = $auth2
"""
EVIL = b"MAIL FROM:<evil@b.test>\r\nRCPT TO:<evil@d.test>\r\nDATA\r\nX: evil\r\n\r\n.\r\n"
GOOD, BAD = (base64.b64encode(b"\0joe\0" + word).decode() for word in (b"secret", b"wrong"))


SELDOM = st.sampled_from([False] * 5 + [True])


class Steps(MemoryStream):
    """A connection whose server runs until it waits for input: then it is the client's turn."""

    def __init__(self) -> None:
        super().__init__(peer=Endpoint(CLIENT, 40000), local=Endpoint("192.0.2.1", 25))
        self.has_ended = False

    def _receive(self, size: int) -> bytes:
        while not self._is_ready() and not self.has_ended:
            client = getcurrent().parent
            assert client is not None
            client.switch()
        return super()._receive(size)


class Conversations(RuleBasedStateMachine):
    """The client, and what it knows that the server must think."""

    def __init__(self) -> None:
        super().__init__()
        self.there = shared_server(OPTIONS)
        self.accepted: list[tuple[str, list[str], str]] = []
        self.connect()

    def connect(self) -> None:
        """A connection of which nothing is known yet."""
        self.stream = Steps()
        self.session = Session(self.stream, Context(self.there.config, self.there.services))
        self.server = greenlet(self.session.run)
        self.heard = 0
        self.layer: TlsLayer | None = None
        self.is_open = True
        # The model.
        self.greeting = ""  # HELO, EHLO, or none yet
        self.has_chunking = False  # was once offered
        self.identity = ""
        self.sender: str | None = None
        self.recipients: list[str] = []
        self.is_in_text = False  # after DATA
        self.text = b""
        self.has_chunks = False
        self.chunks_failed = False
        assert self.codes(b"") == ["220"]

    # --- the wire -----------------------------------------------------------------------------------------------------

    def codes(self, octets: bytes) -> list[str]:
        """The codes of the answers to some octets."""
        if self.layer is not None:
            self.layer.write(octets)
            octets = self.layer.take_output()
        answer = self.exchange(octets)
        if self.layer is not None:
            self.layer.feed(answer)
            answer = b""
            while self.layer.has_input() and (more := self.layer.read(65536)):
                answer += more
        lines = answer.decode("latin-1").split("\r\n")
        return [line[:3] for line in lines if line[3:4] == " "]

    def exchange(self, octets: bytes) -> bytes:
        """What is sent in answer, as it travels."""
        if octets:
            self.stream.give(octets)
        self.server.switch()
        news = self.stream.sent[self.heard :]
        self.heard = len(self.stream.sent)
        return news

    def end(self) -> None:
        """The connection ends; the server has to notice."""
        self.is_open = False
        self.stream.has_ended = True
        while not self.server.dead:
            self.server.switch()
        assert self.stream.is_closed

    # --- the model ----------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """No transaction."""
        self.sender = None
        self.recipients = []
        self.has_chunks = self.chunks_failed = False

    def is_out_of_place(self, verb: str) -> bool:
        """True if a command may not stand between chunks."""
        if not self.has_chunks or verb in ("RSET", "QUIT"):
            return False
        if self.chunks_failed or verb not in ("BDAT", "NOOP"):
            self.chunks_failed = True
            return True
        return False

    def accept(self) -> None:
        """A message has come."""
        protocol = "esmtp" if self.greeting == "EHLO" else "smtp"
        protocol += "s" if self.layer is not None else ""
        protocol += "a" if self.identity and self.greeting == "EHLO" else ""
        assert self.sender is not None
        self.accepted.append((self.sender, self.recipients, protocol))
        self.forget()

    def hello(self, verb: str) -> str:
        if self.is_out_of_place(verb):
            return "503"
        self.forget()
        self.greeting = verb
        self.has_chunking |= verb == "EHLO"
        return "250"

    def mail(self, address: str) -> str:
        if self.is_out_of_place("MAIL") or self.sender is not None or not self.greeting:
            return "503"
        self.sender = address
        return "250"

    def rcpt(self, address: str) -> str:
        if self.is_out_of_place("RCPT") or self.sender is None:
            return "503"
        if address.startswith("nobody"):
            return "550"
        self.recipients.append(address)
        return "250"

    def data(self) -> str:
        if self.is_out_of_place("DATA") or not self.recipients:
            return "503"
        self.is_in_text = True
        self.text = b""
        return "354"

    def other(self, verb: str) -> str:
        if verb == "RSET":
            self.forget()
            return "250"
        if self.is_out_of_place(verb):
            return "503"
        return {"NOOP": "250", "VRFY": "252", "XYZZY": "500"}[verb]

    # --- what the client does -----------------------------------------------------------------------------------------

    commands = st.one_of(
        st.tuples(st.just("EHLO c.test"), st.sampled_from(["EHLO", "HELO"])),
        st.tuples(st.just("MAIL"), st.sampled_from(["a@b.test", "", "b@b.test"])),
        st.tuples(st.just("RCPT"), st.sampled_from(["c@d.test", "e@d.test", "nobody@d.test"])),
        st.tuples(st.just("OTHER"), st.sampled_from(["RSET", "NOOP"])),
    )

    def said(self, kind: str, argument: str) -> tuple[str, str]:
        """A command, and the code of its answer."""
        if kind == "MAIL":
            return f"MAIL FROM:<{argument}>", self.mail(argument)
        if kind == "RCPT":
            return f"RCPT TO:<{argument}>", self.rcpt(argument)
        if kind == "OTHER":
            return argument, self.other(argument)
        return f"{argument} c.test", self.hello(argument)

    @precondition(lambda self: self.is_open and not self.is_in_text)
    @rule(commands=st.lists(commands, min_size=1, max_size=5))
    def pipelined(self, commands: list[tuple[str, str]]) -> None:
        pairs = [self.said(*command) for command in commands]
        assert self.codes("".join(f"{line}\r\n" for line, _ in pairs).encode()) == [code for _, code in pairs]

    @precondition(lambda self: self.is_open and not self.is_in_text)
    @rule(
        sender=st.sampled_from(["a@b.test", ""]),
        is_encrypted=st.booleans(),
        is_authenticated=st.booleans(),
        goes_on=st.sampled_from(["", "text", "message", "chunks"]),
    )
    def in_order(self, sender: str, is_encrypted: bool, is_authenticated: bool, goes_on: str) -> None:
        """An envelope as it should be, after what should come before it, and perhaps what should come then."""
        self.pipelined([("OTHER", "RSET"), ("HELLO", "EHLO")])
        if is_encrypted and self.layer is None:
            self.start_tls(EVIL)
            self.pipelined([("HELLO", "EHLO")])
        if is_authenticated:
            self.authenticate(True)
        self.pipelined([("MAIL", sender), ("RCPT", "c@d.test")])
        match goes_on:
            case "text":
                self.begin_text()
            case "message":
                self.begin_text()
                self.more_text(EVIL)
                self.more_text(EVIL[:-3])
                self.end_text(False)
            case "chunks":
                self.chunk(b"A: b\r\n\r\n.\r\n", False)

    @precondition(lambda self: self.is_open and not self.is_in_text)
    @rule()
    def begin_text(self) -> None:
        expected = self.data()
        assert self.codes(b"DATA\r\n") == [expected]

    @precondition(lambda self: self.is_open and self.is_in_text)
    @rule(
        piece=st.sampled_from(
            [b"X: y\r\n", b"\r\n", b".\n", b"\n.\r\n", b"\r.\r", b"..\r\n", b".", EVIL[:-3], b"QUIT\r\n"]
        )
    )
    def more_text(self, piece: bytes) -> None:
        piece = piece if self.text else b"Subject: x\r\n"
        if b"\r\n.\r\n" in b"\r\n" + self.text + piece:
            return
        self.text += piece
        assert self.codes(piece) == []

    @precondition(lambda self: self.is_open and self.is_in_text)
    @rule(is_refused=st.booleans())
    def end_text(self, is_refused: bool) -> None:
        is_refused &= not self.text
        end = b"X-Refuse: yes\r\n.\r\n" if is_refused else b"x\r\n.\r\n"  # the x: what is there may end with a dot
        expected = "550" if is_refused else "250"
        self.is_in_text = False
        if is_refused:
            self.forget()
        else:
            self.accept()
        assert self.codes(end) == [expected]

    @precondition(lambda self: self.is_open and not self.is_in_text)
    @rule(octets=st.sampled_from([b"", b"A: b\r\n\r\n.\r\n", b"\r\n" + EVIL]), is_last=st.booleans())
    def chunk(self, octets: bytes, is_last: bool) -> None:
        expected = self.chunk_code(octets, is_last)
        assert self.codes(b"BDAT %d%s\r\n%s" % (len(octets), b" LAST" * is_last, octets)) == [expected]

    def chunk_code(self, octets: bytes, is_last: bool) -> str:
        if self.is_out_of_place("BDAT"):
            return "503"
        if not self.recipients or not self.has_chunking:
            return "503"
        if not octets and not is_last:
            return "504"
        self.has_chunks = not is_last
        if is_last:
            self.accept()
        return "250"

    @precondition(lambda self: self.is_open and not self.is_in_text)
    @rule(verb=st.sampled_from(["VRFY", "XYZZY"]))
    def something_else(self, verb: str) -> None:
        expected = self.other(verb)
        assert self.codes(f"{verb} c@d.test\r\n".encode()) in ([expected], ["550"] if verb == "VRFY" else [expected])

    @precondition(lambda self: self.is_open and not self.is_in_text)
    @rule(is_right=st.booleans())
    def authenticate(self, is_right: bool) -> None:
        if self.is_out_of_place("AUTH") or self.sender is not None or self.identity or self.greeting != "EHLO":
            expected = "503"
        elif is_right:
            expected = "235"
            self.identity = "joe"
        else:
            expected = "535"
        assert self.codes(f"AUTH PLAIN {GOOD if is_right else BAD}\r\n".encode()) == [expected]

    @precondition(lambda self: self.is_open and not self.is_in_text and self.layer is None)
    @rule(injected=st.sampled_from([b"", EVIL, b"EHLO evil\r\n", b"RSET\r\nMAIL FROM:<ev", b"\x16\x03\x01"]))
    def start_tls(self, injected: bytes) -> None:
        if self.is_out_of_place("STARTTLS") or self.greeting != "EHLO":
            assert self.codes(b"STARTTLS\r\n") == ["503"]
            return
        assert self.codes(b"STARTTLS\r\n" + injected) == ["220"]
        layer = ClientContext().layer("mail.test")
        while not layer.shake_hands():
            layer.feed(self.exchange(layer.take_output()))
        layer.feed(self.exchange(layer.take_output()))  # our last words of the handshake
        self.layer = layer
        self.forget()
        self.greeting = self.identity = ""

    @precondition(lambda self: self.is_open and self.layer is not None)
    @rule(rest=st.sampled_from([b"", EVIL, b"\r\n.\r\n", b"BDAT 0 LAST\r\n"]), is_together=st.booleans(), now=SELDOM)
    def close_tls(self, rest: bytes, is_together: bool, now: bool) -> None:
        """close_notify, and what follows it in the clear."""
        if not now:
            return
        assert self.layer is not None
        self.layer.close()
        octets = self.layer.take_output()
        for packet in [octets + rest] if is_together else [octets, rest]:
            self.stream.give(packet) if packet else None
        self.end()

    @precondition(lambda self: self.is_open)
    @rule(octets=st.sampled_from([b"", b"\x17\x03\x03\x00\x05abcde", b"MAIL FROM:<ev", b"\r\n."]), now=SELDOM)
    def go_away(self, octets: bytes, now: bool) -> None:
        """The connection ends, perhaps in the middle of something."""
        if not now:
            return
        if octets and not (self.is_in_text and self.text.endswith(b"\r\n")):
            self.stream.give(octets)
        self.end()

    @precondition(lambda self: not self.is_open)
    @rule()
    def another_connection(self) -> None:
        self.connect()

    @precondition(lambda self: self.is_open and not self.is_in_text)
    @rule(now=SELDOM)
    def quit(self, now: bool) -> None:
        if not now:
            return
        assert self.codes(b"QUIT\r\n" + EVIL) == ["221"]
        self.end()

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def one_message_in_is_one_message(self) -> None:
        found = [
            (str(message.sender), [str(one.address) for one in message.recipients], message.received_protocol)
            for message, _ in self.there.queue.messages
        ]
        assert found == self.accepted

    @invariant()
    def the_server_knows_no_more(self) -> None:
        client = self.session.client
        if not self.is_open:
            return
        assert client.authenticated_id == self.identity
        assert (self.session.stream.tls is not None) is (self.layer is not None)
        assert not any("Traceback" in line for line in self.there.logs.lines)

    def teardown(self) -> None:
        if self.is_open:
            self.end()
        assert len(self.there.queue.messages) == len(self.accepted)


Conversations.TestCase.settings = settings(
    max_examples=150, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestConversations = Conversations.TestCase
