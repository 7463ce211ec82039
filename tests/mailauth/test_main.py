from __future__ import annotations

from io import BytesIO, TextIOWrapper
from pathlib import Path

import dns.asyncresolver
import dns.resolver
import pytest

from eximious.mailauth.__main__ import main
from eximious.mailauth.dkim import Signer, sign
from eximious.mailauth.resolver import StaticResolver
from tests.mailauth.keys import ED25519

ZONE = {
    "example.org": {"TXT": ["v=spf1 ip4:192.0.2.1 -all exp=why.example.org"]},
    "why.example.org": {"TXT": ["not from there"]},
    "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject"]},
    "s._domainkey.example.org": {"TXT": [ED25519.record()]},
}
MESSAGE = b"From: joe@example.org\nSubject: lunch\n\nSalad?\n"


@pytest.mark.parametrize(
    ("is_signed", "ip", "status", "lines"),
    [
        (True, "192.0.2.1", 0, ["  pass: DKIM of example.org and SPF of example.org are aligned with example.org"]),
        (False, "192.0.2.9", 1, ["  none: there is no signature", "    the domain's explanation: not from there"]),
        (False, "", 1, ["  none: there are no ARC sets", "  fail: example.org wants reject; SPF gave none"]),
    ],
)
def test_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], is_signed: bool, ip: str, status: int, lines: list[str]
) -> None:
    path = tmp_path / "message.eml"
    path.write_bytes(sign(MESSAGE, Signer("example.org", "s", ED25519)) if is_signed else MESSAGE)
    arguments = [str(path), "--ip", ip, "--helo", "mx.example.org", "--from", "joe@example.org", "--rfc7489"]
    assert main(arguments, StaticResolver(ZONE)) == status
    printed = capsys.readouterr().out.splitlines()
    for line in lines:
        assert line in printed


def test_records_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.eml").write_bytes(MESSAGE)
    (tmp_path / "zone").write_text('_dmarc.example.org TXT "v=DMARC1; p=reject"\n')
    assert main([str(tmp_path / "m.eml"), "--dns", str(tmp_path / "zone")]) == 1
    assert "  fail: example.org wants reject; SPF gave none\n" in capsys.readouterr().out


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(MESSAGE)))
    assert main(["-"], StaticResolver({})) == 0
    assert "  none: there is no DMARC record for example.org\n" in capsys.readouterr().out


def test_the_system_has_no_resolver(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object) -> None:
        raise dns.resolver.NoResolverConfiguration("cannot open /etc/resolv.conf")  # type: ignore[no-untyped-call]

    monkeypatch.setattr(dns.asyncresolver, "Resolver", fail)
    with pytest.raises(SystemExit):
        main(["/dev/null"])
    assert "cannot open /etc/resolv.conf: give --dns" in capsys.readouterr().err


WRONG = [
    ["/nonexistent/file"],
    ["--ip", "nonsense", "/dev/null"],
    [],
    ["/dev/null", "--dns", "/nonexistent/file"],
    ["/dev/null", "--dns", __file__],
]


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_arguments(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments, StaticResolver(ZONE))
    assert ended.value.code == 2
