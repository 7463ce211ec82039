"""The expected values are what a real Exim 4.98.2 wrote into its spool for the same octets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.smtp.data import ChunkReader, DataReader, PlainReader
from eximious.smtp.message_text import MessageReader, TextFault

# What came, headers, body, what is left over.
TEXTS: list[tuple[bytes, list[bytes], bytes, bytes]] = [
    (b"Subject: x\n\nbody\n.\n", [b"Subject: x\n"], b"body\n", b""),
    (b"Subject: x\n\nbody\n.\r\n", [b"Subject: x\n"], b"body\n", b""),
    (b"Subject: x\n\nbody\r\n.\r\n", [b"Subject: x\n"], b"body\n", b""),
    (b"Subject: x\n\nbody\r\n.\nX\n.\n", [b"Subject: x\n"], b"body\n", b"X\n.\n"),
    (b"Subject: x\n\nbody\n.\rX\n.\n", [b"Subject: x\n"], b"body\n\nX\n", b""),
    (b"Subject: x\n\nbo\r\ndy\n..X\ra\r.\nb\n.\n", [b"Subject: x\n"], b"bo\ndy\n.X\na\n.\nb\n", b""),
    (b"Subject: x\n\nbody\r\r\n.\n", [b"Subject: x\n"], b"body\n\n", b""),
    (b"Subject: x\n\nbody\n.\r\n", [b"Subject: x\n"], b"body\n", b""),
    (b"Subject: x\n\nbody\n.\r\r\nX\n.\n", [b"Subject: x\n"], b"body\n\n\nX\n", b""),
    (b"Subject: x\n\nbody\n\r.\nX\n.\n", [b"Subject: x\n"], b"body\n\n.\nX\n", b""),
    (b"Subject: x\n\nbody\r.\nX\n.\n", [b"Subject: x\n"], b"body\n.\nX\n", b""),
    (b"Subject: x\n\nbody\r\n..\r\nX\n.\n", [b"Subject: x\n"], b"body\n.\nX\n", b""),
    (b"Subject: x\nFoo: y\r\nBar: z\n\nbody\n.\n", [b"Subject: x\n", b"Foo: y\n", b"Bar: z\n"], b"body\n", b""),
    (b"Subject: x\r\nFoo: y\nBar: z\r\n\r\nbody\r\n.\r\n", [b"Subject: x\n", b"Foo: y\n Bar: z\n"], b"body\n", b""),
    (b"Subject: x\r\nFoo: y\rBar: z\r\n\r\nbody\r\n.\r\n", [b"Subject: x\n", b"Foo: y\n Bar: z\n"], b"body\n", b""),
    (
        b"Subject: x\r\nFoo: y\rBar: z\nbar\r\n\r\nbody\r\n.\r\n",
        [b"Subject: x\n", b"Foo: y\n Bar: z\n bar\n"],
        b"body\n",
        b"",
    ),
    (b"Subject: x\r\nFoo: y\n\r\nbody\r\n.\r\n", [b"Subject: x\n", b"Foo: y\n"], b"body\n", b""),
    (b"Subject: x\r\nFoo: y\r\r\nbody\r\n.\r\n", [b"Subject: x\n", b"Foo: y\n"], b"body\n", b""),
    (b"Subject: x\r\nFoo: y\r\n\nbody\r\n.\r\n", [b"Subject: x\n", b"Foo: y\n"], b" body\n", b""),
    (b"Subject: x\r\nFoo: y\r\n\rbody\r\n.\r\n", [b"Subject: x\n", b"Foo: y\n"], b"\n body\n", b""),
    (b"Subject: x\r\n.Foo: y\r\n\r\nbody\r\n.\r\n", [b"Subject: x\n", b"Foo: y\n"], b"body\n", b""),
    (b"Subject: x\r\n..Foo: y\r\n\r\nbody\r\n.\r\n", [b"Subject: x\n", b".Foo: y\n"], b"body\n", b""),
    (b"Subject: x\r\n.\r\n", [b"Subject: x\n"], b"", b""),
    (b".\r\n", [], b"", b""),
    (b".\n", [], b"", b""),
    (b"..\r\n.\r\n", [], b".\n", b""),
    (b".\rX\r\n.\r\n", [], b"\n X\n", b""),
    (b"\r\n.\r\n", [], b"", b""),
    (b"\n.\n", [], b"", b""),
    (b"\n.\r\n", [], b"", b""),
    (b"\r.\r\n.\r\n", [], b"\n .\n", b""),
    (b"\r\n.\n\r\n.\r\n", [], b" \n", b""),
    (b".\nFoo: x\n.\n", [], b"", b"Foo: x\n.\n"),
    (b"Subject: x\rFoo: y\r\n\r\nbody\r\n.\r\n", [b"Subject: x\n Foo: y\n"], b"body\n", b""),
    (b"Subject: x\r\rFoo: y\r\n\r\nbody\r\n.\r\n", [b"Subject: x\n \n Foo: y\n"], b"body\n", b""),
    (b"Subject: x\x00y\r\nFoo: y\r\n\r\nbody\x00\r\n.\r\n", [b"Subject: x?y\n", b"Foo: y\n"], b"body\x00\n", b""),
    (b"not a header\r\nFoo: y\r\n\r\nbody\r\n.\r\n", [], b"not a header\nFoo: y\n\nbody\n", b""),
    (b"Foo : y\r\nnot a header\r\nFoo: y\r\n\r\nbody\r\n.\r\n", [b"Foo : y\n"], b"not a header\nFoo: y\n\nbody\n", b""),
    (b"Foo: y\r\n \r\nFoo: y\r\n\r\nbody\r\n.\r\n", [b"Foo: y\n", b"Foo: y\n"], b"body\n", b""),
    (b"Foo: y   \r\nBar:y\r\nBaz:\r\n\r\nbody\r\n.\r\n", [b"Foo: y   \n", b"Bar:y\n", b"Baz:\n"], b"body\n", b""),
    (b" Foo: y\r\nBar: x\r\n\r\nbody\r\n.\r\n", [], b" Foo: y\nBar: x\n\nbody\n", b""),
    (b": y\r\nBar: x\r\n\r\nbody\r\n.\r\n", [b": y\n", b"Bar: x\n"], b"body\n", b""),
    (
        b"From x@y Mon Jan  1 00:00:00 2024\r\nBar: x\r\n\r\nbody\r\n.\r\n",
        [],
        b"From x@y Mon Jan  1 00:00:00 2024\nBar: x\n\nbody\n",
        b"",
    ),
    (
        b"Foo: x\r\n>From x@y Mon Jan  1 00:00:00 2024\r\nBar: x\r\n\r\nbody\r\n.\r\n",
        [b"Foo: x\n"],
        b">From x@y Mon Jan  1 00:00:00 2024\nBar: x\n\nbody\n",
        b"",
    ),
    (b"F\x80oo: y\r\nB(r: x\r\n\r\nbody\r\n.\r\n", [b"F\x80oo: y\n", b"B(r: x\n"], b"body\n", b""),
]

# SMTP smuggling: what stands before and after the dot, in a message that otherwise has CRLF. Body, what is left over.
AROUND_THE_DOT = [
    (b"\r\n", b"\r\n", b"body\n", b"X\r\n.\r\n"),
    (b"\r\n", b"\n", b"body\n X\n", b""),
    (b"\r\n", b"\r", b"body\n\nX\n", b""),
    (b"\r\n", b"\r\r\n", b"body\n\n\nX\n", b""),
    (b"\r\n", b"\x00", b"body\n\x00X\n", b""),
    (b"\r\n", b"\n\r", b"body\n \nX\n", b""),
    (b"\n", b"\r\n", b"body .\nX\n", b""),
    (b"\n", b"\n", b"body . X\n", b""),
    (b"\n", b"\r", b"body .\nX\n", b""),
    (b"\n", b"\r\r\n", b"body .\n\nX\n", b""),
    (b"\n", b"\x00", b"body .\x00X\n", b""),
    (b"\n", b"\n\r", b"body . \nX\n", b""),
    (b"\r", b"\r\n", b"body\n.\nX\n", b""),
    (b"\r", b"\n", b"body\n. X\n", b""),
    (b"\r", b"\r", b"body\n.\nX\n", b""),
    (b"\r", b"\r\r\n", b"body\n.\n\nX\n", b""),
    (b"\r", b"\x00", b"body\n.\x00X\n", b""),
    (b"\r", b"\n\r", b"body\n. \nX\n", b""),
    (b"\r\r\n", b"\r\n", b"body\n\n", b"X\r\n.\r\n"),
    (b"\r\r\n", b"\n", b"body\n\n X\n", b""),
    (b"\r\r\n", b"\r", b"body\n\n\nX\n", b""),
    (b"\r\r\n", b"\r\r\n", b"body\n\n\n\nX\n", b""),
    (b"\r\r\n", b"\x00", b"body\n\n\x00X\n", b""),
    (b"\r\r\n", b"\n\r", b"body\n\n \nX\n", b""),
    (b"\x00", b"\r\n", b"body\x00.\nX\n", b""),
    (b"\x00", b"\n", b"body\x00. X\n", b""),
    (b"\x00", b"\r", b"body\x00.\nX\n", b""),
    (b"\x00", b"\r\r\n", b"body\x00.\n\nX\n", b""),
    (b"\x00", b"\x00", b"body\x00.\x00X\n", b""),
    (b"\x00", b"\n\r", b"body\x00. \nX\n", b""),
    (b"\r\x00\n", b"\r\n", b"body\n\x00 .\nX\n", b""),
    (b"\r\x00\n", b"\n", b"body\n\x00 . X\n", b""),
    (b"\r\x00\n", b"\r", b"body\n\x00 .\nX\n", b""),
    (b"\r\x00\n", b"\r\r\n", b"body\n\x00 .\n\nX\n", b""),
    (b"\r\x00\n", b"\x00", b"body\n\x00 .\x00X\n", b""),
    (b"\r\x00\n", b"\n\r", b"body\n\x00 . \nX\n", b""),
    (b"\n\r", b"\r\n", b"body \n.\nX\n", b""),
    (b"\n\r", b"\n", b"body \n. X\n", b""),
    (b"\n\r", b"\r", b"body \n.\nX\n", b""),
    (b"\n\r", b"\r\r\n", b"body \n.\n\nX\n", b""),
    (b"\n\r", b"\x00", b"body \n.\x00X\n", b""),
    (b"\n\r", b"\n\r", b"body \n. \nX\n", b""),
    (b"\n\n", b"\r\n", b"body  .\nX\n", b""),
    (b"\n\n", b"\n", b"body  . X\n", b""),
    (b"\n\n", b"\r", b"body  .\nX\n", b""),
    (b"\n\n", b"\r\r\n", b"body  .\n\nX\n", b""),
    (b"\n\n", b"\x00", b"body  .\x00X\n", b""),
    (b"\n\n", b"\n\r", b"body  . \nX\n", b""),
]

# BDAT: the chunks; headers, body.
CHUNKS: list[tuple[list[bytes], list[bytes], bytes]] = [
    ([b"Subject: x\r\n\r\nbody\r\n"], [b"Subject: x\n"], b"body\n"),
    ([b"Subject: x\r\n\r\nbody"], [b"Subject: x\n"], b"body\n"),
    ([b"Subject: x\r\n\r\nbo\ndy\r\n"], [b"Subject: x\n"], b"bo\ndy\n"),
    ([b"Subject: x\r\n\r\nbo\rdy\r\n"], [b"Subject: x\n"], b"bo\ndy\n"),
    ([b"Subject: x\r\n\r\nbo\r\r\ndy"], [b"Subject: x\n"], b"bo\n\ndy\n"),
    ([b"Subject: x\r\n\r\n.\r\n..a\r\n.\r\n"], [b"Subject: x\n"], b".\n..a\n.\n"),
    ([b"Subject: x\r\n\r\na\0b\r\n"], [b"Subject: x\n"], b"a\0b\n"),
    ([b"Subject: x\r\n\r\na\r"], [b"Subject: x\n"], b"a\n"),
    ([b"Subject: x\r\n\r\na\n\r\n"], [b"Subject: x\n"], b"a\n\n"),
    ([b"Subject: x\r\n\r\nbo\r", b"\ndy\r\n"], [b"Subject: x\n"], b"bo\ndy\n"),
    ([b"Subject: x\r\n\r\nbo\r", b"\n", b""], [b"Subject: x\n"], b"bo\n"),
    ([b"Subject: x\r\n\r\nbo\r", b"x\r\n"], [b"Subject: x\n"], b"bo\nx\n"),
    ([b"Subject: x\r", b"\n\r", b"\nbody"], [b"Subject: x\n"], b"body\n"),
    ([b"Subject: x\r", b"\n y\r\n", b"\r\nbody", b""], [b"Subject: x\n y\n"], b"body\n"),
    ([b"Subject: x\r\nFoo: y\nBar: z\r\n\r\na\nb\r.\n"], [b"Subject: x\n", b"Foo: y\n Bar: z\n"], b"a\nb\n.\n"),
    ([b"Subject: x\r\n.Foo: y\0\r\n\r\n.a\r\n"], [b"Subject: x\n", b".Foo: y?\n"], b".a\n"),
    ([b"Subject: x"], [b"Subject: x\n"], b""),
    ([b"Subject: x\r\n"], [b"Subject: x\n"], b""),
    ([b""], [], b""),
    ([b"", b"Subject: x\r\n\r\nbody"], [b"Subject: x\n"], b"body\n"),
]

# Standard input: what came, whether a dot ends it; headers, body, what is left over.
PLAIN: list[tuple[bytes, bool, list[bytes], bytes, bytes]] = [
    (b"Subject: x\n\nbody\n.\nfoo\n", True, [b"Subject: x\n"], b"body\n", b"foo\n"),
    (b"Subject: x\n\nbody\n.\nfoo\n", False, [b"Subject: x\n"], b"body\n.\nfoo\n", b""),
    (b"Subject: x\r\n\r\nbody\r\n.\r\nfoo\r\n", True, [b"Subject: x\n"], b"body\n", b"foo\r\n"),
    (b"Subject: x\r\n\r\nbo\ndy\rx\r\n.\nfoo\r\n", True, [b"Subject: x\n"], b"bo\ndy\nx\n", b"foo\r\n"),
    (b"Subject: x\n\nbo\r\ndy\rx\r\r\ny\n..\n", True, [b"Subject: x\n"], b"bo\ndy\nx\n\ny\n..\n", b""),
    (b"Subject: x\nFoo: y\rBar: z\n\nbody", True, [b"Subject: x\n", b"Foo: y\n Bar: z\n"], b"body\n", b""),
    (b"Subject: x", True, [b"Subject: x\n"], b"", b""),
    (b"Subject: x\nfoo", True, [b"Subject: x\n"], b"foo\n", b""),
    (b".\n", True, [], b"", b""),
    (b".foo: bar\n\n.x\n", False, [b".foo: bar\n"], b".x\n", b""),
    (b"Subject: x\n\nbody\n.", True, [b"Subject: x\n"], b"body\n.\n", b""),
    (b"Subject: x\n\nbody\r", True, [b"Subject: x\n"], b"body\n", b""),
    (b"Subject: x\n\nbody\n.\r\nfoo", True, [b"Subject: x\n"], b"body\n", b"foo"),
    (b"Subject: x\n\nbody\r.\nfoo\n", True, [b"Subject: x\n"], b"body\n.\nfoo\n", b""),
    (b"", True, [], b"", b""),
]


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def read(data: list[bytes], reader: DataReader | None = None) -> tuple[list[bytes] | None, bytes, bytes]:
    reader = reader or DataReader()
    body = b""
    for piece in data:
        reader.feed(piece)
        body += reader.take()
    return reader.headers, body, reader.rest


def read_chunks(chunks: list[bytes], cuts: list[int]) -> tuple[list[bytes] | None, bytes]:
    reader = ChunkReader()
    body = b""
    for number, chunk in enumerate(chunks):
        reader.begin_chunk(len(chunk), is_last=number == len(chunks) - 1)
        for piece in pieces(chunk, cuts):
            reader.feed(piece)
            body += reader.take()
        assert reader.is_chunk_complete
    assert reader.is_complete
    return reader.headers, body + reader.take()


def read_plain(data: list[bytes], dot_ends: bool) -> tuple[list[bytes] | None, bytes, bytes]:
    reader = PlainReader(dot_ends=dot_ends)
    body = b""
    for piece in data:
        reader.feed(piece)
        body += reader.take()
    reader.finish()
    return reader.headers, body + reader.take(), reader.rest


@pytest.mark.parametrize(("data", "headers", "body", "rest"), TEXTS)
def test_text(data: bytes, headers: list[bytes], body: bytes, rest: bytes) -> None:
    assert read([data]) == (headers, body, rest)
    assert read([bytes((octet,)) for octet in data]) == (headers, body, rest)


@pytest.mark.parametrize(("before", "after", "body", "rest"), AROUND_THE_DOT)
def test_cve_2023_51766(before: bytes, after: bytes, body: bytes, rest: bytes) -> None:
    data = b"Subject: x\r\n\r\nbody" + before + b"." + after + b"X\r\n.\r\n"
    assert read([data]) == ([b"Subject: x\n"], body, rest)
    assert read([bytes((octet,)) for octet in data]) == ([b"Subject: x\n"], body, rest)


@pytest.mark.parametrize(("chunks", "headers", "body"), CHUNKS)
def test_chunks(chunks: list[bytes], headers: list[bytes], body: bytes) -> None:
    assert read_chunks(chunks, []) == (headers, body)
    assert read_chunks(chunks, list(range(40))) == (headers, body)


@pytest.mark.parametrize("before", [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\0"])
@pytest.mark.parametrize("after", [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\0"])
def test_no_dot_ends_a_chunk(before: bytes, after: bytes) -> None:
    text = b"A: b\r\n\r\nbody" + before + b"." + after + b"MAIL FROM:<x@y>\r\n"
    headers, body = read_chunks([text], [])
    assert headers == [b"A: b\n"]
    assert b"MAIL FROM" in body


@pytest.mark.parametrize(("data", "dot_ends", "headers", "body", "rest"), PLAIN)
def test_plain(data: bytes, dot_ends: bool, headers: list[bytes], body: bytes, rest: bytes) -> None:
    assert read_plain([data], dot_ends) == (headers, body, rest)
    assert read_plain([bytes((octet,)) for octet in data], dot_ends) == (headers, body, rest)


def test_cve_2017_16944_a_lone_dot_is_a_chunk_like_any_other() -> None:
    assert read_chunks([b"."], []) == ([], b".\n")


LINES = st.sampled_from([b"\r\n", b"\n", b"\r", b".", b"a", b"A: b", b" ", b"\0", b"\r\n.\r\n", b"\t", b":", b"\xff"])
HOSTILE = st.lists(LINES | st.binary(max_size=5), max_size=40).map(b"".join)


@given(data=HOSTILE, cuts=st.lists(st.integers(0, 200), max_size=30))
def test_how_the_octets_arrive_makes_no_difference(data: bytes, cuts: list[int]) -> None:
    assert read(pieces(data, cuts)) == read([data])
    assert read_plain(pieces(data, cuts), True) == read_plain([data], True)
    assert read_chunks([data], cuts) == read_chunks([data], [])


@given(data=HOSTILE)
def test_text_without_its_end_goes_on(data: bytes) -> None:
    text = b"A: b\r\n" + data.replace(b"\r\n.\r\n", b"")
    while b"\r\n.\r\n" in text:
        text = text.replace(b"\r\n.\r\n", b"")
    reader = DataReader()
    reader.feed(text)
    assert not reader.is_complete


@given(data=HOSTILE)
def test_no_reader_gives_stray_line_ends(data: bytes) -> None:
    reader = DataReader()
    reader.feed(b"A: b\r\n" + data + b"\r\n.\r\n")
    assert reader.is_complete
    assert b"\r" not in b"".join(reader.headers or [])
    body = reader.take()
    assert b"\r" not in body
    assert body[-1:] in (b"\n", b"")
    assert reader.body_size == len(body)
    assert reader.body_lines == body.count(b"\n")
    assert reader.body_zeros == body.count(b"\0")
    lines = b"".join(reader.headers or []) + body
    assert reader.longest_line == max(map(len, lines.split(b"\n")))


@given(data=st.binary(max_size=300))
def test_every_header_can_stand_in_a_spool_file(data: bytes) -> None:
    reader = PlainReader()
    reader.feed(data)
    reader.finish()
    for header in reader.headers or []:
        assert header.endswith(b"\n")
        assert b":" in header
        assert b"\0" not in header
        assert all(line[:1] in (b" ", b"\t") for line in header.split(b"\n")[1:-1])


def overlong(reader: MessageReader) -> tuple[TextFault | None, list[bytes] | None, bytes, str]:
    return reader.fault, reader.headers, reader.take(), reader.too_long


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize(
    "text",
    [b"A: " + b"x" * 500 + b"\r\n\r\n", b"A: b\r\n" * 100 + b"\r\n", b"x" * 500, b"A: b\r\n " + b"x" * 500],
)
def test_header_limit(text: bytes, size: int) -> None:
    reader = DataReader(header_limit=400)
    data = text + b"body\r\n.\r\nNOOP\r\n"
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
    assert overlong(reader) == (TextFault.HEADER_SIZE, [], b"", "header")
    assert reader.is_complete
    assert reader.rest == b"NOOP\r\n"


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize("text", [b"A: " + b"x" * 200, b"A: b\r\n " + b"x" * 60 + b"\r\n " + b"x" * 60])
def test_header_line_limit(text: bytes, size: int) -> None:
    reader = DataReader(header_line_limit=100)
    data = text + b"\r\n\r\nbody\r\n.\r\n"
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
    assert overlong(reader) == (TextFault.HEADER_LINE_SIZE, [], b"", "header line")
    assert reader.is_complete


def test_within_limits() -> None:
    reader = DataReader(header_limit=40, header_line_limit=20)
    reader.feed(b"A: b\r\nC: d\r\n\r\nbody\r\n.\r\n")
    assert overlong(reader) == (None, [b"A: b\n", b"C: d\n"], b"body\n", "")


@pytest.mark.parametrize("text", [b"A: b\n\nbody", b"A: b\nC: d\r\n\r\n"])
def test_chunks_need_crlf(text: bytes) -> None:
    reader = ChunkReader()
    reader.begin_chunk(len(text), is_last=True)
    reader.feed(text)
    first_line = text[: text.index(b"\n") + 1]
    assert overlong(reader) == (TextFault.NOT_CRLF, [first_line], b"", "")


def test_chunk_without_any_line_end() -> None:
    reader = ChunkReader(header_limit=100)
    reader.begin_chunk(1000, is_last=True)
    reader.feed(b"x" * 1000)
    assert reader.is_complete
    assert reader.fault is TextFault.HEADER_SIZE


def test_what_follows_a_chunk_is_left_over() -> None:
    reader = ChunkReader()
    reader.begin_chunk(4, is_last=False)
    reader.feed(b"A: bNOOP")
    assert (reader.is_chunk_complete, reader.is_complete, reader.rest) == (True, False, b"NOOP")
    reader.begin_chunk(0, is_last=True)
    assert reader.is_complete
    assert (reader.size, reader.chunk_size) == (4, 0)


def test_after_the_end() -> None:
    reader = DataReader()
    reader.feed(b".\r\nNO")
    reader.feed(b"OP\r\n")
    assert reader.rest == b"NOOP\r\n"
    plain = PlainReader()
    plain.feed(b".\nNO")
    plain.feed(b"OP\n")
    plain.finish()
    assert plain.rest == b"NOOP\n"


def test_mailbox_line() -> None:
    reader = PlainReader()
    reader.is_from_line = lambda line: line.startswith(b"From ")
    reader.feed(b"From a@b today\nSubject: x\nFrom c@d\n\nbody\n")
    reader.finish()
    assert reader.from_line == b"From a@b today"
    assert reader.headers == [b"Subject: x\n"]
    assert reader.take() == b"From c@d\n\nbody\n"
