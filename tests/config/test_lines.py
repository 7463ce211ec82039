"""Physical lines become logical ones: comments, continuation, white space, macros, conditionals, inclusions."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.config.errors import Faults
from eximious.config.macros import Macros
from eximious.config.reader import Reader
from eximious.errors import ConfigErrors

from .files import complaint, read, write

TIMEZONE = [
    # continuation; what follows the backslash and leads the next line goes, what precedes the backslash stays
    ("timezone = a\\\n   b", "ab"),
    ("timezone = a \\\n   b", "a b"),
    ("timezone = a\\   \n   # comment\\\n   b  \n", "ab"),
    ("timezone = a\\\n\nqueue_only", "a"),
    ("timezone = a\\", "a"),
    ('timezone = "a\\\n   b c\\\n  d"  \n', "ab cd"),
    ("\\\n\ntimezone = a", "a"),
    ("timezone\t=a\r\n", "a"),
    ("# timezone = b\n  timezone = a # b", "a # b"),
    # quoted strings
    (r'timezone = "a\tb\x41\101\"\q\\"', 'a\tbAA"q\\'),
    ('timezone = "  a  "', "  a  "),
    (r"timezone = a\tb", r"a\tb"),
    # macros
    ("A = x\ntimezone = AbA", "xbx"),
    ("A =\nA\ntimezone = xAy", "xy"),
    ("A =#\nA foo\ntimezone = xAy", "x#y"),
    ('A = "a b"\ntimezone = A', "a b"),
    ("A = a\\\n  b\\\nc\ntimezone = A", "abc"),
    ("A = B\nB = A\ntimezone = ABA", "BBB"),
    ("A = B\nB = c\ntimezone = ABA", "ccc"),
    ("AB = 1\nA = 2\ntimezone = A-AB", "2-1"),
    ("A = 1\nA == A2\ntimezone = xAx", "x12x"),
    ("A = x\ntimezone = b\\\nA = c", "bx = c"),
    ("MACa_1 = a\ntimezone = MACa_1MACa_1", "aa"),
    # built-in macros
    ("timezone = a_HAVE_IPV6X", "ayX"),
    ("timezone = a_HAVE_TLS_RESUME", "a_HAVE_TLS_RESUME"),
    ("timezone = X_HAVE_IPV6", "X_HAVE_IPV6"),
    # conditionals
    (".ifdef A\ntimezone = a\n.else\ntimezone = b\n.endif", "b"),
    (".ifndef A\ntimezone = a\n.else\ntimezone = b\n.endif", "a"),
    ("A=1\n.ifdef xA\ntimezone = a\n.endif", "a"),
    (".ifdef _HAVE_IPV6\ntimezone = a\n.endif", "a"),
    (".ifdef _HAVE_IPV6X\ntimezone = a\n.endif", "a"),
    (".ifdef _HAVE_IPV\ntimezone = a\n.endif\ntimezone = b", "b"),
    (".ifdef _OPT_MAIN_TIMEZONE\ntimezone = a\n.endif", "a"),
    (".ifdef _OPT_MAIN_TIMEZON\ntimezone = a\n.endif\ntimezone = b", "b"),
    (".ifdef _DRIVER_ROUTER_ACCEPT\n.ifdef _OPT_ROUTERS_DOMAINS\n.ifdef _OPT_ROUTER_REDIRECT_DATA\ntimezone = a\n"
     ".endif\n.endif\n.endif", "a"),
    (".ifdef A\n.elifdef _HAVE_IPV6\ntimezone = a\n.else\ntimezone = b\n.endif", "a"),
    (".ifdef A\n.elifndef A\ntimezone = a\n.endif", "a"),
    (".ifdef A\n.else more text\ntimezone = a\n.endif of it", "a"),
    (".ifdef A\n.ifdef _HAVE_IPV6\ntimezone = b\n.else\ntimezone = c\n.endif\n.else\ntimezone = a\n.endif", "a"),
    (".ifdef A\n.include /nonexistent\n.foo\n.endif\ntimezone = a", "a"),
    ("timezone = a\\\n.ifdef A\nb\\\n.endif\nc", "ac"),
    (".include_if_exists /nonexistent\ntimezone = a", "a"),
    # case of section names, and options of other kinds, do not matter here
    ("timezone = a\nbegin ACL", "a"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TIMEZONE)
def test_value(text: str, expected: str, tmp_path: Path) -> None:
    assert read(tmp_path, text).main.timezone == expected


FAULTS = [
    ("A = 1\nA = 2", 'Exim configuration error:\n  macro "A" is already defined (use "==" if you want to redefine it)'),
    (
        "A = 1\nAB = 2",
        "Exim configuration error:\n"
        '  "AB" cannot be defined as a macro because previously defined macro "A" is a substring',
    ),
    ("A == 1", 'Exim configuration error:\n  can\'t redefine an undefined macro "A"'),
    ("A 1", "Exim configuration error in line 1 of FILE:\n  malformed macro definition"),
    ("A", "Exim configuration error in line 1 of FILE:\n  malformed macro definition"),
    ("A-B = 1", "Exim configuration error in line 1 of FILE:\n  malformed macro definition"),
    (
        "\nA" * 1 + "B" * 63 + " = 1",
        "Exim configuration error in line 2 of FILE:\n  macro name too long (maximum is 63 characters)",
    ),
    ("_A = 3", "Exim configuration error in line 1 of FILE:\n  option setting expected: _A = 3"),
    (
        ".ifdef A\nx = 1",
        "Exim configuration error in line 2 of FILE:\n  Unexpected end of configuration file: .endif missing",
    ),
    (".endif", "Exim configuration error in line 1 of FILE:\n  .endif without matching .ifdef"),
    (".else", "Exim configuration error in line 1 of FILE:\n  .else without matching .ifdef"),
    (".elifdef A", "Exim configuration error in line 1 of FILE:\n  .elifdef without matching .ifdef"),
    (".foo", "Exim configuration error in line 1 of FILE:\n  option setting expected: .foo"),
    (
        "\n.include /nonexistent",
        "Exim configuration error in line 2 of FILE:\n  failed to open included configuration file /nonexistent",
    ),
    (
        ".include_if_exists nonexistent",
        'Exim configuration error in line 1 of FILE:\n  .include specifies a non-absolute path "nonexistent"',
    ),
    (
        "\xef\xbb\xbftimezone = a",
        "Exim configuration error in line 1 of FILE:\n  found unexpected BOM (Byte Order Mark)",
    ),
    ("timezone = a\0b", "Exim configuration error in line 1 of FILE:\n  NUL character in configuration"),
    ("timezone = a\\\n\n b", 'Exim configuration error in line 3 of FILE:\n  main option "b" unknown'),
    # the line that Exim names is the last that it has read
    ("queue_only = \\\n \\\n maybe", "Exim configuration error in line 3 of FILE:\n"
     '  "maybe" is not a valid value for the "queue_only" option'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FAULTS)
def test_fault(text: str, expected: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, text) == expected


def test_command_line_macros_win(tmp_path: Path) -> None:
    text = "A = file\nA == again\ntimezone = A-B"
    assert read(tmp_path, text, {"A": "line", "B": "b"}).main.timezone == "line-b"


def test_macros_that_double_each_other_end(tmp_path: Path) -> None:
    text = "\n".join(f"{a} = {b * 60}" for a, b in zip("ABCDE", "BCDEF", strict=True)) + "\ntimezone = A"
    assert "makes the line too long" in complaint(tmp_path, text)


def test_included_file(tmp_path: Path) -> None:
    inner = write(tmp_path, ".ifdef A\ntimezone = b\\", "inner.conf")
    config = read(tmp_path, 'A = 1\n.include "inner.conf"\n  c\n.endif\nqueue_only')
    assert config.main.timezone == "bc"
    assert config.main.queue_only
    assert config.files == [str(tmp_path / "exim.conf"), inner]


def test_fault_in_an_included_file(tmp_path: Path) -> None:
    inner = write(tmp_path, "\nfoo = b", "inner.conf")
    assert complaint(tmp_path, ".include inner.conf").startswith(f"Exim configuration error in line 2 of {inner}:")


def test_a_file_that_includes_itself(tmp_path: Path) -> None:
    assert "include itself?" in complaint(tmp_path, ".include exim.conf\n.include exim.conf")


def test_a_folder_as_configuration(tmp_path: Path) -> None:
    assert "failed to read" in complaint(tmp_path, f".include {tmp_path}")


PLACES = [
    ("queue_only = maybe", "maybe", (1, 14)),
    ("queue_only = \\\n  maybe", "maybe", (2, 3)),
    ("A = maybe\nqueue_only = xA", "xmaybe", (2, 14)),
    ("A = only\nqueue_A = maybe", "maybe", (2, 11)),
    ("A = may\nqueue_only = \\\n # comment\n  Abe x", "x", (4, 7)),
]


@pytest.mark.parametrize(("text", "word", "expected"), PLACES)
def test_place(text: str, word: str, expected: tuple[int, int], tmp_path: Path) -> None:
    reader = Reader(Macros(), Faults())
    reader.open(write(tmp_path, text))
    while (line := reader.next()) is not None:
        if line.text.startswith("A ="):
            reader.macros.define("A", line.text[4:])
        else:
            place = line.place(line.text.rindex(word))
            assert (place.line, place.column) == expected


def test_place_in_a_quoted_string(tmp_path: Path) -> None:
    config = read(tmp_path, 'smtp_banner = "\\\n  a\\tb\\x41$c"')
    place = config.main.given["smtp_banner"].place
    assert place is not None
    assert [(place.at(offset).line, place.at(offset).column) for offset in range(6)] == [
        (2, 3), (2, 4), (2, 6), (2, 7), (2, 11), (2, 12),
    ]  # fmt: skip


@given(
    text=st.text(st.sampled_from('Aab=\\\n \t#."$_') | st.characters(max_codepoint=255), max_size=200)
    | st.lists(
        st.sampled_from(
            [".ifdef A", ".else", ".endif", "A = b", "A == A", "a = A\\", "begin acl", "hide x", "x:", '"']
        ),
        max_size=20,
    ).map("\n".join)
)
def test_nothing_else_is_raised(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    with contextlib.suppress(ConfigErrors):
        read(folder, text)
