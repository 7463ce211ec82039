"""lmdb: files that the library and its programs write, and files that nobody should have written."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import lmdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.lookups.build import Builder
from eximious.lookups.lmdb_file import DatabaseError, LmdbFile
from tests.expand.context import answer, make_context

Records = dict[bytes, bytes]


def write(path: Path, records: Records) -> None:
    with lmdb.open(str(path), subdir=False, lock=False) as environment, environment.begin(write=True) as transaction:
        for key, value in records.items():
            transaction.put(key, value)


def opened(octets: bytes) -> LmdbFile:
    fd = os.memfd_create("lmdb")
    try:
        os.pwrite(fd, octets, 0)
        return LmdbFile(fd)
    finally:
        os.close(fd)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with something of everything."""
    path = tmp_path / "data.mdb"
    with lmdb.open(str(path), subdir=False, max_dbs=3) as environment:
        named = environment.open_db(b"named")
        several = environment.open_db(b"several", dupsort=True)
        backwards = environment.open_db(b"backwards", reverse_key=True)
        with environment.begin(write=True) as transaction:
            for key, value in [(b"first", b"data for first"), (b"*.example.org", b"wild"), (b"postfix\0", b"nul\0")]:
                transaction.put(key, value)
            transaction.put(b"*", b"default")
            transaction.put(b"*@example.net", b"at")
            transaction.put(b"long", b"x" * 100_000)
            transaction.put(b"key", b"in a name", db=named)
            transaction.put(b"key", b"x", db=backwards)
            for number in range(3):
                transaction.put(b"few", b"v%d" % number, db=several)
            for number in range(3000):
                transaction.put(b"many", b"v%05d" % number, db=several)
    return path


FOUND = [
    ("first", "lmdb", "data for first"),
    ("First", "lmdb", "none"),
    ("postfix", "lmdb", "none"),
    ("postfix", "lmdb,nul", "nul"),
    ("postfix", "lmdb,nul=yes", "nul"),
    ("postfix", "lmdb,nul=no", "none"),
    ("a.b.example.org", "partial-lmdb", "wild"),
    ("me@example.net", "lmdb*@", "at"),
    ("me@example.com", "lmdb*@", "default"),
    ("other", "lmdb*", "default"),
    ("first", "lmdb,ret=key", "first"),
    ("x" * 600, "lmdb", "none"),
    ("key", "lmdb,db=named", "in a name"),
    ("first", "lmdb,db=named", "none"),
    ("named", "lmdb", "none"),
    ("few", "lmdb,db=several", "v0"),
    ("many", "lmdb,db=several", "v00000"),
    ("key", "lmdb,db=nope", 'DEFER: "LMDB: Lookup error: PATH: there is no database \\"nope\\" in the file"'),
    (
        "key",
        "lmdb,db=backwards",
        'DEFER: "LMDB: Lookup error: PATH: the keys of the database are in an order that is not supported"',
    ),
]


@pytest.mark.parametrize(("key", "kind", "expected"), FOUND)
def test_find(path: Path, key: str, kind: str, expected: str) -> None:
    found = answer(f"${{lookup{{{key}}}{kind}{{{path}}}{{$value}}{{none}}}}")
    assert found.endswith(expected.replace("PATH", str(path)))


def test_long_data(path: Path) -> None:
    assert answer(f"${{strlen:${{lookup{{long}}lmdb{{{path}}}}}}}") == "100000"


def test_a_directory(tmp_path: Path, path: Path) -> None:
    (tmp_path / "db").mkdir()
    path.rename(tmp_path / "db" / "data.mdb")
    assert answer(f"${{lookup{{first}}lmdb{{{tmp_path}/db}}}}") == "data for first"


@pytest.mark.skipif(shutil.which("mdb_load") is None, reason="no mdb_load")
def test_mdb_load(tmp_path: Path) -> None:
    dump = "VERSION=3\nformat=print\ntype=btree\nmapsize=1048576\nHEADER=END\n key1\n val1\n key2\n val\\82\nDATA=END\n"
    path = tmp_path / "loaded.mdb"
    subprocess.run(["mdb_load", "-n", str(path)], input=dump.encode(), check=True)
    assert answer(f"${{lookup{{key1}}lmdb{{{path}}}}}") == "val1"
    assert answer(f"${{lookup{{key2}}lmdb{{{path}}}}}") == "val\x82"


def test_a_file_may_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "data.mdb"
    context = make_context()
    for value in (b"old", b"new"):
        write(tmp_path / "next.mdb", {b"key": value})
        (tmp_path / "next.mdb").rename(path)
        context.named_list_cache.clear()
        assert answer(f"${{lookup{{key}}lmdb{{{path}}}}}", context) == value.decode()


def test_a_file_may_be_replaced_while_another_process_has_the_old_one_open(tmp_path: Path) -> None:
    """Its lock file is still there, and of another transaction than the new file's."""
    path = tmp_path / "data.mdb"
    for number in range(4):
        write(path, {b"key": b"old %d" % number})
    holder = "import lmdb, sys; e = lmdb.open(sys.argv[1], subdir=False, readonly=True); print(e.begin()); input()"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", holder, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        Builder("lmdb").build("-", ["key: new"], str(path))
        assert answer(f"${{lookup{{key}}lmdb{{{path}}}}}") == "new"
        process.communicate(b"\n")


def test_a_file_may_be_written_to(tmp_path: Path) -> None:
    """Also where two transactions are completed while somebody else has the file open."""
    path = tmp_path / "data.mdb"
    context = make_context()
    for number in range(5):
        write(path, {b"key": b"%d" % number, b"pad%d" % number: b"x" * 5000})
        context.named_list_cache.clear()
        assert answer(f"${{lookup{{key}}lmdb{{{path}}}}}", context) == str(number)


def test_a_read_only_folder_without_a_lock_file(tmp_path: Path) -> None:
    write(tmp_path / "data.mdb", {b"key": b"value"})
    (tmp_path / "data.mdb").chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        assert answer(f"${{lookup{{key}}lmdb{{{tmp_path}/data.mdb}}}}") == "value"
        assert os.listdir(tmp_path) == ["data.mdb"]
    finally:
        tmp_path.chmod(0o755)


UNUSABLE = [
    ("/none", "Failed: LMDB: Unable to open environment with DIR/none: No such file or directory"),
    ("/text", 'Failed: lookup of "key" gave DEFER: "LMDB: Lookup error: DIR/text: the file is not an LMDB file"'),
    ("/empty", 'Failed: lookup of "key" gave DEFER: "LMDB: Lookup error: DIR/empty: the file is too short"'),
    ("/folder", "Failed: LMDB: Unable to open environment with DIR/folder/data.mdb: No such file or directory"),
    ("/pipe", "Failed: LMDB: Unable to open environment with DIR/pipe: not a regular file"),
]


@pytest.mark.parametrize(("name", "expected"), UNUSABLE)
def test_unusable(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / "text").write_text("key: value\n" * 100)
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert answer(f"${{lookup{{key}}lmdb{{{tmp_path}{name}}}}}").replace(str(tmp_path), "DIR") == expected


def test_a_relative_path() -> None:
    found = answer("${lookup{key}lmdb{data.mdb}}")
    assert found == "Failed: LMDB: Unable to open environment with data.mdb: not an absolute path"


@given(st.dictionaries(st.binary(min_size=1, max_size=60), st.binary(max_size=6000), max_size=80))
def test_what_the_library_writes_is_found(records: Records) -> None:
    octets = _octets(tuple(records.items()))
    file = opened(octets)
    assert {key: file.get(key) for key in records} == records
    assert file.get(b"\xffnot there" * 5) is None


@functools.cache
def _octets(records: tuple[tuple[bytes, bytes], ...]) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data.mdb")
        write(path, dict(records))
        return path.read_bytes()


@given(st.integers(0, 60_000), st.binary(min_size=1, max_size=8), st.integers(0, 200_000))
def test_a_damaged_file_is_an_error_and_nothing_worse(place: int, octets: bytes, length: int) -> None:
    records = tuple((b"key%d" % number, b"v" * number * 9) for number in range(300))
    data = bytearray(_octets(records))
    data[place : place + len(octets)] = octets
    file = opened(bytes(data[:length]))
    for key in (b"key3", b"key299", b"nope"):
        with suppress(DatabaseError):
            file.get(key)
