"""The smtp transport signs: what arrives is what was signed, whatever is odd about its lines."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eximious.mailauth import arc, dkim
from eximious.mailauth.message import split
from eximious.mailauth.resolver import StaticResolver
from eximious.send.dkim_sign import LOG_NAMES
from tests.deliver.place import Place
from tests.mailauth.keys import ED25519, RSA, ed25519, pem, rsa
from tests.send.servers import ScriptedServer
from tests.send.test_delivery import PLAIN, ROUTERS, TRANSPORTS

RESOLVER = StaticResolver(
    {
        "r._domainkey.sender.example": {"TXT": [RSA.record()]},
        "e._domainkey.sender.example": {"TXT": [ED25519.record()]},
        "e._domainkey.list.example": {"TXT": [ED25519.record()]},
    }
)
SIGN = """
  dkim_domain = ${{lc:SENDER.example}}
  dkim_selector = {selectors}
  dkim_private_key = {keys}/$dkim_selector
"""
Send = Callable[..., tuple[bytes, Place]]


@pytest.fixture
def send(tmp_path: Path) -> Iterator[Send]:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "r").write_bytes(pem(rsa()))
    (keys / "e").write_bytes(pem(ed25519()))
    (keys / "bad").write_text("secret")
    made: list[Place] = []

    def deliver(
        options: str,
        text: bytes = b"text\n",
        script: str = PLAIN,
        main: str = "",
        recipients: tuple[str, ...] = ("a@far.example",),
    ) -> tuple[bytes, Place]:
        with ScriptedServer(*([script] if script else [])) as server:
            place = Place(
                tmp_path,
                main=main,
                routers=ROUTERS.format(hosts=f"127.0.0.1::{server.port}"),
                transports=TRANSPORTS.format(options=options.replace("{keys}", str(keys))),
                retry="* * F,1h,10m",
            )
            made.append(place)
            place.send(*recipients, text=text)
        if not server.texts:
            return b"", place
        return server.texts[0][:-3].replace(b"\r\n..", b"\r\n."), place

    yield deliver
    for each in made:
        each.close()


@pytest.mark.parametrize("text", [b"text\n", b"", b"..two\nbare\rcr\n.\nend", b"\n\n\n", b"line \t\n" * 100_000])
@pytest.mark.parametrize("form", ["relaxed", "simple"])
def test_what_arrives_was_signed(send: Send, text: bytes, form: str) -> None:
    received, place = send(
        SIGN.format(selectors="r : e", keys="{keys}") + f"  dkim_canon = {form}\n",
        text,
        main="log_selector = +dkim_verbose",
    )
    found = asyncio.run(dkim.verify(received, RESOLVER))
    assert [str(one) for one in found] == [
        "pass: d=sender.example s=r a=rsa-sha256",
        "pass: d=sender.example s=e a=ed25519-sha256",
    ]
    assert found[0].signature.canonicalization == f"{form}/{form}"
    assert " DKIM=sender.example:r:sender.example:e C=" in place.log[0]


def test_options(send: Send) -> None:
    options = SIGN.format(selectors="r", keys="{keys}") + (
        "  dkim_hash = sha512\n  dkim_identity = joe@sub.sender.example\n  dkim_timestamps = 3600\n"
        "  dkim_sign_headers = +from:=subject:to\n"
    )
    received, _ = send(options)
    [signature] = dkim.Verifier(split(received)[0]).signatures
    assert signature.algorithm == "rsa-sha512"
    assert signature.identity == "joe@sub.sender.example"
    assert signature.headers == (b"subject", b"from", b"to")
    assert signature.signed_at is not None
    assert signature.expires == signature.signed_at + 3600


@pytest.mark.parametrize("key", ["0", "false", ""])
def test_no_key_no_signature(send: Send, key: str) -> None:
    received, place = send(f"  dkim_domain = x\n  dkim_selector = y\n  dkim_private_key = ${{if true{{{key}}}}}\n")
    assert received.startswith(b"Received:")
    assert "Completed" in place.log


NO_FILE = "unable to open file '{keys}/missing' for reading: No such file or directory"
NO_KEY = "privkey PEM-block import: error:1E08010C:DECODER routines::unsupported"
CANNOT = [
    ("  dkim_selector = missing\n", [NO_FILE], ""),
    ("  dkim_selector = bad\n", [f"signing_init: {NO_KEY}", "DKIM: signing failed: PRIVKEY"], NO_KEY),
    ("  dkim_private_key = secret\n", [f"signing_init: {NO_KEY}", "DKIM: signing failed: PRIVKEY"], NO_KEY),
    ("  dkim_hash = SHA256\n", ["DKIM: unrecognised hashname 'SHA256'"], ""),
    ("  dkim_identity = a@other.example\n", ["DKIM: sender.example: the identity is not in the signing domain"], ""),
    ("  dkim_timestamps = 1d\n", ['DKIM: dkim_timestamps "1d" is no number'], ""),
]
CANNOT += [
    (f"  {option} = ${{if eq{{a}}{{b}}{{x}}fail}}\n", [text], text)
    for option in (
        "dkim_domain",
        "dkim_selector",
        "dkim_private_key",
        "dkim_canon",
        "dkim_hash",
        "dkim_timestamps",
        "dkim_sign_headers",
        "dkim_identity",
    )
    for text in (f'failed to expand {LOG_NAMES.get(option, option)}: "if" failed and "fail" requested',)
]


def without(options: str, changed: str) -> str:
    """The options, less the one that is set again."""
    return "".join(f"{line}\n" for line in options.splitlines() if line.split("=")[0] != changed.split("=")[0])


@pytest.mark.parametrize(("option", "logged", "reason"), CANNOT)
@pytest.mark.parametrize("is_strict", [False, True])
def test_what_cannot_be_signed(
    send: Send, tmp_path: Path, option: str, logged: list[str], reason: str, is_strict: bool
) -> None:
    strict = "  dkim_strict = true\n" if is_strict else ""
    script = PLAIN.partition("*data")[0] if is_strict else PLAIN
    received, place = send(without(SIGN.format(selectors="r", keys="{keys}"), option) + option + strict, script=script)
    logged = [line.replace("{keys}", "FOLDER/keys") for line in logged]
    assert place.log[: len(logged)] == logged
    text = "".join(path.read_text() for path in tmp_path.glob("*log"))
    assert "secret" not in text
    if not is_strict:
        assert received.startswith(b"Received:")
        return
    assert not received
    failed = f"smtp send to 127.0.0.1 [127.0.0.1] failed: {reason}"
    assert place.log[len(logged) :] == [
        "DKIM: message could not be signed, and dkim_strict is set. Deferring message delivery.",
        f"H=127.0.0.1 [127.0.0.1]: {failed}: Permission denied",
        f"== a@far.example R=remote T=smtp defer (13): Permission denied H=127.0.0.1 [127.0.0.1]: {failed}",
    ]


def test_an_unknown_form(send: Send) -> None:
    received, place = send(SIGN.format(selectors="r", keys="{keys}") + "  dkim_canon = Simple\n")
    assert b"c=relaxed/relaxed;" in received
    assert place.log[0] == "DKIM: unknown canonicalization method 'Simple', defaulting to 'relaxed'."


def test_arc(send: Send) -> None:
    results = "  headers_add = Authentication-Results: list.example; spf=pass\n"
    options = results + "  arc_sign = list.example : e : {keys}/e : timestamps\n"
    received, _ = send(options)
    chain = asyncio.run(arc.validate(received, RESOLVER))
    assert str(chain) == "pass: 1 set, sealed by list.example"
    assert chain.links[0].signed_at is not None


TO_A = "? RCPT TO:<a@far.example>\n250 ok\n"
TO_BOTH = "? RCPT TO:<a@far.example>\n{first}\n? RCPT TO:<b@far.example>\n250 ok\n"


@pytest.mark.parametrize("first", ["250 ok", "550 no"])
def test_the_first_address_shows_the_signatures(send: Send, first: str) -> None:
    _, place = send(
        SIGN.format(selectors="r", keys="{keys}"),
        script=PLAIN.replace(TO_A, TO_BOTH.format(first=first)),
        main="log_selector = +dkim_verbose",
        recipients=("a@far.example", "b@far.example"),
    )
    delivered = {line[3:16]: "DKIM=sender.example:r" in line for line in place.log if "@far.example R=" in line}
    assert delivered == {"a@far.example": first == "250 ok", "b@far.example": False}


SEALED = [
    ("list.example : e : {keys}/e", "i=1; cv=none; a=ed25519-sha256; d=list.example; s=e;", []),
    ("list.example : r : {keys}/r", "i=1; cv=none; a=rsa-sha256; d=list.example; s=r;", []),
    (
        "list.example : e : {keys}/e : timestamps, expire=+60",
        "i=1; cv=none; a=ed25519-sha256; d=list.example; s=e; t=",
        [],
    ),
    ("other.example : e : {keys}/e", "", ["ARC: no Authentication-Results header for signing"]),
    ("list.example : e : {keys}/bad", "", [f"ARC: AMS signing: {NO_KEY}"]),
    ("list.example : e : {keys}/missing", "", ["ARC: " + NO_FILE.format(keys="FOLDER/keys")]),
    ("list.example : e", "", ["ARC: arc_sign needs an identity, a selector and a key"]),
    ("list.example : e : {keys}/e : odd", "", ['ARC: arc_sign has no option "odd"']),
    ("${if eq{a}{b}{x}fail}", "", []),
    ("", "", []),
]


@pytest.mark.parametrize(("option", "seal", "logged"), SEALED)
def test_sealing(send: Send, option: str, seal: str, logged: list[str]) -> None:
    results = "  headers_add = Authentication-Results: list.example; spf=pass\\nX-Other: y\n"
    received, place = send(results + f"  arc_sign = {option}\n")
    assert place.log[: len(place.log) - 2] == logged
    assert received.startswith(f"ARC-Seal: {seal}".encode()) if seal else b"ARC-Seal" not in received
    if "expire" in option:
        times = [int(time) for time in re.findall(rb"\b[tx]=(\d+);", received)]
        assert times[1:] == [times[0], times[0] + 60]
