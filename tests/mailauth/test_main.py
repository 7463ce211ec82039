from __future__ import annotations

from pathlib import Path

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


@pytest.mark.parametrize("arguments", [["/nonexistent/file"], ["--ip", "nonsense", "/dev/null"], []])
def test_wrong_arguments(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments, StaticResolver(ZONE))
    assert ended.value.code == 2
