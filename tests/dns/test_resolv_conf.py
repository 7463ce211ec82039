from __future__ import annotations

from pathlib import Path

import pytest

from eximious.dns.resolv_conf import parse, read, stamp


def test_everything() -> None:
    conf = parse(
        "# comment\nnameserver 192.0.2.1\nnameserver 2001:db8::1 ; more\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n"
        "domain old.example\nsearch a.example. b.example\n"
        "options ndots:99 timeout:2 attempts:9 rotate edns0 trust-ad use-vc foo timeout:x\nnonsense\n",
        "host.other.example",
    )
    assert conf.servers == [("192.0.2.1", 53), ("2001:db8::1", 53), ("192.0.2.3", 53)]
    assert conf.search == ["a.example", "b.example"]
    assert (conf.ndots, conf.timeout, conf.attempts) == (15, 2.0, 5)
    assert conf.rotate
    assert conf.edns0
    assert conf.trust_ad
    assert conf.use_tcp


def test_nothing() -> None:
    conf = parse("", "host.example.org")
    assert conf.servers == [("127.0.0.1", 53)]
    assert conf.search == ["example.org"]
    assert (conf.ndots, conf.timeout, conf.attempts) == (1, 5.0, 2)
    assert not conf.trust_ad
    assert parse("domain a.example").search == ["a.example"]
    assert parse("").search == []


def test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "resolv.conf"
    assert stamp(str(path)) is None
    assert read(str(path)).servers == [("127.0.0.1", 53)]
    path.write_text("nameserver 192.0.2.1\n")
    monkeypatch.setenv("RES_OPTIONS", "attempts:1")
    conf = read(str(path))
    assert (conf.servers, conf.attempts) == ([("192.0.2.1", 53)], 1)
    assert stamp(str(path)) is not None
