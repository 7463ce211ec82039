"""Items and conditions that look at more than their text: files, sockets, the clock, ACLs, passwords."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.expand.conditions import saslauthd
from eximious.taint import Tainted, is_tainted
from tests.expand.context import NOW, answer, make_context

DAY = 86400


# prvs -----------------------------------------------------------------------------------------------------------------


LIVES = [(0, "secret", "1"), (6, "secret", "1"), (7, "secret", "1"), (8, "secret", ""), (0, "other", "")]


@pytest.mark.parametrize(("days", "secret", "result"), LIVES)
def test_a_signed_address_is_good_for_a_week(days: int, secret: str, result: str) -> None:
    signed = answer("${prvs{user@a.test}{secret}{3}}", make_context())
    later = make_context()
    later.services.now = lambda: NOW + days * DAY
    text = f"${{prvscheck{{{signed}}}{{{secret}}}{{$prvscheck_address $prvscheck_keynum $prvscheck_result}}}}"
    assert answer(text, later) == f"user@a.test 3 {result}"
    assert answer("$prvscheck_result", later) == result
    assert answer("[$prvscheck_address]", later) == "[]"


@given(st.emails(), st.text(st.sampled_from("abc123"), min_size=1), st.sampled_from("0123456789"))
def test_signatures_are_recognised(address: str, secret: str, key: str) -> None:
    context = make_context()
    context.message.acl_variables.update({"m_a": address, "m_k": secret, "m_n": key})
    signed = answer("${prvs{$acl_m_a}{$acl_m_k}{$acl_m_n}}", context)
    context.message.acl_variables["m_s"] = signed
    assert answer("${prvscheck{$acl_m_s}{$acl_m_k}}", context) == address
    assert answer("$prvscheck_result", context) == "1"


# srs ------------------------------------------------------------------------------------------------------------------


def test_srs_there_and_back() -> None:
    encoded = answer("${srs_encode{secret}{user@from.test}{our.test}}")
    assert encoded.startswith("SRS0=")
    assert encoded.endswith("=from.test=user@our.test")
    local_part = encoded.partition("@")[0]
    assert answer(f"${{if inbound_srs{{{local_part}}}{{secret}}{{$srs_recipient}}{{no}}}}") == "user@from.test"
    assert answer(f"${{if inbound_srs{{{local_part}}}{{other}}{{yes}}{{no}}}}") == "no"
    assert answer("${if inbound_srs{plain}{secret}{yes}{no}}") == "no"


# crypteq --------------------------------------------------------------------------------------------------------------

CRYPTED = [
    ("password", "{md5}" + hashlib.md5(b"password").hexdigest(), True),
    ("password", "{sha1}" + hashlib.sha1(b"password").hexdigest(), True),
    ("password", "{sha1}" + hashlib.sha1(b"passwore").hexdigest(), False),
    ("password", "{md5}short", False),
    ("test", "$1$saltsalt$tTWg0JeO/sYmHvtKmZE8c.", True),
    ("tesd", "$1$saltsalt$tTWg0JeO/sYmHvtKmZE8c.", False),
    ("test", "", False),
    ("test", "*", False),
    ("test", "!!", False),
]


@pytest.mark.parametrize(("password", "hashed", "expected"), CRYPTED)
def test_crypteq(password: str, hashed: str, expected: bool) -> None:
    context = make_context()
    context.message.acl_variables["m_h"] = hashed
    assert answer(f"${{if crypteq{{{password}}}{{$acl_m_h}}{{yes}}{{no}}}}", context) == ("yes" if expected else "no")


def test_an_unknown_mechanism_is_an_error() -> None:
    text = "${if crypteq{x}{\\{rot13\\}k}{yes}{no}}"
    assert answer(text) == 'Failed: unknown encryption mechanism in "{rot13}k"'


# files ----------------------------------------------------------------------------------------------------------------


def test_readfile(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"one\ntwo\xe9\n\n")
    assert answer(f"${{readfile{{{tmp_path}/file}}}}") == "one\ntwo\xe9\n\n"
    assert answer(f"${{readfile{{{tmp_path}/file}}{{:}}}}") == "one:two\xe9::"
    assert answer(f"${{readfile{{{tmp_path}/none}}}}").startswith(
        f"Failed: failed to open {tmp_path}/none: No such file"
    )
    context = make_context()
    context.facts["forbid_readfile"] = True
    assert answer(f"${{readfile{{{tmp_path}/file}}}}", context) == "Failed: file insertions are not permitted"
    context = make_context()
    context.message.sender = Tainted(f"{tmp_path}/file")
    assert answer("${readfile{$sender_address}}", context).startswith("Failed:")


def test_exists_and_stat(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("12345")
    assert answer(f"${{if exists{{{tmp_path}/file}}{{yes}}{{no}}}}") == "yes"
    assert answer(f"${{if exists{{{tmp_path}/none}}{{yes}}{{no}}}}") == "no"
    shown = answer(f"${{stat:{tmp_path}/file}}")
    assert answer(f"${{extract{{size}}{{{shown}}}}}") == "5"
    assert answer(f"${{extract{{smode}}{{{shown}}}}}").startswith("-rw")
    assert answer("${if exists{relative}{yes}{no}}").startswith(("no", "Failed"))


def test_env(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_THING", "x y")
    assert answer("${env{SOME_THING}}") == "x y"
    assert answer("${env{SOME_THING}{[$value]}{no}}") == "[x y]"
    assert answer("${env{NO_SUCH_THING}{[$value]}{no}}") == "no"


# sockets --------------------------------------------------------------------------------------------------------------


def serve(server: socket.socket, reply: bytes, received: list[bytes]) -> threading.Thread:
    def run() -> None:
        connection, _ = server.accept()
        with connection:
            received.append(connection.recv(100))
            connection.sendall(reply)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def local_server(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        yield server, path


def test_readsocket(local_server: tuple[socket.socket, str]) -> None:
    server, path = local_server
    received: list[bytes] = []
    thread = serve(server, b"one\ntwo\n", received)
    assert answer(f"${{readsocket{{{path}}}{{question\\n}}{{3s}}{{:}}}}") == "one:two:"
    thread.join(5)
    assert received == [b"question\n"]


def test_readsocket_over_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        received: list[bytes] = []
        serve(server, b"answer", received)
        port = server.getsockname()[1]
        assert answer(f"${{readsocket{{inet:127.0.0.1:{port}}}{{q}}}}") == "answer"


def test_readsocket_has_a_time_limit(local_server: tuple[socket.socket, str]) -> None:
    _, path = local_server
    assert answer(f"${{readsocket{{{path}}}{{q}}{{1s}}{{}}{{failed}}}}") == "failed"
    assert answer(f"${{readsocket{{{path}}}{{q}}{{1s}}}}").startswith("Failed: socket read timed out")


def test_readsocket_without_server(tmp_path: Path) -> None:
    assert answer(f"${{readsocket{{{tmp_path}/none}}{{q}}}}").startswith("Failed: failed to connect to socket")
    assert answer(f"${{readsocket{{{tmp_path}/none}}{{q}}{{1s}}{{}}{{else}}}}") == "else"


@pytest.mark.parametrize(("reply", "expected"), [(b"\x00\x02OK", "yes"), (b"\x00\x02NO", "no"), (b"", "no")])
def test_saslauthd(
    reply: bytes, expected: str, local_server: tuple[socket.socket, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, path = local_server
    monkeypatch.setattr(saslauthd, "SOCKET", path)
    received: list[bytes] = []
    serve(server, reply, received)
    assert answer("${if saslauthd{{user}{pass}{smtp}{realm}}{yes}{no}}") == expected
    assert received == [b"\x00\x04user\x00\x04pass\x00\x04smtp\x00\x05realm"]


# ACLs -----------------------------------------------------------------------------------------------------------------

ACLS = """primary_hostname = mail.example.test
begin acl
say:
  accept message = $acl_narg:$acl_arg1:$acl_arg2
no:
  deny message = because
later:
  defer message = not now
nothing:
  accept
"""

CALLS = [
    ("${acl{say}{a}{b c}}", "2:a:b c"),
    ("${acl{say}}", "0::"),
    ("${acl{no}}", "because"),
    ("[${acl{nothing}}]", "[]"),
    ("${acl{later}}", 'Failed: DEFER from acl "later"'),
    ("${if acl{{say}{x}}{yes $value}{no}}", "yes 1:x:"),
    ("${if acl{{no}}{yes}{no $value}}", "no because"),
    ("${if acl{{later}}{yes}{no}}", 'Failed: DEFER from acl "later"'),
]


@pytest.mark.parametrize(("text", "expected"), CALLS)
def test_acls(text: str, expected: str) -> None:
    context = make_context(ACLS)
    assert answer(text, context) == expected
    assert answer("[$acl_narg][$acl_arg1]", context) == "[0][]"


def test_tainted_names_of_acls_are_refused() -> None:
    context = make_context(ACLS)
    context.message.sender = Tainted("say")
    assert "ainted" in answer("${acl{$sender_address}}", context)


# taint ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tainted"),
    [
        ("$sender_address", True),
        ("${lc:$sender_address}", True),
        ("${strlen:$sender_address}", False),
        ("${md5:$sender_address}", False),
        ("${if eq{$sender_address}{x}{a}{b}}", False),
        ("${sg{abc}{b}{$sender_address}}", True),
        ("${map{$sender_address}{x}}", False),
        ("${extract{1}{:}{$sender_address}}", True),
        ("${if match{$sender_address}{(.*)}{$1}}", True),
        ("${substr{1}{2}{$sender_address}}", True),
        ("${reduce{a:b}{$sender_address}{$value$item}}", True),
        ("${reduce{a:b}{}{$value$item}}", False),
    ],
)
def test_taint_goes_where_the_text_goes(text: str, tainted: bool) -> None:
    from eximious.expand.template import compile

    context = make_context()
    context.message.sender = Tainted("someone@a.test")
    assert is_tainted(compile(text).expand(context)) is tainted


def test_loops_restore_what_they_change() -> None:
    context = make_context()
    context.item, context.lookup_value, context.captures = "i", "v", ["c"]
    for text in (
        "${map{a:b}{$item}}",
        "${filter{a:b}{eq{$item}{a}}}",
        "${reduce{a:b}{}{$item}}",
        "${sort{b:a}{lt}{$item}}",
        "${if forany{a:b}{eq{$item}{a}}{y}{n}}",
        "${map{a:b}{$bogus}}",
        "${if match{abc}{(b)}{$1}}",
        "${lookup{x}lsearch{/nonexistent}}",
        "${if forall{a}{<{x}{1}}}",
    ):
        answer(text, context)
        assert answer("$item $value $0", context) == "i v c", text


def test_the_process_keeps_its_descriptors() -> None:
    before = set(os.listdir("/proc/self/fd"))
    for text in ("${run{/bin/true}}", "${readfile{/etc/passwd}}", "${lookup{root}lsearch{/etc/passwd}}", "${stat:/}"):
        answer(text)
    assert set(os.listdir("/proc/self/fd")) <= before
