from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.smtp.command import Command
from eximious.smtp.data import ChunkReader
from eximious.smtp.server import LINE_LIMIT, Fault, Refusal, ServerProtocol, Stage, chunk_arguments


def converse(pieces: list[bytes]) -> list[object]:
    """What a server that agrees to everything sees: commands, refusals, messages."""
    protocol = ServerProtocol()
    seen: list[object] = []
    chunks: ChunkReader | None = None
    waiting = list(pieces)
    while True:
        found = protocol.next_command()
        if found is None:
            if not waiting or protocol.stage is Stage.CLOSED:
                return seen
            protocol.receive(waiting.pop(0))
            continue
        if isinstance(found, Refusal):
            seen.append((found.code, found.text))
            continue
        seen.append((found.verb, found.argument))
        if found.verb == "DATA":
            reader = protocol.begin_data()
            while not reader.is_complete and waiting:
                reader.feed(waiting.pop(0))
            if not reader.is_complete:
                return seen
            seen.append((reader.headers, reader.take()))
            protocol.end_data(reader)
        elif found.verb == "BDAT":
            chunks = chunks or ChunkReader()
            protocol.begin_chunk(found, chunks)
            while not chunks.is_chunk_complete and waiting:
                chunks.feed(waiting.pop(0))
            if not chunks.is_chunk_complete:
                return seen
            protocol.end_chunk(chunks)
            if chunks.is_complete:
                seen.append((chunks.headers, chunks.take()))
                chunks = None
        else:
            protocol.succeeded(found)
            if found.verb == "QUIT":
                protocol.close()


BEGIN = b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"
BEGUN: list[object] = [("EHLO", "c"), ("MAIL", "<a@b>"), ("RCPT", "<c@d>")]
UNKNOWN = (500, "unrecognized command")
NO_SENDER = (503, "sender not yet given")
NO_RECIPIENT = (503, "valid RCPT command must precede DATA")

# Texts are Exim's. Where we differ: a command that is too long is refused once, and QUIT is always possible.
CONVERSATIONS: list[tuple[bytes, list[object]]] = [
    (b"", []),
    (b"NOOP", []),
    (b"NOOP\n\r\nFOO bar\r\n", [("NOOP", ""), UNKNOWN, UNKNOWN]),
    (b"NOOP \0x\r\n", [(501, "NUL characters are not allowed in SMTP commands")]),
    (b"RCPT TO:<a@b>\r\nDATA\r\nBDAT 5\r\nabcdeNOOP\r\n",
     [NO_SENDER, NO_RECIPIENT, (503, "valid RCPT command must precede BDAT"), ("NOOP", "")]),
    (b"MAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\nDATA\r\n",
     [("MAIL", "<a@b>"), (503, "sender already given"), NO_RECIPIENT]),
    (b"MAIL FROM:\r\nMAIL FROM:<>\r\nRCPT TO:\r\n",
     [(501, "MAIL must have an address operand"), ("MAIL", "<>"), (501, "RCPT must have an address operand")]),
    (b"QUIT x\r\nDATA x\r\nRSET x\r\nSTARTTLS x\r\n", [(501, "unexpected argument data")] * 4),
    (BEGIN + b"RSET\r\nRCPT TO:<a@b>\r\n", [*BEGUN, ("RSET", ""), NO_SENDER]),
    (BEGIN + b"HELO c\r\nRCPT TO:<a@b>\r\n", [*BEGUN, ("HELO", "c"), NO_SENDER]),
    (BEGIN + b"DATA\r\nA: b\r\n\r\nc\r\n.\r\nDATA\r\n",
     [*BEGUN, ("DATA", ""), ([b"A: b\n"], b"c\n"), NO_RECIPIENT]),
    (b"QUIT\r\nNOOP\r\n", [("QUIT", "")]),
    (b"EHLO " + b"x" * 100_000 + b"\r\nNOOP\r\n", [(501, "line too long"), ("NOOP", "")]),  # CVE-2019-16928
    (b"NOOP " + b"x" * (LINE_LIMIT - 7) + b"\r\n", [("NOOP", "x" * (LINE_LIMIT - 7))]),
    (BEGIN + b"BDAT 4\r\nA: bBDAT 2 LAST\r\ncdNOOP\r\n",
     [*BEGUN, ("BDAT", "4"), ("BDAT", "2 LAST"), ([b"A: bcd\n"], b""), ("NOOP", "")]),
    (BEGIN + b"BDAT 0\r\nNOOP\r\nDATA\r\nNOOP\r\nBDAT 3\r\nQUIRSET\r\nNOOP\r\nRCPT TO:<a@b>\r\n",
     [*BEGUN, ("BDAT", "0"), ("NOOP", ""), (503, "only BDAT permissible after non-LAST BDAT"),
      (503, "only RSET accepted now"), (503, "only RSET accepted now"), ("RSET", ""), ("NOOP", ""), NO_SENDER]),
    (BEGIN + b"BDAT 0\r\nDATA\r\nQUIT\r\n",
     [*BEGUN, ("BDAT", "0"), (503, "only BDAT permissible after non-LAST BDAT"), ("QUIT", "")]),
    (BEGIN + b"BDAT\r\nBDAT x\r\n", [*BEGUN, (501, "missing size for BDAT command"),
                                    (501, "missing size for BDAT command")]),
    (BEGIN + b"BDAT 0 LAST\r\nBDAT 0 LAST\r\n",
     [*BEGUN, ("BDAT", "0 LAST"), ([], b""), (503, "valid RCPT command must precede BDAT")]),
]  # fmt: skip


@pytest.mark.parametrize(("octets", "expected"), CONVERSATIONS)
def test_conversation(octets: bytes, expected: list[object]) -> None:
    assert converse([octets]) == expected


@pytest.mark.parametrize(("octets", "expected"), [row for row in CONVERSATIONS if len(row[0]) < 500])
def test_conversation_octet_by_octet(octets: bytes, expected: list[object]) -> None:
    assert converse([bytes((octet,)) for octet in octets]) == expected


WORDS = st.sampled_from(
    [b"EHLO x\r\n", b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<a@b>\r\n", b"DATA\r\n", b"BDAT 3\r\n", b"BDAT 2 LAST\r\n",
     b"RSET\r\n", b"NOOP\r\n", b"\r\n.\r\n", b"A: b\r\n", b"abc", b"\r", b"\n", b".", b"\0", b"QUIT\r\n", b"BDAT 0\r\n"]
)  # fmt: skip


@given(words=st.lists(WORDS | st.binary(max_size=6), max_size=25), cuts=st.lists(st.integers(0, 300), max_size=20))
def test_how_the_octets_arrive_makes_no_difference(words: list[bytes], cuts: list[int]) -> None:
    octets = b"".join(words)
    places = sorted({cut % (len(octets) + 1) for cut in cuts})
    pieces = [octets[a:b] for a, b in zip([0, *places], [*places, len(octets)], strict=True)]
    assert converse(pieces) == converse([octets])


def test_memory_is_bounded_by_one_line() -> None:
    protocol = ServerProtocol()
    for _ in range(100):
        protocol.receive(b"x" * 10_000)
        assert protocol.next_command() is None
        assert len(protocol.pending) <= LINE_LIMIT
    protocol.receive(b"\r\n")
    refusal = protocol.next_command()
    assert isinstance(refusal, Refusal)
    assert len(refusal.line) <= LINE_LIMIT


def test_cve_2011_0411_nothing_from_before_tls_counts() -> None:
    protocol = ServerProtocol()
    protocol.receive(b"EHLO c\r\nMAIL FROM:<a@b>\r\nSTARTTLS\r\nRCPT TO:<evil@example>\r\n")
    for _ in range(3):
        command = protocol.next_command()
        assert isinstance(command, Command)
        protocol.succeeded(command)
    protocol.start_tls()
    assert protocol.next_command() is None
    assert protocol.stage is Stage.GREETED
    assert protocol.pending == b""


def test_closed() -> None:
    protocol = ServerProtocol()
    protocol.receive(b"NOOP\r\n")
    protocol.close()
    protocol.receive(b"NOOP\r\n")
    assert protocol.next_command() is None
    protocol.reset()
    assert protocol.stage is Stage.CLOSED


def test_a_refused_chunk_is_skipped_across_reads() -> None:
    protocol = ServerProtocol()
    protocol.skip_chunk(Command("BDAT", "10"))
    protocol.skip_chunk(Command("BDAT", "x"))  # no size, nothing to skip
    protocol.receive(b"NOOP\r\n")
    assert protocol.next_command() is None
    protocol.receive(b"RSETNOOP\r\n")
    assert protocol.next_command() == Command("NOOP")


def test_lines_that_are_no_commands() -> None:
    protocol = ServerProtocol()
    protocol.receive(b"dGVzdA==\r\nrest")
    assert protocol.next_line() == "dGVzdA=="
    assert not protocol.line_is_cut
    assert protocol.pending == b"rest"


@pytest.mark.parametrize(
    ("argument", "expected"),
    [("5", (5, False)), ("5 LAST", (5, True)), ("5 last x", (5, True)), ("5LAST", (5, True)), ("5 FOO", (5, False)),
     ("0", (0, False)), ("", None), ("-1", None), ("x5", None), ("9" * 18, (int("9" * 18), False)), ("9" * 19, None)],
)  # fmt: skip
def test_chunk_arguments(argument: str, expected: tuple[int, bool] | None) -> None:
    assert chunk_arguments(argument) == expected


def test_refusal_is_plain_data() -> None:
    refusal = Refusal(500, "unrecognized command", Fault.UNKNOWN, "FOO")
    assert refusal == Refusal(500, "unrecognized command", Fault.UNKNOWN, "FOO")
    assert refusal != "FOO"
    assert repr(refusal) == "Refusal(500, 'unrecognized command', UNKNOWN)"
