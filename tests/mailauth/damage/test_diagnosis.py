"""Messages that were signed, then changed: what is said to have happened."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eximious.mailauth.damage import Diagnosis, diagnose
from eximious.mailauth.damage.change import shown
from eximious.mailauth.dkim import PrivateKey, Signer, Verification, sign, verify
from eximious.mailauth.message import split
from eximious.mailauth.resolver import StaticResolver
from tests.mailauth.keys import ED25519, RSA, rsa

NOW = 1_800_000_000
MESSAGE = (
    b"From: Joe Doe <joe@example.org>\r\nTo: jane@example.com, jim@example.com\r\nSubject: Lunch today\r\n"
    b"Date: Mon, 2 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n"
    b"Salad?\r\n\r\nFrom here to there,\r\n.dots\r\nJoe\r\n"
)
MULTIPART = (
    b"From: joe@example.org\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nfirst\r\n--b\r\nContent-Type: text/plain\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\nl\xc3\xa4st\r\n--b--\r\n"
)
# Two words of one sentence.
HERE = "without this the body is as it was signed"
THERE = "without this the header is as it was signed"


def signed(message: bytes = MESSAGE, key: PrivateKey = RSA, **options: Any) -> bytes:
    return sign(message, Signer("example.org", "s", key, **options), now=NOW)


def broken(message: bytes, key: PrivateKey = RSA) -> tuple[Verification, Diagnosis]:
    resolver = StaticResolver({"s._domainkey.example.org": {"TXT": [key.record()]}})
    [found] = asyncio.run(verify(message, resolver, now=NOW))
    assert found.fault is not None, "the message was to be damaged"
    assert found.key is not None
    headers, body = split(message)
    return found, diagnose(found.signature, found.key, headers, body)


RELAXED: dict[str, Any] = {}
SIMPLE: dict[str, Any] = {"is_header_relaxed": False, "is_body_relaxed": False}
BODIES = [
    (RELAXED, rb"\Z", b"-- \r\nour list\r\n", '2 lines added at the end, from "our list" on'),
    (RELAXED, rb"Joe\r\n\Z", b"Joe\r\n\r\n\r\nour list\r\n", '3 lines added at the end, from "our list" on'),
    (RELAXED, rb"(?m)^Salad", b"[EXTERNAL]\r\n\r\nSalad", '2 lines added at the beginning, from "[EXTERNAL]" on'),
    (RELAXED, rb"(?m)^From here", b">From here", 'lines that begin with "From " were escaped with ">"'),
    (RELAXED, rb"(?m)^\.dots", b"..dots", "dots at the beginning of lines were doubled"),
    (RELAXED, rb"(?m)^\.dots", b"dots", "the first of two dots"),
    (SIMPLE, rb"Salad\?", b"Salad? \t", "white space was added at the ends of lines"),
    (RELAXED, rb"here to", b"here t!\r\n o", 'long lines were broken with "!"'),
    (RELAXED, rb"Salad\?", b"Soup?", None),
]  # fmt: skip


@pytest.mark.parametrize(("options", "old", "new", "sentence"), BODIES)
@pytest.mark.parametrize("key", [RSA, ED25519])
def test_body(options: dict[str, Any], old: bytes, new: bytes, sentence: str | None, key: PrivateKey) -> None:
    message = signed(key=key, **options)
    damaged = re.sub(old, new.replace(b"\\", rb"\\"), message, count=1)
    if sentence is not None and sentence.startswith("the first of two dots"):
        damaged = re.sub(rb"(?m)^\.dots", b".dots", signed(MESSAGE.replace(b".dots", b"..dots")), count=1)
        damaged, key = damaged.replace(b"\r\n..dots", b"\r\n.dots"), RSA
    _, found = broken(damaged, key)
    assert (found.is_body_intact, found.is_header_intact) == (False, True)
    if sentence is None:
        assert "none of the usual changes explains the body" in found.lines
    else:
        [change] = found.changes
        assert change.text.startswith(sentence)
        assert found.lines[1] == f"{change} ({HERE})"
    assert found.lines[0] == "the signed header is as it was; only the body was changed"
    assert found.remedy


def test_an_empty_body_was_signed() -> None:
    message = signed(split_off(MESSAGE)) + b"text\r\n"
    assert broken(message)[1].changes[0].text == "the body was empty when it was signed"


def split_off(message: bytes) -> bytes:
    return message.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def test_cut_off() -> None:
    message = signed(length=30)
    found = broken(message[: -len(b".dots\r\nJoe\r\n") - 10])[1]
    assert found.changes[0].text == "the end of the body was cut off: l= is 30"


PARTS = [
    (rb"first\r\n", b"first\r\n-- \r\nour list\r\n", '2 lines added at the end of a part, from "our list" on'),
    (rb"first\r\n", b"CAUTION\r\n\r\nfirst\r\n", '2 lines added at the beginning of a part, from "CAUTION" on'),
    (rb"--b\r\nContent", b"--b\r\n\r\nmore\r\n--b\r\nContent", "3 lines added as a part of its own"),
    (rb"8bit\r\n\r\nl\xc3\xa4st", b"quoted-printable\r\n\r\nl=C3=A4st", "parts were encoded on the way"),
    (
        rb"8bit\r\n\r\nl\xc3\xa4st",
        b"base64\r\n\r\nbMOkc3Q=",
        "parts were encoded on the way",
    ),
]


@pytest.mark.parametrize(("old", "new", "sentence"), PARTS)
def test_parts(old: bytes, new: bytes, sentence: str) -> None:
    found = broken(re.sub(old, new, signed(MULTIPART), count=1))[1]
    assert found.is_header_intact
    assert found.changes[0].text.startswith(sentence), found


HEADERS = [
    (RELAXED, b"Lunch", b"[l] Lunch", 'Subject got "[l]" added: it was "Lunch today" and is now "[l] Lunch today"'),
    (RELAXED, b"Lunch", b"***SPAM*** Lunch", 'Subject got "***SPAM***" added'),
    (RELAXED, b"Lunch", b"Possible spam: Lunch", 'Subject got "Possible spam:" added'),
    (RELAXED, b"today", b"today (was: x)", 'Subject got "(was: x)" added'),
    (RELAXED, b"From:", b"Subject: second\r\nFrom:", 'Subject "second" was added'),
    (RELAXED, b"From:", b"Reply-To: l@l.example\r\nFrom:", 'Reply-To "l@l.example" was added, and the signer had'),
    (RELAXED, b"Joe Doe <", b'"Joe Doe" <', "From got quotes around the name"),
    (RELAXED, b"Joe Doe <", b"=?utf-8?Q?Joe_Doe?= <", "From was encoded (RFC 2047)"),
    (RELAXED, b"2 Nov", b"02 Nov", "Date got a day of two digits"),
    (RELAXED, b"+0000", b"+0000 (UTC)", "Date got a zone's name"),
    (RELAXED, b"charset=utf-8", b'charset="utf-8"', "Content-Type got quotes around parameters"),
    (RELAXED, b"Encoding: 8bit", b"Encoding: binary", "Content-Transfer-Encoding was 8bit"),
    (RELAXED, b", jim", b",jim", "To lost spaces after commas"),
    (SIMPLE, b", jim", b",\r\n jim", "To was folded or spaced in another way"),
    (SIMPLE, b"MIME-Version", b"Mime-Version", 'the name of the field was "MIME-Version"'),
    (
        RELAXED,
        b"From: Joe Doe <joe@example.org>",
        b"From: Joe via l <l@l.example>\r\nX-Original-From: Joe Doe <joe@example.org>",
        'From was "Joe Doe <joe@example.org>", as X-Original-From has it, and is now "Joe via l <l@l.example>"',
    ),
    (RELAXED, b"Lunch today", b"Nothing of it", None),
]  # fmt: skip


@pytest.mark.parametrize(("options", "old", "new", "sentence"), HEADERS)
@pytest.mark.parametrize("key", [RSA, ED25519])
def test_header(options: dict[str, Any], old: bytes, new: bytes, sentence: str | None, key: PrivateKey) -> None:
    head, fields = signed(key=key, **options).split(b"\r\nFrom:", 1)
    damaged = head + b"\r\n" + (b"From:" + fields).replace(old, new, 1)
    _, found = broken(damaged, key)
    assert (found.is_body_intact, found.is_header_intact) == (True, False)
    assert found.is_key_right is (True if key is RSA else None)
    if sentence is None:
        assert found.lines[-1] == "none of the usual changes explains the header"
    else:
        [change] = found.changes
        assert change.text.startswith(sentence)
        assert found.lines[-1] == f"{change} ({THERE})"
    assert found.remedy


def test_what_a_list_does() -> None:
    """Several changes at once: a tag, a footer, fields of its own."""
    damaged = signed().replace(
        b"Subject: Lunch", b"List-Id: <l.list.example>\r\nList-Post: <mailto:l@x>\r\nSubject: [l] Lunch"
    )
    _, found = broken(damaged + b"-- \r\nour list\r\n")
    assert [change.part for change in found.changes] == ["body", "list-id", "list-post", "subject"]
    assert "without these the header is as it was signed" in found.lines


def test_two_fields_changed() -> None:
    _, found = broken(signed().replace(b"2 Nov", b"02 Nov").replace(b"Lunch", b"[l] Lunch"))
    assert {change.part for change in found.changes} == {"subject", "date"}


def test_wrapped_by_a_list() -> None:
    plain = MESSAGE.replace(b"text/plain; charset=utf-8", b"text/plain").replace(b"MIME-Version: 1.0\r\n", b"")
    head, body = signed(plain).split(b"\r\n\r\n", 1)
    head = head.replace(b"Content-Type: text/plain", b'Content-Type: multipart/mixed; boundary="x"')
    inner = b"--x\r\nContent-Type: text/plain\r\n\r\n" + body + b"\r\n--x\r\n\r\nfooter\r\n--x--\r\n"
    _, found = broken(head + b"\r\n\r\n" + inner)
    assert found.changes[0].text == "the body became the first part of a multipart message, as lists do to add a text"
    assert found.changes[1].text.startswith('Content-Type was "text/plain", as the first part has it,')


def test_another_key() -> None:
    message = signed(key=PrivateKey(rsa(1024)))
    _, found = broken(message)
    assert found.is_key_right is False
    assert found.lines == ("the signature was not made with the published key, or was itself damaged",)
    assert found.remedy.startswith("publish the public key")


def test_another_canonicalization() -> None:
    message = signed(MESSAGE.replace(b"Salad?", b"Salad?  "), is_body_relaxed=False)
    _, found = broken(message.replace(b"relaxed/simple", b"relaxed/relaxed"))
    assert found.changes[0].text == "the signer says relaxed in c= for the body, but hashed its simple form"


HUGE = {
    "lines that look like boundaries": b"--a--\r\n--a\r\n" * 20_000,
    "different boundaries": b"".join(b"--%d\r\n--%d--\r\n" % (n, n) for n in range(20_000)),
    "short lines": b"x\r\n" * 100_000,
    "one line": b"y" * 2_000_000,
    "spaces": b" " * 2_000_000 + b"x",
    "spaces before line ends": (b" " * 1000 + b"x" + b" " * 1000 + b"\r\n") * 1000,
    "encoded parts": b"--a\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n" * 20_000,
    "line ends": b"\r\n" * 500_000 + b"x",
    "dots": b".\r\n" * 100_000,
    "carriage returns": b"\r" * 1_000_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HUGE)
def test_bodies_cost_seconds_at_most(name: str) -> None:
    message = signed()
    started = time.process_time()
    for damaged in (message + HUGE[name], message.replace(b"Salad", b"Soup") + HUGE[name]):
        broken(damaged)
    assert time.process_time() - started < 20


VALUES = [
    (b"Subject: ", b"".join(b"[%d] " % n for n in range(20_000))),
    (b"Subject: ", b"=?utf-8?q?a?= " * 10_000),
    (b"Subject: ", b"=?a*" * 30_000),
    (b"Subject: ", b" " * 100_000 + b"x"),
    (b"From: ", b"a " * 50_000),
    (b"From: ", b" " * 100_000 + b"x"),
    (b"From: ", b"<" * 100_000),
    (b"To: ", b"a@b, " * 20_000),
    (b"To: ", b"x\r\n " * 30_000),
    (b"Date: ", b" (" * 50_000),
    (b"Content-Type: ", b";a=b" * 30_000),
]


@pytest.mark.slow
@pytest.mark.parametrize(("field", "value"), VALUES)
def test_fields_cost_seconds_at_most(field: bytes, value: bytes) -> None:
    head, fields = signed(key=ED25519).split(b"\r\nFrom:", 1)
    damaged = head + b"\r\n" + (b"From:" + fields).replace(field, field + value, 1)
    started = time.process_time()
    broken(damaged, ED25519)
    assert time.process_time() - started < 10


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=30)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_damage(first: bytes, second: bytes) -> None:
    head, _, body = signed(key=ED25519).partition(b"\r\nFrom:")
    message = head + b"\r\nSubject: " + first + b"\r\nFrom:" + body + second
    for line in broken(message, ED25519)[1].lines:
        assert line.isprintable()


def test_shown() -> None:
    assert shown(b" a\r\n\tb\x00 ") == '"a b?"'
    assert shown(b"x" * 200) == '"' + "x" * 100 + '..."'


LISTS = {
    "From is the list's, the author in Reply-To": (
        b"From: Joe Doe via l <l@list.example>\r\nReply-To: Joe Doe <joe@example.org>\r\n",
        {"from", "reply-to"},
    ),
    "From is the list's, the author in Cc": (
        b"From: Joe Doe via l <l@list.example>\r\nCc: Joe Doe <joe@example.org>\r\n",
        {"from", "cc"},
    ),
    "From is as it was": (b"From: Joe Doe <joe@example.org>\r\nReply-To: l@list.example\r\n", {"reply-to"}),
}


@pytest.mark.parametrize("key", [RSA, ED25519])
@pytest.mark.parametrize("name", LISTS)
def test_whole_lists(name: str, key: PrivateKey) -> None:
    """Everything that Mailman does to a message."""
    fields, parts = LISTS[name]
    message = signed(key=key)
    message = message.replace(b"\r\nFrom: Joe Doe <joe@example.org>\r\n", b"\r\n" + fields)
    message = message.replace(b"Subject: Lunch", b"Subject: [l] Lunch")
    added = b"Precedence: list\r\nList-Id: <l.list.example>\r\nSender: l-bounces@list.example\r\nErrors-To: x@y\r\n"
    _, found = broken(added + message + b"_______________\r\nour list\r\n", key)
    assert {change.part for change in found.changes} == {"body", "list-id", "sender", "subject", *parts}, found.lines


def subject(value: bytes) -> bytes:
    return MESSAGE.replace(b"Lunch today", value)


WORDS = [
    (b"h\xc3\xa4", b"=?utf-8?b?aMOk?=", "Subject was encoded (RFC 2047)"),
    (b"=?UTF-8?B?aMOk?=", b"h\xc3\xa4", "Subject was decoded (RFC 2047)"),
    (b"=?UTF-8?B?aMOk?=", b"=?utf-8?Q?h=C3=A4?=", "Subject was encoded anew (RFC 2047)"),
    (b"=?utf-8?q?h=C3=A4?=", b"=?utf-8?b?aMO?= =?utf-8?b?pA==?=", None),  # divided within a character
    (b"x", b"=?nonsense?b?aMOk?=", None),
]


@pytest.mark.parametrize(("old", "new", "sentence"), WORDS)
def test_encoded_words(old: bytes, new: bytes, sentence: str | None) -> None:
    message = signed(subject(old))
    found = broken(message.replace(b"Subject: " + old, b"Subject: " + new))[1]
    assert [change.text.startswith(sentence or "?") for change in found.changes] == ([True] if sentence else [])


@pytest.mark.parametrize(("old", "new", "sentence"), [
    (b"<jane@example.com>", b"jane@example.com", "To lost the brackets around the address"),
    (b"jane@example.com", b"<jane@example.com>", "To got brackets around the address"),
    (b"jane@example.com", b"Jane <jane@example.com>", "To got a name and brackets for the address"),
])  # fmt: skip
def test_brackets(old: bytes, new: bytes, sentence: str) -> None:
    message = signed(MESSAGE.replace(b"jane@example.com, jim@example.com", old))
    [change] = broken(message.replace(b"To: " + old, b"To: " + new))[1].changes
    assert change.text.startswith(sentence)


@pytest.mark.parametrize(("name", "body"), [
    (b"quoted-printable", b"Sal=C3=A4t?\r\n"),
    (b"base64", b"U2Fsw6R0Pwo=\r\n"),
])  # fmt: skip
def test_transfer_encoding(name: bytes, body: bytes) -> None:
    head, _, _ = MESSAGE.partition(b"\r\n\r\n")
    message = signed(head + b"\r\n\r\nSal\xc3\xa4t?\r\n").replace(b"Sal\xc3\xa4t?\r\n", body)
    found = broken(message.replace(b"Encoding: 8bit", b"Encoding: " + name))[1]
    first, second = found.changes
    assert first.text == f"the body was encoded as {name.decode()} on the way, and was 8bit or 7bit when it was signed"
    assert second.text.startswith("Content-Transfer-Encoding was 8bit")


def test_no_transfer_encoding() -> None:
    """What is said to be encoded, but is not."""
    message = signed(MESSAGE.replace(b"8bit", b"base64").replace(b"Salad", b"A"))
    assert broken(message.replace(b"A?", b"B?"))[1].changes == ()


LIKE_MULTIPARTS = [
    b"no parts",
    b"--\r\nx\r\n--\r\n",
    b"text before\r\n--b\r\n\r\nanother text\r\n--b--\r\n",
]


@pytest.mark.parametrize("body", LIKE_MULTIPARTS)
def test_multiparts_that_are_none(body: bytes) -> None:
    message = signed(MULTIPART).partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body
    assert broken(message)[1].changes == ()


def test_added_fields_that_are_not_among_the_usual() -> None:
    """All of them, only the usual ones, only those of lists: whatever fits."""
    signer = ["from", "+subject", "date", "list-id", "list-post", "list-help", "cc", "comments"]
    own = b"Comments: mine\r\nFrom:"
    lists = b"List-Id: <l>\r\nList-Post: <p>\r\nList-Help: <h>\r\n"
    for original, added, parts in (
        (b"From:", lists + b"Cc: x\r\nComments: y\r\nFrom:", {"list-id", "list-post", "list-help", "cc", "comments"}),
        (own, lists + b"Cc: x\r\n" + own, {"list-id", "list-post", "list-help", "cc"}),
        (b"Cc: x\r\n" + own, lists + b"Cc: x\r\n" + own, {"list-id", "list-post", "list-help"}),
    ):
        head, fields = signed(MESSAGE.replace(b"From:", original, 1), headers=signer).split(b"\r\n" + original, 1)
        found = broken(head + b"\r\n" + added + fields)[1]
        assert {change.part for change in found.changes} == parts


def test_fields_in_another_order() -> None:
    original = b"Received: one\r\nReceived: two\r\nFrom:"
    message = signed(MESSAGE.replace(b"From:", original, 1), headers=["from", "=received"])
    damaged = message.replace(b"Received: one\r\nReceived: two", b"Received: two\r\nReceived: one")
    assert broken(damaged)[1].changes[0].text == "the Received fields came into another order"
