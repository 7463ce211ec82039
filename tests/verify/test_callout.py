"""Callouts: what hosts are asked, what their answers mean, and what is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.acl.verify_options import VerifyOptions
from eximious.net.memory import MemoryStream
from eximious.send import opening
from eximious.verify.address import Result, Verified
from eximious.verify.callout import presentable
from eximious.verify.request import verify
from tests.routers.place import Place

ROUTERS = """
away:
 driver = manualroute
 route_list = far.ex 192.0.2.1 ; two.ex 192.0.2.1:192.0.2.2
 transport = s
here:
 driver = accept
 transport = t1
"""
HELLO = b"220 far.ex\r\n", b"250 far.ex\r\n"
OK = b"250 ok\r\n"
NO = b"550 no such user\r\n"
LATER = b"451 not now\r\n"
BYE = b"221 bye\r\n"


class Hosts:
    """Hosts that say what they were told to say, each time that somebody connects."""

    def __init__(self) -> None:
        self.scripts: list[tuple[bytes, ...] | OSError] = []
        self.streams: list[MemoryStream] = []

    def connect(self, address: str, port: int = 0, **_: object) -> MemoryStream:
        del address, port
        script = self.scripts.pop(0)
        if isinstance(script, OSError):
            raise script
        self.streams.append(MemoryStream(*script))
        return self.streams[-1]

    def said(self) -> list[str]:
        """The commands of the last connection, without EHLO and QUIT."""
        lines = self.streams[-1].sent.decode().split("\r\n")
        return [line for line in lines if line and not line.startswith(("EHLO", "QUIT"))]


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    made = Hosts()
    monkeypatch.setattr(opening, "connect", made.connect)
    return made


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, ROUTERS, main="callout_random_local_part = random\n")


def ask(place: Place, what: str, address: str = "u@far.ex") -> Verified:
    context = place.context()
    context.message.size = -1
    options = VerifyOptions(what)
    return verify(address, options, context, is_recipient=options.what == "recipient")


RCPT = "RCPT TO:<u@far.ex>"
NULL = "MAIL FROM:<>"
SENDER = "MAIL FROM:<sender@test.ex>"
MASTER = "RCPT TO:<postmaster@far.ex>"
ANSWERS = [
    ("sender/callout", (OK, OK), [NULL, RCPT], Result.OK, ""),
    ("sender/callout", (OK, NO), [NULL, RCPT], Result.FAIL, "recipient"),
    ("sender/callout", (NO,), [NULL], Result.FAIL, "mail"),
    ("sender/callout", (OK, LATER), [NULL, RCPT], Result.DEFER, "recipient"),
    ("sender/callout", (LATER,), [NULL], Result.DEFER, "recipient"),
    ("sender/callout", (OK,), [NULL, RCPT], Result.DEFER, "recipient"),
    ("recipient/callout", (OK, OK), [NULL, RCPT], Result.OK, ""),
    ("recipient/callout=use_sender", (OK, OK), [SENDER, RCPT], Result.OK, ""),
    ("recipient/callout=use_postmaster", (OK, OK), ["MAIL FROM:<postmaster@test.ex>", RCPT], Result.OK, ""),
    ("header_sender/callout=mailfrom=x@y.z", (OK, OK), ["MAIL FROM:<x@y.z>", RCPT], Result.OK, ""),
    ("sender/callout=random", (OK, OK), [NULL, "RCPT TO:<random@far.ex>"], Result.OK, "random"),
    (
        "sender/callout=random",
        (OK, NO, OK, OK, OK),
        [NULL, "RCPT TO:<random@far.ex>", "RSET", NULL, RCPT],
        Result.OK,
        "",
    ),
    ("sender/callout=postmaster", (OK, OK, OK, OK, OK), [NULL, RCPT, "RSET", NULL, MASTER], Result.OK, ""),
    ("sender/callout=postmaster", (OK, OK, OK, OK, NO), [NULL, RCPT, "RSET", NULL, MASTER], Result.FAIL, "postmaster"),
    (
        "sender/callout=fullpostmaster",
        (OK, OK, OK, OK, NO, OK),
        [NULL, RCPT, "RSET", NULL, MASTER, "RCPT TO:<postmaster>"],
        Result.OK,
        "",
    ),
    (
        "sender/callout=postmaster_mailfrom=p@q.r",
        (OK, OK, OK, OK, OK),
        [NULL, RCPT, "RSET", "MAIL FROM:<p@q.r>", MASTER],
        Result.OK,
        "",
    ),
    ("sender/callout=postmaster", (OK, NO), [NULL, RCPT], Result.FAIL, "recipient"),
]


@pytest.mark.parametrize(("what", "answers", "commands", "result", "failure"), ANSWERS)
def test_answers(
    what: str, answers: tuple[bytes, ...], commands: list[str], result: Result, failure: str, place: Place, hosts: Hosts
) -> None:
    hosts.scripts = [(*HELLO, *answers, BYE) if len(answers) > 1 or answers[0] != OK else (*HELLO, *answers)]
    verified = ask(place, what)
    assert hosts.said() == commands
    assert (verified.result, verified.failure) == (result, failure)
    assert verified.is_from_callout


TEXTS = [
    (
        "sender/callout",
        (OK, NO),
        f"192.0.2.1 [192.0.2.1] : SMTP error from remote mail server after {RCPT}: 550 no such user",
        f"Called:   192.0.2.1\nSent:     {RCPT}\nResponse: 550 no such user",
    ),
    (
        "recipient/callout",
        (OK, NO),
        f"192.0.2.1 [192.0.2.1] : SMTP error from remote mail server after {RCPT}: 550 no such user",
        "Callout verification failed:\n550 no such user",
    ),
    (
        "sender/callout",
        (NO,),
        '192.0.2.1 [192.0.2.1] : response to "MAIL FROM:<>" was: 550 no such user',
        "Called:   192.0.2.1\nSent:     MAIL FROM:<>\nResponse: 550 no such user",
    ),
    (
        "sender/callout",
        (LATER,),
        "Could not complete sender verify callout: 192.0.2.1 [192.0.2.1] : "
        "SMTP error from remote mail server after MAIL FROM:<>: 451 not now",
        "",
    ),
    (
        "recipient/callout",
        (LATER,),
        "Could not complete recipient verify callout: 192.0.2.1 [192.0.2.1] : "
        "SMTP error from remote mail server after MAIL FROM:<>: 451 not now",
        "Could not complete recipient verify callout",
    ),
]


@pytest.mark.parametrize(("what", "answers", "message", "user_message"), TEXTS)
def test_texts(
    what: str, answers: tuple[bytes, ...], message: str, user_message: str, place: Place, hosts: Hosts
) -> None:
    hosts.scripts = [(*HELLO, *answers, BYE)]
    verified = ask(place, what)
    assert (verified.message, verified.user_message) == (message, user_message)


def test_the_next_host_is_asked(place: Place, hosts: Hosts) -> None:
    hosts.scripts = [(*HELLO, LATER, BYE), (*HELLO, OK, OK, BYE)]
    assert ask(place, "sender/callout", "u@two.ex")
    hosts.scripts = [ConnectionRefusedError(111, "Connection refused"), (*HELLO, OK, NO, BYE)]
    assert ask(place, "sender/callout=no_cache", "u@two.ex").result is Result.FAIL


def test_nobody_can_be_reached(place: Place, hosts: Hosts) -> None:
    hosts.scripts = [ConnectionRefusedError(111, "Connection refused")]
    verified = ask(place, "sender/callout")
    assert verified.message == "Could not complete sender verify callout: 192.0.2.1 [192.0.2.1] : Connection refused"
    hosts.scripts = [ConnectionRefusedError(111, "Connection refused")] * 2
    verified = ask(place, "sender/callout", "u@two.ex")
    assert verified.message == "Could not complete sender verify callout"


def test_local_addresses_are_not_asked_about(place: Place, hosts: Hosts) -> None:
    verified = ask(place, "sender/callout", "u@test.ex")
    assert verified
    assert not verified.is_from_callout
    assert hosts.streams == []


BANNERS: list[tuple[tuple[bytes, ...], Result]] = [
    ((b"554 go away\r\n",), Result.FAIL),
    ((b"421 busy\r\n",), Result.DEFER),
    ((HELLO[0], b"550 no\r\n", b"550 no\r\n"), Result.FAIL),
    ((), Result.DEFER),
    ((b"nonsense\r\n",), Result.DEFER),
]


@pytest.mark.parametrize(("replies", "result"), BANNERS)
def test_hosts_that_do_not_want_to_talk(replies: tuple[bytes, ...], result: Result, place: Place, hosts: Hosts) -> None:
    hosts.scripts = [replies]
    assert ask(place, "sender/callout").result is result


def test_the_size_is_told_where_it_is_wanted(place: Place, hosts: Hosts) -> None:
    hosts.scripts = [(HELLO[0], b"250-far.ex\r\n250 SIZE\r\n", OK, OK, BYE)]
    context = place.context()
    context.message.size = 5000
    assert verify("u@far.ex", VerifyOptions("recipient/callout"), context, is_recipient=True)
    assert hosts.said()[0].startswith("MAIL FROM:<> SIZE=")


def test_who_a_host_knows_is_not_made_up(place: Place, hosts: Hosts) -> None:
    hosts.scripts = [(*HELLO, OK, OK, BYE)]
    verified = ask(place, "recipient/callout")
    assert (verified.local_part_data, verified.domain_data) == ("u", "far.ex")
    assert ask(place, "recipient/callout").local_part_data == "u"  # remembered


# --- what is remembered -----------------------------------------------------------------------------------------------

ALWAYS = (*HELLO, OK, OK, OK, OK, OK, OK, BYE)
NO_MASTER = (OK, OK, OK, OK, NO)
REMEMBERED = [
    # first question and answers, time between, second question, result, failure, whether anybody is asked
    ("sender/callout", (OK, OK), 0, "sender/callout", Result.OK, "", False),
    ("sender/callout", (OK, OK), 86000, "sender/callout", Result.OK, "", False),
    ("sender/callout", (OK, OK), 86500, "sender/callout", Result.OK, "", True),
    ("sender/callout", (OK, NO), 0, "sender/callout", Result.FAIL, "recipient", False),
    ("sender/callout", (OK, NO), 7300, "sender/callout", Result.OK, "", True),
    ("sender/callout", (OK, NO), 0, "sender/callout=no_cache", Result.OK, "", True),
    ("sender/callout=no_cache", (OK, NO), 0, "sender/callout", Result.OK, "", True),
    ("sender/callout", (NO,), 0, "sender/callout", Result.FAIL, "mail", False),
    ("sender/callout", (NO,), 0, "recipient/callout=use_sender", Result.OK, "", True),
    ("recipient/callout=use_sender", (NO,), 0, "sender/callout", Result.OK, "", True),
    ("sender/callout", (LATER,), 0, "sender/callout", Result.OK, "", True),
    ("sender/callout=random", (OK, OK), 0, "sender/callout=random", Result.OK, "random", False),
    ("sender/callout=random", (OK, OK), 0, "sender/callout", Result.OK, "", True),
    ("sender/callout", (OK, OK), 0, "sender/callout=postmaster", Result.OK, "", True),
    ("sender/callout=postmaster", (OK, OK, OK, OK, OK), 0, "sender/callout=postmaster", Result.OK, "", False),
    (
        "sender/callout=postmaster",
        (OK, OK, OK, OK, NO),
        0,
        "sender/callout=postmaster",
        Result.FAIL,
        "postmaster",
        False,
    ),
    ("sender/callout=postmaster", (OK, OK, OK, OK, NO), 0, "sender/callout", Result.OK, "", False),
    ("recipient/callout=use_sender", (OK, OK), 0, "recipient/callout", Result.OK, "", True),
]


@pytest.mark.parametrize(("first", "answers", "later", "second", "result", "failure", "asks"), REMEMBERED)
def test_what_is_remembered(
    first: str,
    answers: tuple[bytes, ...],
    later: float,
    second: str,
    result: Result,
    failure: str,
    asks: bool,
    place: Place,
    hosts: Hosts,
) -> None:
    hosts.scripts = [(*HELLO, *answers, BYE)]
    ask(place, first)
    place.time += later
    hosts.scripts = [ALWAYS]
    verified = ask(place, second)
    assert (verified.result, verified.failure) == (result, failure)
    assert (len(hosts.streams) == 2) is asks


def test_a_refused_null_sender_is_not_forgotten_when_another_is_taken(place: Place, hosts: Hosts) -> None:
    hosts.scripts = [(*HELLO, NO, BYE), (*HELLO, OK, OK, BYE)]
    assert ask(place, "sender/callout").failure == "mail"
    assert ask(place, "recipient/callout=use_sender")
    again = ask(place, "sender/callout")
    assert (again.failure, again.user_message) == ("mail", "(result of an earlier callout reused).")
    assert len(hosts.streams) == 2


PRESENTABLE = [
    ("550 no", "550 no"),
    ("550 \xc3\xa9", "550 \xc3\xa9"),
    ("550 \xe9 x", "550 (truncated)"),
]


@pytest.mark.parametrize(("response", "expected"), PRESENTABLE)
def test_presentable(response: str, expected: str) -> None:
    assert presentable(response) == expected
