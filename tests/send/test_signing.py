"""The smtp transport signs: what arrives is what was signed, whatever is odd about its lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eximious.mailauth import arc, dkim
from eximious.mailauth.message import split
from eximious.mailauth.resolver import StaticResolver
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


@pytest.mark.parametrize("selector", ["bad", "missing"])
def test_a_key_that_is_of_no_use(send: Send, selector: str, tmp_path: Path) -> None:
    received, _ = send(SIGN.format(selectors=selector, keys="{keys}"))
    assert received.startswith(b"Received:")
    logged = "".join(path.read_text() for path in tmp_path.glob("*log"))
    assert "DKIM signing: " in logged
    assert "secret" not in logged


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
