"""Damaged SMTP conversations: however they are cut into pieces, the server's side sees the same, and holds little.

python fuzz/smtp_server.py [--seconds 60] [--seed N]
"""

from __future__ import annotations

import random

import mutation

from eximious.smtp.command import Command
from eximious.smtp.data import ChunkReader
from eximious.smtp.server import LINE_LIMIT, Refusal, ServerProtocol, Stage

MEMORY_LIMIT = LINE_LIMIT + 70_000  # octets held beside a message's body: one line and one read

SEEDS = [
    b"EHLO c\r\nMAIL FROM:<a@b> SIZE=10\r\nRCPT TO:<c@d>\r\nDATA\r\nA: b\r\n c\r\n\r\n..x\r\n.\r\nQUIT\r\n",
    b"HELO c\nMAIL FROM:<>\nRCPT TO:<c@d>\nDATA\nA: b\n\nbody\n.\nRSET\nNOOP x\nVRFY a\nHELP\n",
    b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 12\r\nSubject: x\r\nBDAT 3 LAST\r\n\r\nxSTARTTLS\r\n",
    b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nbody\n.\r\n\r.\r\n\r\n.\nMAIL FROM:<evil@x>\r\n.\r\n",
]


def converse(pieces: list[bytes]) -> list[object]:
    """What a server that agrees to everything sees."""
    protocol = ServerProtocol()
    seen: list[object] = []
    chunks: ChunkReader | None = None
    while True:
        found = protocol.next_command()
        assert len(protocol.pending) < MEMORY_LIMIT
        if found is None:
            if not pieces or protocol.stage is Stage.CLOSED:
                return seen
            protocol.receive(pieces.pop(0))
        elif isinstance(found, Refusal):
            seen.append((found.code, found.text))
        else:
            seen.append((found.verb, found.argument))
            chunks = _obey(protocol, found, pieces, chunks, seen)
            if protocol.stage is Stage.TEXT:
                return seen


def _obey(
    protocol: ServerProtocol, command: Command, pieces: list[bytes], chunks: ChunkReader | None, seen: list[object]
) -> ChunkReader | None:
    if command.verb == "DATA":
        reader = protocol.begin_data(header_limit=1000)
        while not reader.is_complete and pieces:
            reader.feed(pieces.pop(0))
        if reader.is_complete:
            seen.append((reader.headers, reader.take(), reader.fault))
            protocol.end_data(reader)
    elif command.verb == "BDAT":
        chunks = chunks or ChunkReader(header_limit=1000)
        protocol.begin_chunk(command, chunks)
        while not chunks.is_chunk_complete and pieces:
            chunks.feed(pieces.pop(0))
        if chunks.is_chunk_complete:
            protocol.end_chunk(chunks)
            if chunks.is_complete:
                seen.append((chunks.headers, chunks.take(), chunks.fault))
                return None
    else:
        protocol.succeeded(command)
    return chunks


def check(data: bytes) -> bool:
    """The same however it arrives."""
    chance = random.Random(data)
    whole = converse([data])
    pieces = []
    rest = data
    while rest:
        size = chance.choice((1, 2, 3, 10, 100, 60_000))
        pieces.append(rest[:size])
        rest = rest[size:]
    assert converse(pieces) == whole
    return any(not isinstance(event[0], (int, str)) for event in whole)  # type: ignore[index]


if __name__ == "__main__":
    mutation.run(__doc__, SEEDS, check)
