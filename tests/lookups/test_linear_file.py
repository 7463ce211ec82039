"""Files in lsearch's form: small and large ones give the same answers."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious import waiting
from eximious.lookups.linear_file import LargeFile, Table, entries, linear_file
from tests.expand.context import answer, make_context

TEXT = st.text(st.sampled_from('ab:# \t\n"\\x4A\xe9'), max_size=60)
KEYS = st.text(st.sampled_from('ab:# "\\xJA\xe9'), max_size=4)


@given(TEXT, KEYS)
def test_an_index_finds_what_a_table_finds(text: str, key: str) -> None:
    data = text.encode("latin-1")
    large = LargeFile(data)
    large._spent = 1e9  # so that an index is made at once
    assert large.find(key) == Table(data).find(key)


@given(TEXT, KEYS)
def test_a_search_finds_what_a_table_finds(text: str, key: str) -> None:
    data = text.encode("latin-1")
    large = LargeFile(data)
    large._cost = 1e9  # so that no index is made
    expected = Table(data).find(key)
    if key or expected is None:
        assert large.find(key) == expected


@given(TEXT)
def test_entries_never_have_line_ends(text: str) -> None:
    assert all("\n" not in key + rest for key, rest in entries(text) if '"' not in key)


@pytest.mark.parametrize("padding", [0, 400_000])
def test_a_large_file_is_searched_and_then_indexed(padding: int) -> None:
    """By a table if it is not very large."""
    lines = [f"User{number}: box {number}\n" for number in range(20_000)]
    file = linear_file("".join(lines).encode() + b"# ...\n" * padding)
    assert isinstance(file, LargeFile)
    assert file.find("user123") == ("User123", ": box 123")
    assert file.find("nobody") is None
    for number in range(0, 20_000, 50):
        file._spent += 0.01
        assert file.find(f"USER{number}") == (f"User{number}", f": box {number}")
    assert (file._table is None, file._index is None) == (padding > 0, padding == 0)


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "aliases"
    path.write_text("a: old\n")
    context = make_context()
    expression = f"${{lookup{{a}}lsearch{{{path}}}{{$value}}{{none}}}}"
    assert answer(expression, context) == "old"
    path.write_text("a: newer\n")
    assert answer(expression, context) == "old"  # cached while the same message is dealt with
    context.named_list_cache.clear()
    assert answer(expression, context) == "newer"
    os.unlink(path)
    context.named_list_cache.clear()
    assert answer(expression, context).startswith("Failed: failed to open")


@pytest.mark.parametrize("option", ["cache=no", "cache=no_rd"])
def test_the_cache_can_be_left_out(tmp_path: Path, option: str) -> None:
    path = tmp_path / "aliases"
    path.write_text("a: old\n")
    context = make_context()
    expression = f"${{lookup{{a}}lsearch,{option}{{{path}}}{{$value}}{{none}}}}"
    assert answer(expression, context) == "old"
    path.write_text("a: newer\n")
    assert answer(expression, context) == "newer"


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (tmp_path, fifo, "/dev/null"):
        expression = f"${{lookup{{a}}lsearch{{{path}}}{{$value}}{{none}}}}"
        assert answer(expression) == f"Failed: {path} is not a regular file (lsearch lookup)"


@pytest.mark.slow
def test_others_go_on_while_a_large_file_is_read_and_indexed(tmp_path: Path) -> None:
    path = tmp_path / "large"
    lines = [f"user{number}: value {number}\n" for number in range(300_000)]
    path.write_text('"a key": in quotes, so that there is an index from the start\n' + "".join(lines))
    context = make_context()
    ticks = 0

    def look_up() -> list[str]:
        return [answer(f"${{lookup{{user{number}}}lsearch{{{path}}}}}", context) for number in range(0, 300_000, 3000)]

    async def work() -> list[list[str]]:
        nonlocal ticks
        tasks = [asyncio.ensure_future(waiting.run(look_up)) for _ in range(2)]
        while not all(task.done() for task in tasks):
            ticks += 1
            await asyncio.sleep(0.001)
        return [task.result() for task in tasks]

    for found in asyncio.run(work()):
        assert found == [f"value {number}" for number in range(0, 300_000, 3000)]
    assert ticks > 10
