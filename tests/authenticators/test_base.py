"""What all authenticators share; EXTERNAL; drivers that are only declared."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from eximious.authenticators.base import authenticate, authenticate_to, is_offered
from eximious.authenticators.exchange import ClientStatus, Status
from eximious.config.errors import as_exim_says
from eximious.errors import ConfigErrors

from .dialogue import Client, Server, b64, configured

OFFERED = [
    ("server_condition = 1", True),
    ("server_condition = 1\n server_advertise_condition = yes", True),
    ("server_condition = 1\n server_advertise_condition = 0", False),
    ("server_condition = 1\n server_advertise_condition = ${if def:tls_in_cipher}", False),
    ("server_condition = 1\n server_advertise_condition = ${if eq{a}{b}{yes}fail}", False),
    ("client_send = x", False),
]


@pytest.mark.parametrize(("text", "expected"), OFFERED)
def test_offered(text: str, expected: bool, tmp_path: Path) -> None:
    authenticator, context = configured(tmp_path, f"a:\n driver = plaintext\n {text}")
    assert is_offered(authenticator, context) is expected


def test_a_condition_that_cannot_be_expanded_is_logged(tmp_path: Path) -> None:
    authenticator, context = configured(
        tmp_path, "a:\n driver = plaintext\n server_condition = 1\n server_advertise_condition = $nonexistent"
    )

    class Logs:
        def __init__(self) -> None:
            self.lines: list[str] = []

        def main(self, text: str) -> None:
            self.lines.append(text)

    logs = Logs()
    context.services.__dict__["logs"] = logs
    assert not is_offered(authenticator, context)
    assert logs.lines == [
        'failed to expand "$nonexistent" in "a" authenticator server_advertise_condition: '
        'unknown variable name "nonexistent"'
    ]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [("yes", True), ("no", False), ("${if eq{a}{b}}", False), ("${if eq{a}{b}{x}fail}", True), ("a@b", True)],
)
def test_sender_of_mail_commands(condition: str, expected: bool, tmp_path: Path) -> None:
    authenticator, context = configured(
        tmp_path, f"a:\n driver = plaintext\n server_condition = 1\n server_mail_auth_condition = {condition}"
    )
    assert authenticator.accepts_sender(context) is expected


def test_debugging_output(tmp_path: Path) -> None:
    authenticator, context = configured(
        tmp_path, "a:\n driver = plaintext\n server_condition = 1\n server_debug_print = user $auth1"
    )
    lines: list[str] = []
    context.trace = SimpleNamespace(auth=lines.append, expand=lambda text: None)
    authenticate(authenticator, Server(b64("me"), []).exchange, context)
    assert lines == ["user me"]


def test_name(tmp_path: Path) -> None:
    authenticator, _ = configured(tmp_path, "PLAIN:\n driver = plaintext\n client_send = x")
    assert authenticator.mechanism == "PLAIN"
    assert authenticator.is_client
    assert not authenticator.is_server


FAULTS = [
    (
        "a:\n driver = plaintext\n public_name = X\n server_condition = 1\n"
        "b:\n driver = plaintext\n public_name = x\n server_condition = 1",
        "Exim configuration error:\n  two server authenticators (a and b) have the same public name (X)",
    ),
    (
        "a:\n driver = plaintext\n public_name = X\n client_send = 1\n"
        "b:\n driver = plaintext\n public_name = x\n client_send = 1",
        "Exim configuration error:\n  two client authenticators (a and b) have the same public name (X)",
    ),
    ("a:\n driver = cram_md5", "Exim configuration error:\n  no public name specified for the a authenticator"),
]


@pytest.mark.parametrize(("text", "expected"), FAULTS)
def test_fault(text: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as raised:
        configured(tmp_path, text)
    assert as_exim_says(raised.value) == expected


@pytest.mark.parametrize("driver", ["cyrus_sasl", "dovecot", "gsasl", "heimdal_gssapi", "spa", "tls"])
def test_drivers_that_cannot_run_say_so(driver: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match=f"authenticator a: the {driver} driver needs"):
        configured(tmp_path, f"a:\n driver = {driver}\n public_name = X")


EXTERNAL = "a:\n driver = external\n public_name = EXTERNAL\n"


@pytest.mark.parametrize(
    ("initial", "answers", "status"),
    [(b64("me"), [], Status.OK), (None, [b64("me")], Status.OK), (b64("you"), [], Status.FAIL), ("=", [], Status.FAIL)],
)
def test_external_server(initial: str | None, answers: list[str], status: Status, tmp_path: Path) -> None:
    authenticator, context = configured(
        tmp_path,
        EXTERNAL + " server_param2 = m\n server_param3 = ${auth2}e\n server_condition = ${if eq{$auth1}{$auth3}}",
    )
    assert authenticate(authenticator, Server(initial, answers).exchange, context).status is status


def test_external_client(tmp_path: Path) -> None:
    authenticator, context = configured(tmp_path, EXTERNAL + " client_send = me")
    script = Client("EXTERNAL", ["235 ok"])
    assert authenticate_to(authenticator, script.exchange, context).status is ClientStatus.OK
    assert script.lines == [f"AUTH EXTERNAL {b64('me')}"]
