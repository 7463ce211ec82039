from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.smtp.reply import LINE_LIMIT, REPLY_LIMIT, MalformedReply, Reply, ReplyReader, format_reply

FORMATS = [
    (250, "OK", b"250 OK\r\n"),
    (250, "", b"250 \r\n"),
    ("250", "one\ntwo", b"250-one\r\n250 two\r\n"),
    (550, "one\r\ntwo\rthree\n", b"550-one\r\n550-two\r\n550 three\r\n"),
    (550, "\xe4", b"550 \xe4\r\n"),
    (550, "\u20ac", b"550 ?\r\n"),
]


@pytest.mark.parametrize(("code", "text", "octets"), FORMATS)
def test_format(code: int | str, text: str, octets: bytes) -> None:
    assert format_reply(code, text) == octets


REPLIES = [
    (b"250 OK\r\n", [Reply(250, ["OK"])]),
    (b"250\r\n", [Reply(250, [""])]),  # no text at all (CVE-2026-43964)
    (b"250 OK\n", [Reply(250, ["OK"])]),
    (b"999 OK\r\n050 x\r\n", [Reply(999, ["OK"]), Reply(50, ["x"])]),  # of no kind; whoever asked refuses them
    (b"250-a\r\n250-b\r\n250 c\r\n354 d\r\n", [Reply(250, ["a", "b", "c"]), Reply(354, ["d"])]),
    (b"250-\r\n250\r\n", [Reply(250, ["", ""])]),
    (b"250-a\r\n", []),
    (b"250 OK", []),
    (b"", []),
]


@pytest.mark.parametrize(("octets", "expected"), REPLIES)
def test_read(octets: bytes, expected: list[Reply]) -> None:
    assert read([octets]) == expected
    assert read([bytes((octet,)) for octet in octets]) == expected


def read(pieces: list[bytes]) -> list[Reply]:
    reader = ReplyReader()
    replies: list[Reply] = []
    for piece in pieces:
        reader.receive(piece)
        while (reply := reader.next_reply()) is not None:
            replies.append(reply)
    return replies


@pytest.mark.parametrize(
    "octets",
    [b"\r\n", b"hello\r\n", b"25 OK\r\n", b"250_OK\r\n", b"2500 OK\r\n", b"25\xb2 x\r\n",
     b"250-a\r\n251 b\r\n", b"250-a\r\nfoo\r\n", b"SSH-2.0-x\n"],
)  # fmt: skip
def test_malformed(octets: bytes) -> None:
    with pytest.raises(MalformedReply) as caught:
        read([octets])
    assert caught.value.received in octets.replace(b"\r", b"")


def test_no_end() -> None:
    with pytest.raises(MalformedReply) as caught:
        read([b"250 " + b"x" * 10_000] * 10)
    assert len(caught.value.received) <= LINE_LIMIT
    with pytest.raises(MalformedReply):
        read([b"250-x\r\n"] * (REPLY_LIMIT // 7 + 2))


def test_long_lines_are_cut() -> None:
    (reply,) = read([b"250 " + b"x" * 10_000 + b"\r\n"])
    assert reply.lines == ["x" * LINE_LIMIT]


@given(octets=st.binary(max_size=60), cuts=st.lists(st.integers(0, 60), max_size=5))
def test_how_the_octets_arrive_makes_no_difference(octets: bytes, cuts: list[int]) -> None:
    octets = b"250-x\r\n250 y\r\n" + octets
    places = sorted({cut % (len(octets) + 1) for cut in cuts})
    pieces = [octets[a:b] for a, b in zip([0, *places], [*places, len(octets)], strict=True)]
    assert outcome(pieces) == outcome([octets])


def outcome(pieces: list[bytes]) -> object:
    try:
        return [str(reply) for reply in read(pieces)]
    except MalformedReply:
        return "malformed"


def test_pending_and_discard() -> None:
    reader = ReplyReader()
    reader.receive(b"250-a\r\n250")
    assert reader.next_reply() is None
    assert reader.pending == b"250-a\n250"
    reader.discard()
    assert reader.pending == b""
    reader.receive(b"220 x\r\n")
    assert reader.next_reply() == Reply(220, ["x"])


def test_reply() -> None:
    reply = Reply(550, ["one", "two"])
    assert reply.text == "one\ntwo"
    assert str(reply) == "550-one\n550 two"
    assert repr(reply) == "Reply(550, ['one', 'two'])"
    assert reply != "550"
    kinds = [
        (one.is_positive, one.is_intermediate, one.is_temporary, one.is_permanent)
        for one in (Reply(code, []) for code in (250, 354, 451, 550))
    ]
    assert kinds == [tuple(row == column for column in range(4)) for row in range(4)]


@given(text=st.text(st.characters(max_codepoint=255), max_size=30))
def test_round_trip(text: str) -> None:
    (reply,) = read([format_reply(250, text.replace("\r", "").rstrip("\n"))])
    assert reply.text == text.replace("\r", "").rstrip("\n")
