"""``eximious explain mail``; what it says is tested with the library."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from eximious.cli.explain import command
from eximious.cli.explain_mail import _print
from eximious.daemon import privilege
from eximious.mailauth import zone
from eximious.mailauth.__main__ import main
from eximious.mailauth.dkim import Signer, sign
from eximious.mailauth.explain import explain
from eximious.mailauth.program_resolver import ProgramResolver
from eximious.mailauth.resolver import NO_SUCH_NAME, Answer
from eximious.mailauth.srs import Scheme
from tests.mailauth.keys import RSA

MESSAGE = b"From: joe@example.org\r\nTo: l@list.example\r\nSubject: Lunch\r\n\r\nSalad?\r\n"
ZONE = f"""
example.org TXT "v=spf1 ip4:192.0.2.1 -all"
s._domainkey.example.org TXT "{RSA.record()}"
_dmarc.example.org TXT "v=DMARC1; p=reject"
_dmarc.down.example SERVFAIL
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files are named; the tests go on as whoever they are."""
    monkeypatch.setattr(privilege, "become", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.eml").write_bytes(sign(MESSAGE, Signer("example.org", "s", RSA)))
    (tmp_path / "zone").write_text(ZONE, encoding="utf-8")
    configuration = tmp_path / "exim.conf"
    configuration.write_text("primary_hostname = mail.example\n")
    configuration.chmod(0o644)
    return tmp_path


def run(*arguments: str, input: bytes | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(command, ["mail", "--dns", "zone", *arguments], input=input)
    return result.exit_code, result.output


def damaged(folder: Path) -> bytes:
    return (folder / "m.eml").read_bytes().replace(b"Subject: ", b"Subject: [l] ")


def test_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, output = run("m.eml", "--ip", "192.0.2.1", "--helo", "mx", "--sender", "<joe@example.org>")
    assert status == 0
    assert "  pass: DKIM of example.org and SPF of example.org are aligned with example.org\n" in output
    main(["m.eml", "--dns", "zone", "--ip", "192.0.2.1", "--helo", "mx", "--from", "joe@example.org"])
    assert capsys.readouterr().out == output


def test_failure_on_standard_input(folder: Path) -> None:
    status, output = run("-", input=damaged(folder))
    assert status == 1
    assert 'Subject got "[l]" added: it was "Lunch" and is now "[l] Lunch"' in output
    assert output.count("what would mend it: ") == 2
    assert output.startswith("(client: unknown, no Received field tells it; give it with --ip)\n")


def test_json(folder: Path) -> None:
    status, output = run("m.eml", "--json", "--ip", "192.0.2.9", "--from", "")
    found = json.loads(output)
    assert (status, found["status"], found["envelope"]["sender"]) == (0, 0, "")


def test_the_dns_fails(folder: Path) -> None:
    assert run("-", input=b"From: j@down.example\r\n\r\n")[0] == 75


def test_secrets_come_from_the_configuration(folder: Path) -> None:
    then = time.time() - 5 * 86400
    sender = Scheme(["two"], hash_length=6, clock=lambda: then).forward("joe@example.org", "mail.example")
    configuration = folder / "exim.conf"
    with configuration.open("a") as file:
        file.write("srs_secrets = one:two\n")
    assert "    bounces go to joe@example.org\n" in run("m.eml", "-C", "exim.conf", "--from", sender)[1]
    with configuration.open("a") as file:
        file.write("srs_maxage = 3\n")
    assert "bounces come too late" in run("m.eml", "-C", "exim.conf", "--from", sender)[1]
    with configuration.open("a") as file:
        file.write("srs_hashlength = 99\n")  # what is wrong with the options is not for us to say
    assert "mail.example rewrote joe@example.org" in run("m.eml", "-C", "exim.conf", "--from", sender)[1]


WRONG = [
    (["m.eml", "--ip", "x"], 2, "'x' does not appear to be an IPv4 or IPv6 address"),
    (["missing.eml"], 2, "File 'missing.eml' does not exist"),
    (["m.eml", "-C", "missing.conf"], 1, "the configuration cannot be used"),
    (["m.eml", "--dns", "m.eml"], 2, "m.eml: line 1: "),
    ([], 2, "Missing argument 'FILE'"),
]


@pytest.mark.parametrize(("arguments", "status", "complaint"), WRONG)
def test_wrong_arguments(folder: Path, arguments: list[str], status: int, complaint: str) -> None:
    found, output = run(*arguments)
    assert found == status
    assert complaint in " ".join(output.split())


def test_colour_only_in_a_terminal(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "\x1b" not in run("m.eml")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    resolver = zone.read(ZONE)
    _print(asyncio.run(explain(damaged(folder), resolver)))
    output = capsys.readouterr().out
    assert "\x1b[1mDKIM\x1b[0m\n" in output
    assert "\x1b[31m  fail: d=example.org" in output


def test_nothing_is_imported_before_it_is_needed() -> None:
    program = "import sys, eximious.cli.explain; print({'rich', 'asyncio', 'dns', 'cryptography'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "set()\n"


MODES = [
    ((), "", "asked up the DNS tree (RFC 9989)"),
    (("--dmarc-mode", "rfc7489"), "", "asked with the public suffix list (RFC 7489)"),
    (("-C", "exim.conf"), "", "asked with the public suffix list (RFC 7489)"),
    (("-C", "exim.conf"), "dmarc_mode = rfc9989\n", "asked up the DNS tree (RFC 9989)"),
    (("-C", "exim.conf", "--dmarc-mode", "rfc7489"), "dmarc_mode = rfc9989\n", "asked with the public suffix list"),
    (("-C", "exim.conf"), "dmarc_tld_file = %s/list\n", "organizational domain: a.example.org"),
    (
        ("-C", "exim.conf"),
        "dkim_verify_min_keysizes = rsa=4096\n",
        "policy: d=example.org s=s a=rsa-sha256: the key",
    ),
]


@pytest.mark.parametrize(("arguments", "options", "sentence"), MODES)
def test_as_the_server_judges(folder: Path, arguments: tuple[str, ...], options: str, sentence: str) -> None:
    (folder / "list").write_text("org\nexample.org\n")
    with (folder / "exim.conf").open("a") as file:
        file.write(options.replace("%s", str(folder)))
    message = (folder / "m.eml").read_bytes().replace(b"From: joe@", b"From: joe@a.")
    assert sentence in run("-", *arguments, input=message if "list" in options else (folder / "m.eml").read_bytes())[1]


def test_a_suffix_list_that_is_not_there(folder: Path) -> None:
    with (folder / "exim.conf").open("a") as file:
        file.write(f"dmarc_tld_file = {folder}/missing\n")
    assert run("m.eml", "-C", "exim.conf") == (1, f"Error: {folder}/missing: No such file or directory\n")


def test_the_servers_resolver_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def query(_: object, name: str, type: str) -> Answer:
        asked.append((name, type))
        return NO_SUCH_NAME

    monkeypatch.setattr(ProgramResolver, "query", query)
    for arguments in ((), ("-C", "exim.conf")):
        result = CliRunner().invoke(command, ["mail", "m.eml", *arguments])
        assert "there is no key (no TXT record at s._domainkey.example.org)" in result.output
    assert ("_dmarc.example.org", "TXT") in asked
