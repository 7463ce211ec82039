from __future__ import annotations

import asyncio
import base64
import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eximious.mailauth.dkim import Fault, Policy, PrivateKey, Result, Signer, Verification, Verifier, sign, verify
from eximious.mailauth.dkim import key as keys
from eximious.mailauth.dkim.verify import ABSENT
from eximious.mailauth.message import split
from eximious.mailauth.resolver import StaticResolver
from tests.mailauth.keys import ED25519, RSA, ed25519, rsa

NOW = 1_800_000_000
MESSAGE = (
    b"From: Joe <joe@example.org>\r\nTo: jane@example.com\r\nSubject: the  lunch\r\n of today\r\n"
    b"Received: by a\r\nReceived: by b\r\n\r\nSalad?  \r\nOr\tnot?\r\n\r\n\r\n"
)
RECORD = RSA.record()
ZONE: dict[str, Any] = {
    "s._domainkey.example.org": {"TXT": [RECORD]},
    "e._domainkey.example.org": {"TXT": [ED25519.record()]},
}


def with_key(text: str | None, name: str = "s._domainkey.example.org") -> StaticResolver:
    return StaticResolver({name: {"TXT": None if text is None else [text]}})


def signed(key: PrivateKey = RSA, message: bytes = MESSAGE, **options: Any) -> bytes:
    selector = options.pop("selector", "s")
    return sign(message, Signer("example.org", selector, key, **options), now=NOW)


def verified(message: bytes, resolver: Any = None, **options: Any) -> tuple[Verification, ...]:
    return asyncio.run(verify(message, resolver or StaticResolver(ZONE), now=options.pop("now", NOW), **options))


@pytest.mark.parametrize("key", ["rsa", "ed25519"])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("body", [True, False])
@pytest.mark.parametrize("length", [None, 0, 10, 10_000])
def test_there_and_back(key: str, header: bool, body: bool, length: int | None) -> None:
    private, selector = (RSA, "s") if key == "rsa" else (ED25519, "e")
    message = signed(private, selector=selector, is_header_relaxed=header, is_body_relaxed=body, length=length)
    [found] = verified(message)
    assert found.result is Result.PASS, found
    assert found.trace[0].startswith(f"key at {selector}._domainkey.example.org: {key}")
    assert all(len(line) <= 78 for line in message.partition(b"From:")[0].split(b"\r\n"))


CHANGES = [
    (b"Salad?", b"Soup?", Result.FAIL, Fault.BODY_HASH),
    (b"the  lunch", b"the dinner", Result.FAIL, Fault.SIGNATURE),
    (b"the  lunch\r\n of", b"the lunch of", Result.PASS, None),
    (b"Salad?  \r\nOr\tnot?\r\n\r\n", b"Salad?\r\nOr  not? ", Result.PASS, None),
    (b"From: Joe", b"From: Eve <eve@evil.example>\r\nFrom: Joe", Result.FAIL, Fault.SIGNATURE),
    (b"Received: by a", b"Received: by x\r\nReceived: by a", Result.PASS, None),
    (b"v=1;", b"v=2;", Result.NEUTRAL, Fault.SYNTAX),
    (b"v=1;", b"", Result.NEUTRAL, Fault.SYNTAX),
    (b"v=1;", b"v=1; v=1;", Result.NEUTRAL, Fault.SYNTAX),
    (b"v=1;", b"v=1; nonsense;", Result.NEUTRAL, Fault.SYNTAX),
    (b"d=example.org", b"d=exa mple.org", Result.NEUTRAL, Fault.SYNTAX),
    (b"d=example.org", b"d=example.com", Result.PERMERROR, Fault.NO_KEY),
    (b"d=example.org", b"d=example.org; i=joe@example.com", Result.NEUTRAL, Fault.SYNTAX),
    (b"s=s;", b"s=..;", Result.NEUTRAL, Fault.SYNTAX),
    (b"s=s;", b"s=s; q=carrier/pigeon;", Result.NEUTRAL, Fault.SYNTAX),
    (b"s=s;", b"s=s; l=99999999999999999999;", Result.FAIL, Fault.BODY_HASH),
    (b"s=s;", b"s=s; l=-1;", Result.NEUTRAL, Fault.SYNTAX),
    (b"s=s;", b"s=s; x=1;", Result.NEUTRAL, Fault.SYNTAX),
    (b"a=rsa-sha256", b"a=rsa-md5", Result.NEUTRAL, Fault.SYNTAX),
    (b"a=rsa-sha256", b"a=ed25519-sha256", Result.PERMERROR, Fault.KEY_MISUSED),
    (b"c=relaxed/relaxed", b"c=loose", Result.NEUTRAL, Fault.SYNTAX),
    (b"bh=", b"bh=!", Result.NEUTRAL, Fault.SYNTAX),
    (b"h=Subject:", b"h=", Result.FAIL, Fault.SIGNATURE),
]


@pytest.mark.parametrize(("old", "new", "result", "fault"), CHANGES)
def test_changed(old: bytes, new: bytes, result: Result, fault: Fault | None) -> None:
    message = signed()
    assert old in message
    [found] = verified(message.replace(old, new, 1))
    assert (found.result, found.fault) == (result, fault), found


@pytest.mark.parametrize(
    ("text", "result", "fault"),
    [
        (RECORD, Result.PASS, None),
        (RECORD.replace("v=DKIM1; ", ""), Result.PASS, None),
        (RECORD + "; t=y:s; s=email; h=sha1:sha256; n=hello; x=unknown", Result.PASS, None),
        (RECORD.replace("DKIM1", "DKIM2"), Result.PERMERROR, Fault.KEY_SYNTAX),
        ("k=rsa; v=DKIM1; p=", Result.PERMERROR, Fault.KEY_SYNTAX),
        ("v=DKIM1; k=rsa", Result.PERMERROR, Fault.KEY_SYNTAX),
        ("v=DKIM1; p=", Result.PERMERROR, Fault.KEY_REVOKED),
        ("v=DKIM1; p=AAAA", Result.PERMERROR, Fault.KEY_SYNTAX),
        ("v=DKIM1; p=%%%", Result.PERMERROR, Fault.KEY_SYNTAX),
        ("v=DKIM1; k=dsa; p=AAAA", Result.PERMERROR, Fault.KEY_SYNTAX),
        ("v=DKIM1; k=ed25519; p=AAAA", Result.PERMERROR, Fault.KEY_SYNTAX),
        (ED25519.record(), Result.PERMERROR, Fault.KEY_MISUSED),
        (RECORD + "; h=sha1", Result.PERMERROR, Fault.KEY_MISUSED),
        (RECORD + "; s=tlsrpt", Result.PERMERROR, Fault.KEY_MISUSED),
        ("", Result.PERMERROR, Fault.KEY_SYNTAX),
        (None, Result.TEMPERROR, Fault.KEY_UNAVAILABLE),
        ("x" * 65_000, Result.PERMERROR, Fault.KEY_SYNTAX),
    ],
)
def test_keys(text: str | None, result: Result, fault: Fault | None) -> None:
    [found] = verified(signed(), with_key(text))
    assert (found.result, found.fault) == (result, fault), found


def test_strict_key() -> None:
    message = signed(identity="joe@sub.example.org")
    assert verified(message)[0].result is Result.PASS
    assert verified(message, with_key(RECORD + "; t=s"))[0].fault is Fault.KEY_MISUSED


@pytest.mark.parametrize(
    ("now", "options", "fault"),
    [
        (NOW + 3600, {"expire_after": 3600}, None),
        (NOW + 3600 + 300, {"expire_after": 3600}, None),
        (NOW + 3600 + 301, {"expire_after": 3600}, Fault.EXPIRED),
        (NOW - 300, {}, None),
        (NOW - 301, {}, Fault.FUTURE),
        (NOW - 301, {"with_time": False}, None),
    ],
)
def test_times(now: int, options: dict[str, Any], fault: Fault | None) -> None:
    assert verified(signed(**options), now=now)[0].fault is fault


def test_max_age() -> None:
    assert verified(signed(), now=NOW + 101, policy=Policy(max_age=100))[0].fault is Fault.EXPIRED


def test_old_and_weak_are_matters_of_policy() -> None:
    [found] = verified(signed(hash_name="sha1"))
    assert (found.result, found.fault) == (Result.POLICY, Fault.ALGORITHM)
    old = Policy(algorithms=frozenset({"rsa-sha1"}))
    assert verified(signed(hash_name="sha1"), policy=old)[0].result is Result.PASS
    assert verified(signed(hash_name="sha1").replace(b"Salad", b"Soup"))[0].result is Result.FAIL
    small = PrivateKey(rsa(1024))
    policy = Policy(rsa_bits=2048)
    [weak] = verified(signed(small), with_key(small.record()), policy=policy)
    assert (weak.result, weak.fault, weak.detail) == (Result.POLICY, Fault.WEAK_KEY, "1024 bits")


def test_l_leaves_something_out() -> None:
    [found] = verified(signed(length=8) + b"<script>")
    assert (found.result, found.unsigned_octets > 8) == (Result.PASS, True)


def test_several_and_too_many() -> None:
    signers = [Signer("example.org", "s", RSA), Signer("example.org", "e", ED25519)]
    message = sign(MESSAGE, *signers, now=NOW)
    assert [one.result for one in verified(message)] == [Result.PASS, Result.PASS]
    many = b"DKIM-Signature: v=1\r\n" * 1000 + message
    found = verified(many)
    assert len(found) == 200
    assert found[50].fault is Fault.TOO_MANY
    assert verified(MESSAGE) == ()


def test_the_copies_say_what_was_changed() -> None:
    message = signed().replace(b"s=s;", b"s=s; z=Subject:=20the=20=20lunch=0D=0A=20of=20today|From:=20Joe;", 1)
    [found] = verified(message.replace(b"the  lunch", b"[list] the lunch"))
    assert found.fault is Fault.SIGNATURE
    was = 'subject was "the  lunch\r\n of today" when it was signed'
    assert f"{was}, and is [list] the lunch\r\n of today" in found.trace


def test_keys_are_parsed_once() -> None:
    resolver = StaticResolver(ZONE)
    verified(signed(), resolver)
    first = asyncio.run(resolver.query("s._domainkey.example.org", "TXT")).parsed["dkim"]
    assert verified(signed(), resolver)[0].key is first


@given(cuts=st.lists(st.integers(0, 60), max_size=8))
def test_how_the_body_arrives_makes_no_difference(cuts: list[int]) -> None:
    headers, body = split(MESSAGE_BOTH)
    verifier = Verifier(headers, now=NOW)
    last = 0
    for cut in sorted(cuts):
        verifier.feed(body[last:cut])
        last = max(last, cut)
    verifier.feed(body[last:])
    assert [one.result for one in asyncio.run(verifier.verify(StaticResolver(ZONE)))] == [Result.PASS] * 2


MESSAGE_BOTH = sign(
    MESSAGE,
    Signer("example.org", "s", RSA, is_body_relaxed=False, is_header_relaxed=False),
    Signer("example.org", "e", ED25519),
    now=NOW,
)


def test_records_are_frozen() -> None:
    [found] = verified(signed())
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.result = Result.FAIL  # type: ignore[misc]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300))
def test_any_message(data: bytes) -> None:
    signature = b"DKIM-Signature: v=1; a=rsa-sha256; "
    for message in (data, b"DKIM-Signature: " + data, signature + data + b"\r\n" + MESSAGE):
        for one in verified(message):
            assert one.result is not Result.PASS


@given(st.text(st.characters(max_codepoint=255), max_size=200))
def test_any_key(text: str) -> None:
    for record in (text, f"v=DKIM1; {text}", f"p={text}", RECORD + text):
        try:
            keys.parse(record)
        except keys.KeyFault:
            continue


FIELDS = [
    ("v=1; a=rsa-sha256; d=example.org; s=s; h=from; bh=AAAA; b=", "b= is empty"),
    ("v=1; a=rsa-sha256; d=example.org; s=s; h=from; bh=AAAA; b=AAAA; t=5; x=4", "x= is before t="),
    ("v=1; a=rsa-sha256; d=example.org; s=s; h=from::to; bh=AAAA; b=AAAA", "h= is not a list of header fields"),
    ("v=1; a=rsa-sha256; d=example.org; s=s; h=to; bh=AAAA; b=AAAA", "h= does not have From"),
    ("v=1; a=rsa-sha256; d=example.org; s=s; h=from; bh=AAAA; b=AAAA; q=carrier", "q= does not have dns/txt"),
]


@pytest.mark.parametrize(("text", "detail"), FIELDS)
def test_impossible_signatures(text: str, detail: str) -> None:
    [found] = verified(f"DKIM-Signature: {text}\r\n".encode() + MESSAGE)
    assert (found.fault, found.detail) == (Fault.SYNTAX, detail)


def test_times_may_be_left_out() -> None:
    policy = Policy(checks_times=False)
    [found] = verified(signed(expire_after=1), now=NOW * 2, policy=policy)
    assert (found.result, found.selector) == (Result.PASS, "s")


def test_the_signatures_of_a_verifier() -> None:
    headers, _ = split(signed())
    assert [one.key_name for one in Verifier(headers).signatures] == ["s._domainkey.example.org"]
    assert repr(Verifier(headers).signatures[0]) == "Signature(d='example.org', s='s', a='rsa-sha256')"


def test_what_is_missing_is_named() -> None:
    oversigned = signed(headers=["+from", "+subject", "reply-to"])
    [found] = verified(oversigned.replace(b"the  lunch", b"no lunch"))
    assert found.trace[-1] == f"{ABSENT}: reply-to"
    complete = signed(headers=["from", "subject"])
    [found] = verified(complete.replace(b"the  lunch", b"no lunch"))
    assert not any(line.startswith(ABSENT) for line in found.trace)


def test_keys_in_other_forms() -> None:
    from cryptography.hazmat.primitives import serialization

    data = (
        ed25519().public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    record = "v=DKIM1; k=ed25519; p=" + base64.b64encode(data).decode()
    [found] = verified(signed(ED25519), with_key(record))
    assert found.result is Result.PASS, found
    assert not keys.parse("v=DKIM1; p=").verify(b"", b"", b"", "sha256")


def test_a_key_of_another_kind() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    pem = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(keys.KeyFault, match="neither RSA nor Ed25519"):
        PrivateKey.load(pem)
