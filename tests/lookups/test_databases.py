"""Indexed files that other programs write: Berkeley DB, LMDB, cdb, JSON."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.errors import Defer
from eximious.lookups.berkeley import Database, DatabaseError
from eximious.lookups.berkeley_writer import Writer
from eximious.lookups.cdb import ConstantDatabase
from tests.expand.context import answer

FILES = Path(__file__).parent / "files"


@given(st.dictionaries(st.binary(max_size=40), st.binary(max_size=3000), max_size=60))
def test_what_is_written_is_found(records: dict[bytes, bytes]) -> None:
    database = Database(Writer().build(records))
    assert {key: database.get(key) for key in records} == records
    assert dict(database.items()) == records
    assert database.get(b"\xffnot there") is None


def test_many_records_make_a_deep_tree() -> None:
    records = {b"key%06d" % number: b"value %d" % number for number in range(0, 60_000, 3)}
    database = Database(Writer().build(records))
    for number in range(0, 60_000, 997):
        assert database.get(b"key%06d" % number) == records.get(b"key%06d" % number)


@given(st.integers(0, 24_000), st.binary(min_size=1, max_size=8))
def test_a_damaged_file_is_an_error_and_nothing_worse(place: int, octets: bytes) -> None:
    data = bytearray((FILES / "berkeley.db").read_bytes())
    data[place : place + len(octets)] = octets
    with suppress(DatabaseError):
        Database(bytes(data)).get(b"alpha\0")


@given(st.integers(0, 2195), st.binary(min_size=1, max_size=8))
def test_a_damaged_cdb_is_an_error_and_nothing_worse(place: int, octets: bytes) -> None:
    data = bytearray((FILES / "constant.cdb").read_bytes())
    data[place : place + len(octets)] = octets
    with suppress(Defer):
        ConstantDatabase(bytes(data)).get(b"first")


JSON = [
    ("name", "x"),
    ("list:0", "1"),
    ("list:1", "two"),
    ("list:2:four", "true"),
    ("list:2:three", "none"),
    ("list:9", "none"),
    ("list", '[1, "two", {"three": null, "four": true}]'),
    ("num", "1.5"),
    ("obj:a", "b\xc3\xa9"),
    ("obj:nope", "none"),
    ("name:x", "none"),
    ("<; obj ; c", "{}"),
]


@pytest.mark.parametrize(("key", "expected"), JSON)
def test_json(key: str, expected: str) -> None:
    assert answer(f"${{lookup{{{key}}}json{{{FILES}/data.json}}{{$value}}{{none}}}}") == expected


def test_json_that_is_none_defers() -> None:
    found = answer(f"${{lookup{{a}}json{{{FILES}/keys}}}}")
    assert found.startswith('Failed: lookup of "a" gave DEFER: "json: ')
