"""Bodies: in memory, in a file, in wire format."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eximious.spool.body import CHUNK, NAME_LINE, Body
from eximious.spool.errors import SpoolError


def in_file(path: Path) -> Callable[[], int]:
    return lambda: os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)


@given(st.lists(st.binary(max_size=60), max_size=30), st.integers(0, 300))
@settings(max_examples=50)
def test_how_it_arrives_and_where_it_is_make_no_difference(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], limit: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "body"
    body = Body(in_file(path), memory_limit=limit)
    for piece in pieces:
        body.append(piece)
    whole = b"".join(pieces)
    assert body.in_memory is (len(whole) <= limit)
    assert (body.size, body.line_count, body.zero_count) == (len(whole), whole.count(b"\n"), whole.count(b"\0"))
    assert b"".join(body.chunks()) == whole
    assert b"".join(body.chunks()) == whole
    assert body.data() == whole
    assert body.read(3, 5) == whole[3:8]
    fd = body.open_fd()
    assert os.read(fd, len(whole) + 1) == whole
    os.close(fd)
    body.close()


def test_room_for_the_name_is_left(tmp_path: Path) -> None:
    body = Body(in_file(tmp_path / "x"), memory_limit=3)
    body.append(b"abcd\n")
    assert (tmp_path / "x").read_bytes() == b"-" * (NAME_LINE - 1) + b"\nabcd\n"
    assert body.file_descriptor() >= 0
    body.close()


def test_no_file_without_a_place_for_it() -> None:
    body = Body(memory_limit=1)
    body.append(b"abc")
    assert body.in_memory
    with pytest.raises(SpoolError, match="no file"):
        body.file_descriptor()


WIRE = [
    (b"", b""),
    (b"a\r\nb\r\n", b"a\nb\n"),
    (b"a\rb\r", b"a\rb\r"),
    (b"x" * (CHUNK - 1) + b"\r\ny\r\n", b"x" * (CHUNK - 1) + b"\ny\n"),
    (b"x" * (CHUNK - 1) + b"\r", b"x" * (CHUNK - 1) + b"\r"),
]


@pytest.mark.parametrize(("stored", "expected"), WIRE)
def test_wire_format_reads_as_any_other(tmp_path: Path, stored: bytes, expected: bytes) -> None:
    (tmp_path / "x").write_bytes(b"name\n" + stored)
    body = Body.from_file(os.open(tmp_path / "x", os.O_RDWR), 5, is_wire_format=True)
    assert body.size == len(stored)
    assert b"".join(body.chunks()) == expected
    fd = body.open_fd()
    assert os.read(fd, 1_000_000) == expected
    os.close(fd)
    body.close()


def test_failures_are_spool_errors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse() -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(SpoolError, match="No space left"):
        Body(refuse, memory_limit=0).append(b"a")
    body = Body(in_file(tmp_path / "x"), memory_limit=0)
    body.append(b"a")
    monkeypatch.setattr(os, "write", lambda fd, data: refuse())
    with pytest.raises(SpoolError, match="No space left"):
        body.append(b"b")
    monkeypatch.undo()
    body.close()
