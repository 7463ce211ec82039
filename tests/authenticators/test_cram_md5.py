"""CRAM-MD5, both sides; the example is that of RFC 2195."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.authenticators.base import authenticate, authenticate_to
from eximious.authenticators.cram_md5 import proof, split_response
from eximious.authenticators.exchange import ClientStatus, ServerExchange, decode, encode

from .dialogue import Client, Server, b64, configured

CRAM = """cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{tim}{tanstaaftanstaaf}fail}
  server_set_id = $1
"""
CHALLENGE = "<1896.697170952@postoffice.reston.mci.net>"
PROOF = "b913a602c7eda7a495b4e6e7334d3890"
OK, FAIL = "235 Authentication succeeded", "535 Incorrect authentication data"


def test_example_of_the_rfc() -> None:
    assert proof("tanstaaftanstaaf", CHALLENGE) == PROOF


@pytest.mark.parametrize(
    ("response", "expected"),
    [("tim abc", ("tim", "abc")), ("a b c", ("a b", "c")), ("abc", ("", "abc")), ("", ("", ""))],
)
def test_split_response(response: str, expected: tuple[str, str]) -> None:
    assert split_response(response) == expected


@pytest.mark.parametrize(
    ("user", "secret", "reply"),
    [("tim", "tanstaaftanstaaf", OK), ("tim", "other", FAIL), ("tom", "tanstaaftanstaaf", FAIL)],
)
def test_server(user: str, secret: str, reply: str, tmp_path: Path) -> None:
    authenticator, context = configured(tmp_path, CRAM)
    challenges = []

    def answer(challenge: str) -> str:
        challenges.append(decode(challenge))
        return encode(f"{user} {proof(secret, decode(challenge))}")

    result = authenticate(authenticator, ServerExchange(answer), context)
    assert result.reply == reply
    assert result.set_id == user
    assert challenges[0].startswith("<")
    assert challenges[0].endswith("@our.host>")


def test_no_two_challenges_are_equal(tmp_path: Path) -> None:
    authenticator, context = configured(tmp_path, CRAM)
    scripts = [Server(None, ["*"]) for _ in range(2)]
    for script in scripts:
        authenticate(authenticator, script.exchange, context)
    assert scripts[0].challenges != scripts[1].challenges


def test_initial_response_is_refused(tmp_path: Path) -> None:
    authenticator, context = configured(tmp_path, CRAM)
    assert authenticate(authenticator, Server(b64("x"), []).exchange, context).reply == "553 Initial data not expected"


@pytest.mark.parametrize("answer", ["", b64(""), b64(" "), b64("\xff \xff")])
def test_odd_responses_fail(answer: str, tmp_path: Path) -> None:
    authenticator, context = configured(tmp_path, CRAM)
    assert authenticate(authenticator, Server(None, [answer]).exchange, context).reply == FAIL


def test_server_condition_comes_after(tmp_path: Path) -> None:
    authenticator, context = configured(tmp_path, CRAM + "  server_condition = not today")
    exchange = ServerExchange(lambda challenge: encode(f"tim {proof('tanstaaftanstaaf', decode(challenge))}"))
    assert authenticate(authenticator, exchange, context).reply == "435 Unable to authenticate at present: not today"


CLIENT = [
    ("", ["334 " + b64(CHALLENGE), "235 ok"], ["AUTH CRAM-MD5", b64("our.host " + PROOF)], ClientStatus.OK, ""),
    ("client_name = tim", ["334 " + b64(CHALLENGE), "235 ok"], ["AUTH CRAM-MD5", b64("tim " + PROOF)],
     ClientStatus.OK, ""),
    ("client_name = ${if eq{a}{b}{x}fail}", [], [], ClientStatus.SKIP, ""),
    ("", ["334 !!", "501 ok"], ["AUTH CRAM-MD5", "*"], ClientStatus.CANCELLED,
     "Invalid base64 string in challenge: !!"),
    ("", ["535 no"], ["AUTH CRAM-MD5"], ClientStatus.FAIL, ""),
    ("", ["334 " + b64(CHALLENGE), "535 no"], ["AUTH CRAM-MD5", b64("our.host " + PROOF)], ClientStatus.FAIL, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "replies", "lines", "status", "message"), CLIENT)
def test_client(
    text: str, replies: list[str], lines: list[str], status: ClientStatus, message: str, tmp_path: Path
) -> None:
    authenticator, context = configured(
        tmp_path, f"a:\n driver = cram_md5\n public_name = CRAM-MD5\n client_secret = tanstaaftanstaaf\n {text}"
    )
    script = Client("CRAM-MD5", replies)
    result = authenticate_to(authenticator, script.exchange, context)
    assert (result.status, result.message, script.lines) == (status, message, lines)
