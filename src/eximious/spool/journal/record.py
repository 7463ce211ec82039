"""Records of journal segments: a message, an address that is done with, a message that is done with.

A segment begins with a magic line and a random key. Each record has a head of 16 octets (mark, type, version, length of
what follows, and checksums of the head and of the content), then its content. The checksums begin with the segment's
key: so nothing that a message contains can pass for a record, even where the records around it are damaged.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from typing import Final

MAGIC: Final = b"eximious journal 1\n"
KEY_LENGTH: Final = 8
START: Final = len(MAGIC) + KEY_LENGTH  # where the first record of a segment begins

MESSAGE: Final = 1
PARTLY_DONE: Final = 2  # one address
DONE: Final = 3  # the message is finished, or has become spool files

MARK: Final = b"\xe5J"
VERSION: Final = 1

_HEAD: Final = struct.Struct("<2sBBIII")
_FIELDS: Final = struct.Struct("<2sBBI")  # the head without its checksums
_CHECKSUMS: Final = struct.Struct("<II")
_FRONT: Final = struct.Struct("<BBII")  # of a message: lengths of id and queue name, of -H and body


def new_key() -> bytes:
    """A key for a new segment."""
    return os.urandom(KEY_LENGTH)


def key_checksum(key: bytes) -> int:
    """What the checksums of a segment's records begin with."""
    return zlib.crc32(key)


def message_record(seed: int, message_id: str, queue_name: str, header: bytes, body: list[bytes]) -> list[bytes]:
    """A message with its -H file and its body, as pieces to write one after the other."""
    name, queue = message_id.encode("ascii"), queue_name.encode("latin-1", "replace")
    front = _FRONT.pack(len(name), len(queue), len(header), sum(map(len, body))) + name + queue
    return _record(seed, MESSAGE, [front, header, *body])


def partly_done_record(seed: int, message_id: str, address: str) -> bytes:
    """An address of a message is done with."""
    return b"".join(_record(seed, PARTLY_DONE, [f"{message_id}\n{address}".encode("latin-1", "replace")]))


def done_record(seed: int, message_id: str) -> bytes:
    """A message is done with."""
    return b"".join(_record(seed, DONE, [message_id.encode("ascii")]))


def _record(seed: int, kind: int, content: list[bytes]) -> list[bytes]:
    fields = _FIELDS.pack(MARK, kind, VERSION, sum(map(len, content)))
    head_checksum = checksum = zlib.crc32(fields, seed)
    for piece in content:
        checksum = zlib.crc32(piece, checksum)
    return [fields + _CHECKSUMS.pack(head_checksum, checksum), *content]


class Stored:
    """A message as the journal holds it."""

    __slots__ = ("body", "done", "header", "message_id", "queue_name")

    def __init__(self, message_id: str, queue_name: str, header: bytes, body: bytes) -> None:
        self.message_id = message_id
        self.queue_name = queue_name
        self.header = header
        self.body = body
        self.done: set[str] = set()


def unfinished(data: bytes) -> list[Stored]:
    """The messages of a segment that are not done with, in the order in which they arrived.

    Damage is passed over: a tail that was cut off by a crash, and what else is not a whole record. Never raises.
    """
    found: dict[str, Stored] = {}
    for kind, content in records(data):
        if kind == MESSAGE:
            stored = _parse_message(content)
            if stored is not None:
                found[stored.message_id] = stored
            continue
        message_id, _, address = content.decode("latin-1").partition("\n")
        if kind == DONE:
            found.pop(message_id, None)
        elif kind == PARTLY_DONE and message_id in found:
            found[message_id].done.add(address)
    return list(found.values())


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Types and contents of all whole records in a segment."""
    if len(data) < START or not data.startswith(MAGIC):
        return
    seed = key_checksum(data[len(MAGIC) : START])
    view = memoryview(data)
    position = START
    while 0 <= position <= len(data) - _HEAD.size:
        mark, kind, version, length, head_checksum, checksum = _HEAD.unpack_from(data, position)
        actual = zlib.crc32(view[position : position + _FIELDS.size], seed)
        if mark == MARK and version == VERSION and actual == head_checksum:
            begin = position + _HEAD.size
            end = begin + length
            if end <= len(data) and zlib.crc32(view[begin:end], actual) == checksum:
                yield kind, data[begin:end]
                position = end
                continue
        position = data.find(MARK, position + 1)


def _parse_message(content: bytes) -> Stored | None:
    if len(content) < _FRONT.size:
        return None
    name_length, queue_length, header_length, body_length = _FRONT.unpack_from(content)
    queue_at = _FRONT.size + name_length
    header_at = queue_at + queue_length
    body_at = header_at + header_length
    if body_at + body_length != len(content):
        return None
    return Stored(
        content[_FRONT.size : queue_at].decode("latin-1"),
        content[queue_at:header_at].decode("latin-1"),
        content[header_at:body_at],
        content[body_at:],
    )
