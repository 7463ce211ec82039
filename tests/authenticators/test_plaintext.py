"""The plaintext authenticator, both sides."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.authenticators.base import authenticate, authenticate_to
from eximious.authenticators.exchange import ClientStatus

from .dialogue import Client, Server, b64, configured

PLAIN = """plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{userx}}{eq{$3}{secret}}}}
  server_set_id = $auth2
"""
LOGIN = """login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = User Name:: : Password
  server_condition = ${if and{{eq{$auth1}{userx}}{eq{$auth2}{secret}}}}
  server_set_id = $auth1
"""
GOOD, BAD = b64("\0userx\0secret"), b64("\0userx\0other")
OK, FAIL = "235 Authentication succeeded", "535 Incorrect authentication data"

SERVER = [
    # configuration, with AUTH, answers; challenges, reply, identity
    (PLAIN, GOOD, [], [], OK, "userx"),
    (PLAIN, None, [GOOD], [""], OK, "userx"),
    (PLAIN, "=", [GOOD], [], FAIL, ""),
    (PLAIN, BAD, [], [], FAIL, "userx"),
    (PLAIN, None, ["*"], [""], "501 Authentication cancelled", ""),
    (PLAIN, None, ["!"], [""], "501 Invalid base64 data", ""),
    (PLAIN, "abc", [], [], "501 Invalid base64 data", ""),
    (PLAIN, None, ["A" * 13000], [""], "501 Invalid base64 data", ""),
    (PLAIN.replace("server_prompts = :\n", ""), None, [], [], FAIL, ""),
    (LOGIN, None, [b64("userx"), b64("secret")], ["User Name:", "Password"], OK, "userx"),
    (LOGIN, b64("userx"), [b64("secret")], ["Password"], OK, "userx"),
    (LOGIN, b64("userx\0secret"), [], [], OK, "userx"),
    (LOGIN, None, [b64("userx"), b64("")], ["User Name:", "Password"], FAIL, "userx"),
    ("a:\n driver = plaintext\n server_condition = account suspended\n server_set_id = $auth2", GOOD, [], [],
     "435 Unable to authenticate at present: account suspended", "userx"),
    ("a:\n driver = plaintext\n server_condition = ${if eq{a}{b}{yes}fail}", GOOD, [], [], FAIL, ""),
    ("a:\n driver = plaintext\n server_condition = TRUE", GOOD, [], [], OK, ""),
    ("a:\n driver = plaintext\n server_condition = 0", GOOD, [], [], FAIL, ""),
    ("a:\n driver = plaintext\n server_condition = 1\n server_prompts = $nonexistent", GOOD, [], [],
     "435 Unable to authenticate at present", ""),
    ("a:\n driver = plaintext\n server_condition = 1\n server_set_id = $nonexistent", GOOD, [], [], OK, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "initial", "answers", "challenges", "reply", "identity"), SERVER)
def test_server(
    text: str, initial: str | None, answers: list[str], challenges: list[str], reply: str, identity: str, tmp_path: Path
) -> None:
    authenticator, context = configured(tmp_path, text)
    script = Server(initial, answers)
    result = authenticate(authenticator, script.exchange, context)
    assert result.reply == reply
    assert script.challenges == [b64(challenge) for challenge in challenges]
    assert result.set_id == identity
    if reply == OK:
        assert (context.client.authenticated_id, context.client.authenticated_fail_id) == (identity, "")
        assert context.client.authenticator_name == authenticator.name
    else:
        assert (context.client.authenticated_id, context.client.authenticated_fail_id) == ("", identity)
    assert "auth" not in context.facts


LOG_TEXTS = [
    (PLAIN, BAD, "535 Incorrect authentication data (set_id=userx)"),
    (PLAIN, "abc", "501 Invalid base64 data"),
    (
        "a:\n driver = plaintext\n server_condition = account suspended\n server_set_id = $auth2",
        GOOD,
        "435 Unable to authenticate at present (set_id=userx): account suspended",
    ),
    (
        "a:\n driver = plaintext\n server_condition = 1\n server_prompts = $nonexistent",
        GOOD,
        '435 Unable to authenticate at present: unknown variable name "nonexistent"',
    ),
]


@pytest.mark.parametrize(("text", "initial", "expected"), LOG_TEXTS)
def test_log_text(text: str, initial: str, expected: str, tmp_path: Path) -> None:
    authenticator, context = configured(tmp_path, text)
    assert authenticate(authenticator, Server(initial, []).exchange, context).log_text == expected


def test_strings_from_outside_are_never_expanded_and_bounded(tmp_path: Path) -> None:
    authenticator, context = configured(
        tmp_path, "a:\n driver = plaintext\n server_condition = 1\n server_set_id = $auth1"
    )
    result = authenticate(authenticator, Server(b64("${run{/bin/true}}\0" * 1000), []).exchange, context)
    assert result.set_id == "${run{/bin/true}}"


CLIENT = [
    # client_send and other options, replies; lines, status, message
    ("^userx^secret", ["235 ok"], [f"AUTH PLAIN {GOOD}"], ClientStatus.OK, ""),
    (": userx : secret", ["334 VXNlcg==", "334 UGFzcw==", "235 ok"],
     ["AUTH PLAIN", b64("userx"), b64("secret")], ClientStatus.OK, ""),
    (": $auth1 : $auth2", ["334 VXNlcg==", "334 UGFzcw==", "235 ok"],
     ["AUTH PLAIN", b64("User"), b64("Pass")], ClientStatus.OK, ""),
    (": userx\n client_ignore_invalid_base64", ["300 User?", "235 ok"],
     ["AUTH PLAIN", b64("userx")], ClientStatus.OK, ""),
    (": userx", ["334 User?", "501 cancelled"], ["AUTH PLAIN", "*"], ClientStatus.CANCELLED,
     'Invalid base64 string in server response "User?"'),
    ("^a^b", ["334 ", "501 cancelled"], [f"AUTH PLAIN {b64(chr(0) + 'a' + chr(0) + 'b')}", "*"],
     ClientStatus.CANCELLED, "Too few items in client_send in a authenticator"),
    ("a^^b", ["235 ok"], [f"AUTH PLAIN {b64('a^b')}"], ClientStatus.OK, ""),
    ("x", ["535 no"], [f"AUTH PLAIN {b64('x')}"], ClientStatus.FAIL, ""),
    ("x", ["454 later"], [f"AUTH PLAIN {b64('x')}"], ClientStatus.DEFER, ""),
    ("${if eq{a}{b}{x}fail}", [], [], ClientStatus.SKIP, ""),
    ("$nonexistent", [], [], ClientStatus.ERROR, 'unknown variable name "nonexistent"'),
    ("x\n client_condition = no", [], [], ClientStatus.SKIP, ""),
    ("x\n client_condition = ${if eq{a}{a}}", ["235 ok"], [f"AUTH PLAIN {b64('x')}"], ClientStatus.OK, ""),
    ("<; a:b ; c", ["334 ", "235 ok"], [f"AUTH PLAIN {b64('a:b')}", b64("c")], ClientStatus.OK, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "replies", "lines", "status", "message"), CLIENT)
def test_client(
    text: str, replies: list[str], lines: list[str], status: ClientStatus, message: str, tmp_path: Path
) -> None:
    authenticator, context = configured(
        tmp_path, f"a:\n driver = plaintext\n public_name = PLAIN\n client_send = {text}\n client_set_id = me$auth1"
    )
    script = Client("PLAIN", replies)
    result = authenticate_to(authenticator, script.exchange, context)
    assert (result.status, result.message) == (status, message)
    assert script.lines == lines
    assert result.set_id.startswith("me") is (status is ClientStatus.OK)
