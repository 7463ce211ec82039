"""Callouts, made to servers that follow a script: what is asked, what the answers mean, what is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.acl.verify_options import VerifyOptions
from eximious.verify.address import Verified
from eximious.verify.request import verify
from tests.routers.place import Place
from tests.send.servers import ScriptedServer

NEVER = 1  # a port at which nobody listens
HELLO = "220 far\n? EHLO my.host\n250 far\n"
MAIL = "? MAIL FROM:<>\n250 ok\n"
RCPT = "? RCPT TO:<a@far.ex>\n250 ok\n"
BYE = "? QUIT\n221 bye\n"


def place_with(folder: Path, port: int, main: str = "", hosts: str = "") -> Place:
    return Place(
        folder,
        f"r:\n driver = manualroute\n route_list = * {hosts or f'127.0.0.1::{port}'}\n self = send\n transport = s\n",
        main=main,
        transports="begin transports\ns:\n driver = smtp\n hosts_try_fastopen =\n",
    )


def ask(
    place: Place, options: str = "", address: str = "a@far.ex", *, is_recipient: bool = True, size: int = -1
) -> Verified:
    context = place.context()
    context.message.size = size
    text = f"{'recipient' if is_recipient else 'sender'}/callout{options}"
    return verify(address, VerifyOptions(text), context, is_recipient=is_recipient)


def shown(verified: Verified) -> tuple[str, str, str]:
    return verified.result.name, verified.failure, verified.message or ""


HERE = "127.0.0.1 [127.0.0.1] : "
AFTER = f"{HERE}SMTP error from remote mail server after "
DIALOGUES = [
    ("", HELLO + MAIL + RCPT + BYE, ("OK", "", "")),
    ("=5s", HELLO + MAIL + RCPT + BYE, ("OK", "", "")),
    (
        "",
        HELLO + MAIL + "? RCPT\n550-no such\n550 person\n" + BYE,
        ("FAIL", "recipient", f"{AFTER}RCPT TO:<a@far.ex>: 550-no such\\n550 person"),
    ),
    (
        "",
        HELLO + MAIL + "? RCPT\n450 later\n" + BYE,
        ("DEFER", "recipient", f"Could not complete recipient verify callout: {AFTER}RCPT TO:<a@far.ex>: 450 later"),
    ),
    (
        "",
        HELLO + "? MAIL\n550 no bounces\n" + BYE,
        ("FAIL", "mail", f'{HERE}response to "MAIL FROM:<>" was: 550 no bounces'),
    ),
    (
        "",
        HELLO + "? MAIL\n450 busy\n" + BYE,
        ("DEFER", "recipient", f"Could not complete recipient verify callout: {AFTER}MAIL FROM:<>: 450 busy"),
    ),
    ("=use_sender", HELLO + "? MAIL FROM:<sender@test.ex>\n250 ok\n" + RCPT + BYE, ("OK", "", "")),
    ("=use_postmaster", HELLO + "? MAIL FROM:<postmaster@test.ex>\n250 ok\n" + RCPT + BYE, ("OK", "", "")),
    (
        "=random",
        HELLO + MAIL + "? RCPT TO:<my.host-1000000000-testing@far.ex>\n250 ok\n" + BYE,
        ("OK", "random", ""),
    ),
    (
        "=random",
        HELLO + MAIL + "? RCPT TO:<my.host-\n550 no\n? RSET\n250 ok\n" + MAIL + RCPT + BYE,
        ("OK", "", ""),
    ),
    (
        "=random",
        HELLO + MAIL + "? RCPT TO:<my.host-\n550 no\n? RSET\n250 ok\n" + MAIL + "? RCPT\n550 no\n" + BYE,
        ("FAIL", "recipient", f"{AFTER}RCPT TO:<a@far.ex>: 550 no"),
    ),
    (
        "=postmaster",
        HELLO + MAIL + RCPT + "? RSET\n250 ok\n" + MAIL + "? RCPT TO:<postmaster@far.ex>\n250 ok\n" + BYE,
        ("OK", "", ""),
    ),
    (
        "=postmaster_mailfrom=x@y.z",
        HELLO
        + MAIL
        + RCPT
        + "? RSET\n250 ok\n? MAIL FROM:<x@y.z>\n250 ok\n? RCPT TO:<postmaster@far.ex>\n550 no\n"
        + BYE,
        ("FAIL", "postmaster", f"{AFTER}RCPT TO:<postmaster@far.ex>: 550 no"),
    ),
    (
        "=fullpostmaster",
        HELLO
        + MAIL
        + RCPT
        + "? RSET\n250 ok\n"
        + MAIL
        + "? RCPT TO:<postmaster@far.ex>\n550 no\n? RCPT TO:<postmaster>\n250 ok\n"
        + BYE,
        ("OK", "", ""),
    ),
    ("", "550 go away\n? QUIT", ("FAIL", "mail", "")),
    ("", "220 far\n? EHLO\n550 no\n? HELO\n550 no\n" + BYE, ("FAIL", "mail", "")),
    ("", "220 far\n? EHLO\n500 what\n? HELO my.host\n250 hello\n" + MAIL + RCPT + BYE, ("OK", "", "")),
    ("", "450 busy\n? QUIT", ("DEFER", "recipient", "")),
    ("", HELLO + MAIL + "? RCPT\n*close", ("DEFER", "recipient", "")),
    ("", HELLO + MAIL + "? RCPT\nnonsense\n", ("DEFER", "recipient", "")),
]


@pytest.mark.parametrize(("options", "script", "expected"), DIALOGUES)
def test_dialogue(options: str, script: str, expected: tuple[str, str, str], tmp_path: Path) -> None:
    with ScriptedServer(script) as server:
        found = shown(ask(place_with(tmp_path, server.port), options))
    result, failure, message = expected
    assert found[:2] == (result, failure)
    if message:
        assert found[2] == message


def test_the_size_of_the_message_is_told(tmp_path: Path) -> None:
    script = "220 far\n? EHLO\n250-far\n250 SIZE 1000\n? MAIL FROM:<> SIZE=1524\n250 ok\n" + RCPT + BYE
    with ScriptedServer(script) as server:
        assert ask(place_with(tmp_path, server.port), size=500)


def test_where_tls_fails_it_is_done_without(tmp_path: Path) -> None:
    offers = "220 far\n? EHLO my.host\n250-far\n250 STARTTLS\n? STARTTLS\n220 go\n*close\n"
    with ScriptedServer(offers, HELLO + MAIL + RCPT + BYE) as server:
        place = place_with(tmp_path, server.port)
        assert shown(ask(place)) == ("OK", "", "")
    why = "TLS session: (SSL_connect): error:0A000126:SSL routines::unexpected eof while reading"
    assert f"main: {why}: callout unencrypted to 127.0.0.1 [127.0.0.1] (not in hosts_require_tls)" in place.logs.lines


USER_MESSAGES = [
    (True, "550-no such\n550 person", "Callout verification failed:\n550-no such\n550 person"),
    (True, "550 n\xc3\xb6", "Callout verification failed:\n550 n\xc3\xb6"),
    (True, "550 n\xff!", "Callout verification failed:\n550 n(truncated)"),
    (False, "550 no", "Called:   127.0.0.1\nSent:     RCPT TO:<a@far.ex>\nResponse: 550 no"),
]


@pytest.mark.parametrize(("is_recipient", "answer", "expected"), USER_MESSAGES)
def test_what_clients_are_told(is_recipient: bool, answer: str, expected: str, tmp_path: Path) -> None:
    with ScriptedServer(HELLO + MAIL + f"? RCPT\n{answer}\n" + BYE) as server:
        verified = ask(place_with(tmp_path, server.port), is_recipient=is_recipient)
    assert verified.user_message == expected


def test_the_next_host_is_asked(tmp_path: Path) -> None:
    with ScriptedServer(HELLO + MAIL + RCPT + BYE) as server:
        assert ask(place_with(tmp_path, 0, hosts=f'"127.0.0.1::{NEVER} : 127.0.0.1::{server.port}"'))


def test_nobody_can_be_reached(tmp_path: Path) -> None:
    place = place_with(tmp_path, NEVER)
    verified = ask(place)
    text = f"Could not complete recipient verify callout: {HERE}Connection refused"
    assert shown(verified) == ("DEFER", "recipient", text)
    assert verified.user_message == "Could not complete recipient verify callout"
    assert (ask(place, is_recipient=False).message or "").startswith("Could not complete sender verify callout: ")
    two = f'"127.0.0.1::{NEVER} : 127.0.0.1::{NEVER}"'
    verified = ask(place_with(tmp_path, 0, "smtp_return_error_details", hosts=two))
    assert shown(verified) == ("DEFER", "recipient", "Could not complete recipient verify callout")
    assert (verified.user_message or "").startswith(f"{NO_ANSWER} for <a@far.ex>.\nThe mail server(s)")


NO_ANSWER = "Could not complete recipient verify callout"
REFUSES = HELLO + MAIL + "? RCPT\n550 no\n" + BYE
ACCEPTS = HELLO + MAIL + RCPT + BYE
NULL = HELLO + "? MAIL FROM:<>\n550 no\n" + BYE
RANDOM = HELLO + MAIL + "? RCPT TO:<my.host-\n250 ok\n" + BYE
NOT_RANDOM = HELLO + MAIL + "? RCPT TO:<my.host-\n550 no\n? RSET\n250 ok\n" + MAIL + RCPT + BYE
START = HELLO + MAIL + RCPT + "? RSET\n250 ok\n" + MAIL
POSTMASTER = START + "? RCPT TO:<postmaster@\n250 ok\n" + BYE
NO_POSTMASTER = START + "? RCPT TO:<postmaster@\n550 no\n" + BYE
HOUR = 3600
DAY = 24 * HOUR
# First options, first script; then how much later, options, address, script or "", and the result.
CACHES = [
    ("", ACCEPTS, DAY, "", "a@far.ex", "", ("OK", "")),
    ("", ACCEPTS, DAY + 1, "", "a@far.ex", ACCEPTS, ("OK", "")),
    ("", ACCEPTS, 0, "=no_cache", "a@far.ex", ACCEPTS, ("OK", "")),
    ("=no_cache", ACCEPTS, 0, "", "a@far.ex", ACCEPTS, ("OK", "")),
    ("", ACCEPTS, 0, "", "b@far.ex", ACCEPTS.replace("a@", "b@"), ("OK", "")),
    ("", ACCEPTS, 0, "=use_sender", "a@far.ex", ACCEPTS.replace("<>", "<sender@test.ex>"), ("OK", "")),
    ("", REFUSES, 2 * HOUR, "", "a@far.ex", "", ("FAIL", "recipient")),
    ("", REFUSES, 2 * HOUR + 1, "", "a@far.ex", ACCEPTS, ("OK", "")),
    ("", NULL, 3 * HOUR, "", "b@far.ex", "", ("FAIL", "mail")),
    ("", NULL, 3 * HOUR + 1, "", "a@far.ex", ACCEPTS, ("OK", "")),
    ("", NULL, 0, "=use_sender", "a@far.ex", ACCEPTS.replace("<>", "<sender@test.ex>"), ("OK", "")),
    ("=random", RANDOM, 7 * DAY, "=random", "b@far.ex", "", ("OK", "random")),
    ("=random", RANDOM, 0, "", "a@far.ex", ACCEPTS, ("OK", "")),
    ("=random", NOT_RANDOM, 0, "=random", "b@far.ex", ACCEPTS.replace("a@", "b@"), ("OK", "")),
    ("=random", NOT_RANDOM, 4 * HOUR, "=random", "b@far.ex", NOT_RANDOM.replace("a@", "b@"), ("OK", "")),
    ("=postmaster", POSTMASTER, 0, "=postmaster", "a@far.ex", "", ("OK", "")),
    ("=postmaster", POSTMASTER, 0, "=postmaster", "b@far.ex", ACCEPTS.replace("a@", "b@"), ("OK", "")),
    ("", ACCEPTS, 0, "=postmaster", "a@far.ex", POSTMASTER, ("OK", "")),
    ("=postmaster", NO_POSTMASTER, 0, "=postmaster", "b@far.ex", "", ("FAIL", "postmaster")),
    ("=postmaster", NO_POSTMASTER, 0, "", "a@far.ex", "", ("OK", "")),
    ("", "550 go\n? QUIT", 0, "=use_sender", "b@far.ex", "", ("FAIL", "mail")),
    ("", HELLO + "? MAIL\n450 no\n" + BYE, 0, "", "a@far.ex", ACCEPTS, ("OK", "")),
]


@pytest.mark.parametrize(("first", "script", "later", "second", "address", "then", "expected"), CACHES)
def test_what_is_remembered(
    first: str,
    script: str,
    later: float,
    second: str,
    address: str,
    then: str,
    expected: tuple[str, str],
    tmp_path: Path,
) -> None:
    with ScriptedServer(*filter(None, (script, then))) as server:
        place = place_with(tmp_path, server.port)
        ask(place, first)
        place.time += later
        assert shown(ask(place, second, address))[:2] == expected


CACHED_TEXTS = [
    (REFUSES, "Previous (cached) callout verification failure"),
    (NULL, "(result of an earlier callout reused)."),
]


@pytest.mark.parametrize(("script", "text"), CACHED_TEXTS)
def test_what_is_said_of_what_is_remembered(script: str, text: str, tmp_path: Path) -> None:
    with ScriptedServer(script) as server:
        place = place_with(tmp_path, server.port)
        ask(place)
    assert ask(place).user_message == text


NOT_CALLED = ["driver = appendfile\n file = /x", "driver = pipe\n command = /bin/true"]


@pytest.mark.parametrize("transport", NOT_CALLED)
def test_local_deliveries_are_not_called_about(transport: str, tmp_path: Path) -> None:
    place = Place(
        tmp_path,
        "r:\n driver = accept\n transport = t\n",
        transports=f"begin transports\nt:\n {transport}\n",
    )
    assert shown(ask(place)) == ("OK", "", "")


def test_the_hosts_of_the_transport_are_asked(tmp_path: Path) -> None:
    with ScriptedServer(ACCEPTS) as server:
        place = Place(
            tmp_path,
            "r:\n driver = accept\n transport = t\n",
            transports=f"begin transports\nt:\n driver = smtp\n hosts = 127.0.0.1\n port = {server.port}\n",
        )
        assert ask(place)
