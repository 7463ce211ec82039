"""Checks that are begun before an ACL asks for them: when their questions go out, how many, and how they end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from eximious import waiting
from eximious.acl import ahead
from eximious.context import Context
from eximious.dns.answer import Answer, Status
from eximious.dns.static import StaticResolver
from eximious.mailauth import arc, dkim
from eximious.mailauth.canonical import Digest
from eximious.net.stream import Endpoint
from eximious.receive.session import Session
from tests.mailauth.keys import RSA
from tests.receive.place import CLIENT, Conversation, Server

SECONDS = 0.01  # that an answer of the DNS takes
# What a client waits for before it goes on.
NOTHING, QUESTIONS, ANSWERS = 0, 1, 2
HELO = b"EHLO client.test\r\n"
MAIL = b"MAIL FROM:<a@example.org>\r\n"
RCPT = b"RCPT TO:<b@test.ex>\r\n"
DATA = b"DATA\r\n"
QUIT = b"QUIT\r\n"
ZONE = "example.org TXT 'v=spf1 include:other.example -all'\nother.example TXT 'v=spf1 ip4:192.0.2.7'\n"


class SlowResolver(StaticResolver):
    """Takes its time, and writes down what happens."""

    def __init__(self, zone: str, events: list[str]) -> None:
        super().__init__(zone)
        self.events = events
        self.unanswered = 0
        self.is_stuck = False  # until the session is over
        self.error: Exception | None = None

    async def _ask(self, name: str, type: str, blocking: bool) -> Answer:
        self.events.append(f"? {type} {name}")
        if not blocking:
            self.unanswered += 1
            await asyncio.sleep(SECONDS)
            while self.is_stuck:
                await asyncio.sleep(SECONDS)
            self.unanswered -= 1
        if self.error is not None:
            raise self.error
        self.events.append(f"! {name}")
        return await super()._ask(name, type, blocking)


class Client(Conversation):
    """Waits for others before each piece; `events` gets the first line of each, and the answers."""

    def __init__(self, resolver: SlowResolver, *pieces: bytes, waits_for: int, address: str) -> None:
        super().__init__(*pieces, peer=Endpoint(address, 40000))
        self.resolver = resolver
        self.events = resolver.events
        self.waits_for = waits_for

    def _receive(self, size: int) -> bytes:
        if self.waits_for >= QUESTIONS:
            self._wait()
        while self.waits_for == ANSWERS and self.resolver.unanswered:
            self._wait()
        piece = super()._receive(size)
        if piece:
            self.events.append("C: " + piece.split(b"\r\n")[0].decode())
        return piece

    def _wait(self) -> None:
        waiting.sleep(SECONDS / 10)
        for _ in range(10):
            waiting.sleep(0)

    def _send(self, data: bytes) -> None:
        super()._send(data)
        self.events += [f"S: {line[:3].decode()}" for line in data.split(b"\r\n") if line]


class Site:
    """A server on an event loop, with a resolver that takes its time."""

    def __init__(self, folder: Path, text: str, zone: str = ZONE) -> None:
        self.events: list[str] = []
        self.server = Server(folder, f"acl_smtp_rcpt = rcpt\nacl_smtp_data = data\n{text}")
        self.resolver = SlowResolver(zone, self.events)
        self.server.services.__dict__["dns"] = self.resolver
        self.authenticated = ""

    @property
    def asked(self) -> list[str]:
        """The names that were asked for."""
        return [name for name, _ in self.resolver.asked]

    @property
    def statuses(self) -> list[str]:
        """Of the signatures of the one message that was accepted."""
        ((message, _),) = self.server.queue.messages
        return [one.status for one in message.facts["dkim"].checked]

    def session(self, *pieces: bytes, waits_for: int = NOTHING, address: str = CLIENT) -> Session:
        """A session with such a client."""
        stream = Client(self.resolver, *pieces, waits_for=waits_for, address=address)
        session = Session(stream, Context(self.server.config, self.server.services))
        session.client.authenticator_name = self.authenticated
        return session

    def talk(self, *pieces: bytes, waits_for: int = ANSWERS, address: str = CLIENT) -> list[str]:
        """What happens, in order, while a client sends the pieces; nothing is left behind on the loop."""

        async def run() -> None:
            complaints: list[Any] = []
            asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
            await waiting.run(self.session(*pieces, waits_for=waits_for, address=address).run)
            self.resolver.is_stuck = False
            async with asyncio.timeout(5):
                while len(asyncio.all_tasks()) > 1:
                    await asyncio.sleep(SECONDS)
            assert complaints == []

        asyncio.run(run())
        return self.events


def before(events: list[str], first: str, second: str) -> bool:
    """True if one came before the other; both must have come."""
    return events.index(first) < events.index(second)


SPF_ACL = """
begin acl
rcpt:
  deny spf = fail
  accept
data:
  accept
"""


def test_spf_begins_with_the_sender(tmp_path: Path) -> None:
    site = Site(tmp_path, SPF_ACL)
    events = site.talk(HELO, MAIL, RCPT, RCPT, QUIT)
    assert before(events, "! other.example", "C: RCPT TO:<b@test.ex>")
    assert site.asked == ["example.org", "other.example"]


def test_spf_is_waited_for_if_it_must_be(tmp_path: Path) -> None:
    site = Site(tmp_path, SPF_ACL, "example.org TXT 'v=spf1 -all'")
    events = site.talk(HELO, MAIL, RCPT, QUIT, waits_for=NOTHING)
    assert before(events, "C: RCPT TO:<b@test.ex>", "! example.org")
    assert before(events, "! example.org", "S: 550")
    assert site.asked == ["example.org"]


@pytest.mark.parametrize(
    ("text", "address", "authenticated"),
    [
        ("begin acl\nrcpt:\n  accept\ndata:\n  accept\n", CLIENT, ""),
        (SPF_ACL, "", ""),
        (SPF_ACL, CLIENT, "plain"),
        ("spf_smtp_comment_template = $acl_c_comment\n" + SPF_ACL, CLIENT, ""),
        ("acl_smtp_mail = mail\n" + SPF_ACL + "mail:\n  deny\n", CLIENT, ""),
    ],
    ids=["no ACL wants it", "local", "authenticated", "the comment is not known", "refused"],
)
def test_spf_does_not_begin(tmp_path: Path, text: str, address: str, authenticated: str) -> None:
    site = Site(tmp_path, text)
    site.authenticated = authenticated
    site.talk(HELO, MAIL, QUIT, address=address)
    assert site.asked == []


@pytest.mark.parametrize("end", [b"RSET\r\n", b"EHLO again.test\r\n", b""], ids=["RSET", "EHLO", "lost"])
def test_spf_is_called_off(tmp_path: Path, end: bytes) -> None:
    site = Site(tmp_path, SPF_ACL)
    site.resolver.is_stuck = True
    events = site.talk(HELO, MAIL, *[end] * bool(end), waits_for=QUESTIONS)
    assert "? TXT example.org" in events
    assert site.asked == ["example.org"]  # what it would have asked next was not asked


def test_the_next_message_is_checked_anew(tmp_path: Path) -> None:
    site = Site(tmp_path, SPF_ACL)
    site.talk(HELO, MAIL, b"RSET\r\n", b"MAIL FROM:<x@elsewhere.example>\r\n", RCPT, QUIT)
    assert site.asked == ["example.org", "other.example", "elsewhere.example"]


RELAY_ACL = """
begin acl
rcpt:
  accept hosts = 192.0.2.7
         senders = a@example.org
  deny spf = fail
  accept
data:
  accept
"""


def test_a_client_that_is_never_checked(tmp_path: Path) -> None:
    site = Site(tmp_path, RELAY_ACL)
    site.talk(HELO, MAIL, RCPT, b"RSET\r\n", MAIL.replace(b"example.org", b"second.example"), RCPT, QUIT)
    # The first message was let in unasked. So the second was checked when the ACL asked, and the next one is in time.
    first = site.events.index("C: MAIL FROM:<a@second.example>")
    assert site.events[first + 2 :][:2] == ["C: RCPT TO:<b@test.ex>", "? TXT second.example"]
    site.events.clear()
    site.talk(HELO, MAIL.replace(b"example.org", b"third.example"), RCPT, QUIT)
    assert before(site.events, "! third.example", "C: RCPT TO:<b@test.ex>")


def test_few_clients_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "VAIN_LIMIT", 3)
    site = Site(tmp_path, SPF_ACL)
    known = ahead.expected(site.server.config)
    for number in range(5):
        known.note_vain("spf", f"192.0.2.{number}")
    known.note_vain("dkim", CLIENT)
    assert list(known.vain) == [("spf", f"192.0.2.{number}") for number in (2, 3, 4)]


def test_what_goes_wrong_is_for_whoever_asks(tmp_path: Path) -> None:
    site = Site(tmp_path, SPF_ACL)
    site.resolver.error = ZeroDivisionError()
    site.talk(HELO, MAIL, QUIT)
    with pytest.raises(ZeroDivisionError):
        site.talk(HELO, MAIL, RCPT, QUIT)


def test_without_an_event_loop_it_begins_when_it_is_asked_for(tmp_path: Path) -> None:
    site = Site(tmp_path, SPF_ACL)
    site.session(HELO, MAIL, RCPT, QUIT).run()
    assert before(site.events, "C: RCPT TO:<b@test.ex>", "? TXT example.org")


def test_a_failure_is_not_logged_before_its_time(tmp_path: Path) -> None:
    site = Site(tmp_path, SPF_ACL, "example.org AGAIN")
    site.talk(HELO, MAIL, RCPT, QUIT)
    assert site.resolver.cached("example.org", "TXT") is not None
    assert site.server.logs.lines == []
    assert Status.AGAIN is site.resolver.query("example.org", "TXT").status


MESSAGE = b"From: Joe <joe@example.org>\r\nTo: b@test.ex\r\nSubject: hello\r\n\r\nHello.\r\n\r\nWorld\r\n"
DKIM_ZONE = ZONE + f"s._domainkey.example.org TXT '{RSA.record()[:200]}' '{RSA.record()[200:]}'\n"


def signed(message: bytes = MESSAGE, **tags: Any) -> tuple[bytes, bytes]:
    """A signed message in two pieces, as DATA wants it: the header and some of the body, and the rest."""
    text = dkim.sign(message, dkim.Signer("example.org", "s", RSA, **tags))
    end = text.index(b"\r\n\r\n") + 7
    return text[:end], text[end:] + b".\r\n"


def test_keys_are_asked_for_while_the_body_arrives(tmp_path: Path) -> None:
    first, rest = signed()
    site = Site(tmp_path, "begin acl\nrcpt:\n  accept\ndata:\n  accept\n", DKIM_ZONE)
    events = site.talk(HELO, MAIL, RCPT, DATA, first, rest, QUIT)
    assert before(events, "! s._domainkey.example.org", "C: lo.")
    assert site.asked == ["s._domainkey.example.org"]
    assert site.statuses == ["pass"]


@pytest.mark.parametrize("waits_for", [NOTHING, ANSWERS])
@pytest.mark.parametrize("is_on_loop", [True, False])
def test_chunks(tmp_path: Path, waits_for: int, is_on_loop: bool) -> None:
    first, rest = signed()
    rest = rest[:-3]
    text = "chunking_advertise_hosts = *\nbegin acl\nrcpt:\n  accept\ndata:\n  accept\n"
    site = Site(tmp_path, text, DKIM_ZONE)
    pieces = [b"BDAT %d\r\n" % len(first), first, b"BDAT %d LAST\r\n" % len(rest), rest]
    if is_on_loop:
        site.talk(HELO, MAIL, RCPT, *pieces, QUIT, waits_for=waits_for)
    else:
        site.session(HELO, MAIL, RCPT, *pieces, QUIT).run()
    assert site.asked == ["s._domainkey.example.org"]
    assert site.statuses == ["pass"]
    if waits_for and is_on_loop:
        assert before(site.events, "! s._domainkey.example.org", f"C: BDAT {len(rest)} LAST")


@pytest.mark.parametrize(
    ("acl", "message"),
    [
        ("rcpt:\n  accept control = dkim_disable_verify\ndata:\n  accept\n", b"".join(signed())),
        ("rcpt:\n  accept\ndata:\n  accept\n", MESSAGE + b".\r\n"),
    ],
    ids=["switched off", "not signed"],
)
def test_no_keys_are_asked_for(tmp_path: Path, acl: str, message: bytes) -> None:
    site = Site(tmp_path, f"begin acl\n{acl}", DKIM_ZONE)
    site.talk(HELO, MAIL, RCPT, DATA, message, QUIT)
    assert site.asked == []
    assert len(site.server.queue.messages) == 1


def test_keys_are_called_off_when_the_client_goes(tmp_path: Path) -> None:
    twice = b"".join(signed())[:-3]
    other = dkim.sign(twice, dkim.Signer("second.example", "s", RSA))
    site = Site(tmp_path, "begin acl\nrcpt:\n  accept\ndata:\n  accept\n", DKIM_ZONE)
    site.resolver.is_stuck = True
    site.talk(HELO, MAIL, RCPT, DATA, other[:-5], waits_for=QUESTIONS)
    assert site.asked == ["s._domainkey.second.example", "s._domainkey.example.org"]  # both at once


def test_a_body_that_is_too_large(tmp_path: Path) -> None:
    text = "message_size_limit = 2000\nbegin acl\nrcpt:\n  accept\ndata:\n  accept\n"
    site = Site(tmp_path, text, DKIM_ZONE)
    first, rest = signed(MESSAGE + b"x" * 70 + b"\r\n" * 2000)
    events = site.talk(HELO, MAIL, RCPT, DATA, first, rest, QUIT)
    assert events[-3:] == ["S: 552", "C: QUIT", "S: 221"]


ARC_ACL = "begin acl\nrcpt:\n  accept\ndata:\n  accept verify = arc\n"


def sealed() -> bytes:
    """A message with one ARC set, ended with a dot."""
    text = b"Authentication-Results: example.org; spf=pass\r\n" + MESSAGE
    return arc.seal(text, arc.Sealer("example.org", "s", RSA, authserv_id="example.org")) + b".\r\n"


@pytest.mark.parametrize("authenticated", ["", "plain"])
def test_arc(tmp_path: Path, authenticated: str) -> None:
    text = sealed()
    end = text.index(b"\r\n\r\n") + 7
    site = Site(tmp_path, ARC_ACL, DKIM_ZONE)
    site.authenticated = authenticated
    events = site.talk(HELO, MAIL, RCPT, DATA, text[:end], text[end:], QUIT)
    assert before(events, "! s._domainkey.example.org", "C: lo.") is not bool(authenticated)
    assert site.asked == ["s._domainkey.example.org"]
    assert len(site.server.queue.messages) == 1


def test_arc_is_of_no_interest(tmp_path: Path) -> None:
    site = Site(tmp_path, "begin acl\nrcpt:\n  accept\ndata:\n  accept\n", DKIM_ZONE)
    site.talk(HELO, MAIL, RCPT, DATA, sealed(), QUIT)
    assert site.asked == []


def test_the_body_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[int] = []
    site = Site(tmp_path, ARC_ACL, DKIM_ZONE)
    signer = dkim.Signer("example.org", "s", RSA)
    text = dkim.sign(dkim.sign(sealed()[:-3], signer), signer)
    monkeypatch.setattr(Digest, "finish", lambda self: hashed.append(self.length))
    site.talk(HELO, MAIL, RCPT, DATA, text + b".\r\n", QUIT)
    assert hashed == [len(b"Hello.\r\n\r\nWorld\r\n")]


DMARC_ZONE = ZONE + "_dmarc.example.org TXT 'v=DMARC1; p=none'\n"
DMARC_ACL = """
begin acl
rcpt:
  warn spf = *
  accept
data:
  warn dmarc_status = *
  accept
"""
HEADER = b"From: Joe <joe@mail.Example.ORG>\r\nSubject: hello\r\n\r\nHel"


@pytest.fixture
def suffix_list(tmp_path: Path) -> str:
    path = tmp_path / "list"
    path.write_text("org\n")
    return f"dmarc_tld_file = {path}\n"


@pytest.mark.parametrize("mode", ["", "dmarc_mode = rfc9989\n"])
def test_the_dmarc_record_is_asked_for_while_the_body_arrives(tmp_path: Path, suffix_list: str, mode: str) -> None:
    site = Site(tmp_path, (mode or suffix_list) + DMARC_ACL, DMARC_ZONE)
    events = site.talk(HELO, MAIL, RCPT, DATA, HEADER, b"lo.\r\n.\r\n", QUIT)
    assert before(events, "! _dmarc.example.org", "C: lo.")
    walked = ["_dmarc.org"] if mode else []
    assert sorted(site.asked[2:]) == ["_dmarc.example.org", "_dmarc.mail.example.org", *walked]
    ((message, _),) = site.server.queue.messages
    assert message.facts["dmarc"].status == "accept"


@pytest.mark.parametrize(
    ("text", "header", "authenticated"),
    [
        (SPF_ACL, HEADER, ""),
        (DMARC_ACL, HEADER, "plain"),
        (DMARC_ACL.replace("warn spf", "warn control = dmarc_disable_verify\n spf"), HEADER, ""),
        (DMARC_ACL, HEADER.replace(b"From:", b"Fromage:"), ""),
        (DMARC_ACL, HEADER.replace(b"mail.", b"mail.." + b"x" * 70), ""),
        ("dmarc_tld_file = /no/such/file\n" + DMARC_ACL, HEADER, ""),
        ("dmarc_tld_file =\n" + DMARC_ACL, HEADER, ""),
    ],
    ids=["no ACL wants it", "authenticated", "switched off", "no author", "no name", "no list", "no file name"],
)
def test_dmarc_does_not_begin(tmp_path: Path, suffix_list: str, text: str, header: bytes, authenticated: str) -> None:
    site = Site(tmp_path, text if "tld_file" in text else suffix_list + text, DMARC_ZONE)
    site.authenticated = authenticated
    site.talk(HELO, MAIL, RCPT, DATA, header, b"lo.\r\n.\r\n", QUIT)
    assert not any(name.startswith("_dmarc") for name in site.asked)
    missing = [line for line in site.server.logs.lines if "dmarc_tld_file" in line]
    assert len(missing) == int("no/such" in text)  # nothing is logged twice


def test_a_header_that_is_rewritten(tmp_path: Path, suffix_list: str) -> None:
    text = suffix_list + DMARC_ACL + "begin rewrite\njoe@* joe@new.example f\n"
    site = Site(tmp_path, text, DMARC_ZONE + "_dmarc.new.example TXT 'v=DMARC1; p=reject'\n")
    site.talk(HELO, MAIL, RCPT, DATA, HEADER, b"lo.\r\n.\r\n", QUIT)
    ((message, _),) = site.server.queue.messages
    assert message.facts["dmarc"].status == "reject"
    assert message.facts["dmarc"].author == "new.example"
