"""The ipliteral, queryprogram and iplookup routers; SRV targets; copies under ``unseen``."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from eximious.address.delivery import Address
from eximious.routers.engine import route
from eximious.routers.ipliteral import literal_address
from eximious.routers.outcome import Outcome
from eximious.routers.queryprogram import parse_fields
from eximious.routers.srv import in_order
from eximious.taint import Tainted

from .place import Place

REST = "rest:\n driver = accept\n transport = t2\n"
LATER = "x@test.ex cannot be resolved at this time: "
NEW = ["y@new.ex", "    <-- x@test.ex", "  router = rest, transport = t2"]
PASSED_ON = ["x@test.ex", "  router = rest, transport = t2"]

# --- ipliteral --------------------------------------------------------------------------------------------------------

LITERALS = [
    ("[192.0.2.1]", "192.0.2.1"),
    ("[IPv6:2001:db8::1]", "2001:db8::1"),
    ("[ipv4:192.0.2.1]", "192.0.2.1"),
    ("[2001:db8::1]", "2001:db8::1"),
    ("[192.0.2]", None),
    ("[]", None),
    ("[fe80::1%eth0]", None),
    ("192.0.2.1", None),
    ("[x]", None),
]


@pytest.mark.parametrize(("domain", "expected"), LITERALS)
def test_literals(domain: str, expected: str | None) -> None:
    assert literal_address(domain) == expected


IPLITERAL = [
    ("x@[192.0.2.1]", "", ["x@[192.0.2.1]", "  router = r, transport = s", "  host [192.0.2.1] [192.0.2.1]"]),
    ("x@[192.0.2.1]", "ignore_target_hosts = 192.0.2.1", ["x@[192.0.2.1]", "  router = rest, transport = t2"]),
    ("x@[10.9.9.9]", "", ["x@[10.9.9.9] cannot be resolved at this time: remote host address is the local host"]),
    ("x@[10.9.9.9]", "self = send", ["x@[10.9.9.9]", "  router = r, transport = s", "  host [10.9.9.9] [10.9.9.9]"]),
    ("x@[2001:db8::1]", "", ["x@[2001:db8::1]", "  router = rest, transport = t2"]),
    ("x@test.ex", "", PASSED_ON),
]


@pytest.mark.parametrize(("address", "options", "expected"), IPLITERAL)
def test_ipliteral(address: str, options: str, expected: list[str], tmp_path: Path) -> None:
    place = Place(tmp_path, f"r:\n driver = ipliteral\n transport = s\n {options}\n{REST}")
    assert place.routed(address) == expected


# --- queryprogram -----------------------------------------------------------------------------------------------------

SETUP = "*** Error in setting up pipe, file, or autoreply:"
OUTPUTS: list[tuple[str, list[str]]] = [
    ("accept", ["x@test.ex", "  router = q, transport = t1"]),
    ("ACCEPT transport=t2", ["x@test.ex", "  router = q, transport = t2"]),
    (
        "accept hosts=192.0.2.1:192.0.2.2::26 transport=s",
        [
            "x@test.ex",
            "  router = q, transport = s",
            "  host 192.0.2.1 [192.0.2.1]",
            "  host 192.0.2.2 [192.0.2.2] port=26",
        ],
    ),
    ("accept transport=nosuch", [LATER + "unknown transport name nosuch yielded by command"]),
    ("accept hosts=1.2.3.4 transport=s lookup=foo", [LATER + 'bad lookup type "foo" yielded by command']),
    ("decline", PASSED_ON),
    ("pass", PASSED_ON),
    ("fail no such user", ["x@test.ex is undeliverable: no such user"]),
    ("defer why not", [LATER + "why not"]),
    ("freeze it", [LATER + "it"]),
    ("redirect y@z.ex", ["y@z.ex", "    <-- x@test.ex", "  router = rest, transport = t2"]),
    ("redirect /etc/passwd", ["x@test.ex -> /etc/passwd *** forbidden ***"]),
    ("redirect |/bin/sh", ["x@test.ex -> |/bin/sh *** forbidden ***"]),
    ("redirect :include:/etc/passwd", [LATER + "error in redirect data: included files not permitted"]),
    ("redirect :fail: no", ["x@test.ex is undeliverable: no"]),
    ("junk foo", [LATER + "bad command yield: junk foo"]),
    ("", [LATER + "q router: command failed to return data"]),
]


def query(folder: Path, script: str) -> Place:
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    routers = f"""q:
 driver = queryprogram
 domains = test.ex
 command = {path} $local_part_data
 command_user = nobody
 transport = t1
{REST}"""
    return Place(folder, routers)


@pytest.mark.parametrize(("output", "expected"), OUTPUTS)
def test_output(output: str, expected: list[str], tmp_path: Path) -> None:
    assert query(tmp_path, f"echo '{output}'").routed("x@test.ex") == expected


ENDINGS = [
    ("exit 3", "q router: command returned non-zero code 3", "freeze"),
    ("echo accept; exit 3", "q router: command returned non-zero code 3", "freeze"),
    ("kill -9 $$", "q router: command killed by signal 9", "freeze"),
    ("echo freeze it", "it", "freeze"),
    ("echo defer it", "it", ""),
]


@pytest.mark.parametrize(("script", "message", "action"), ENDINGS)
def test_endings(script: str, message: str, action: str, tmp_path: Path) -> None:
    routed = route(Address(Tainted("x@test.ex")), query(tmp_path, script).context())
    assert (routed.outcome, routed.address.message) == (Outcome.DEFERRED, message)
    assert routed.address.special_action == action


def test_data_of_the_command(tmp_path: Path) -> None:
    place = query(tmp_path, """echo 'accept data="a \\\\"b\\\\" c" more=x'""")
    assert route(Address(Tainted("x@test.ex")), place.context()).deliveries[0].address_data == 'a "b" c'


FIELDS = [
    ("", {}),
    ("a=1 B=2", {"a": "1", "b": "2"}),
    ('a="x y" b=z', {"a": "x y", "b": "z"}),
    ('a = "x"', {"a": "x"}),
    ("junk a=1", {}),
]


@pytest.mark.parametrize(("text", "fields"), FIELDS)
def test_fields(text: str, fields: dict[str, str]) -> None:
    assert parse_fields(text) == fields


# --- iplookup ---------------------------------------------------------------------------------------------------------


@contextmanager
def server(kind: int, answer: bytes, asked: list[bytes]) -> Iterator[int]:
    """Answers one question on a free port."""
    listening = socket.socket(socket.AF_INET, kind)
    listening.bind(("127.0.0.1", 0))
    listening.settimeout(5)

    def serve() -> None:
        if kind == socket.SOCK_DGRAM:
            question, peer = listening.recvfrom(1000)
            asked.append(question)
            listening.sendto(answer, peer)
            return
        connection, _ = listening.accept()
        with connection:
            asked.append(connection.recv(1000))
            connection.sendall(answer)

    if kind == socket.SOCK_STREAM:
        listening.listen()
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        thread.join()
        listening.close()


ANSWERS: list[tuple[str, str, list[str], str]] = [
    (
        "",
        "y@new.ex x@test.ex\n",
        NEW,
        "x@test.ex x@test.ex",
    ),
    ("", "y@new.ex other@test.ex", PASSED_ON, "x@test.ex x@test.ex"),
    (
        "query = who is $local_part",
        "y@new.ex",
        NEW,
        "who is x",
    ),
    (
        "query = $local_part\n reroute = $1@$2",
        "a b c",
        [LATER + "reroute string @ is not of the form user@domain"],
        "x",
    ),
    (
        "query = $local_part\n response_pattern = ^(\\w+) (\\S+)\n reroute = $1@$2",
        "a b.ex c",
        ["a@b.ex", "    <-- x@test.ex", "  router = rest, transport = t2"],
        "x",
    ),
    ("query = $local_part\n response_pattern = ^no", "a b", PASSED_ON, "x"),
]


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize(("options", "answer", "expected", "question"), ANSWERS)
def test_iplookup(protocol: str, options: str, answer: str, expected: list[str], question: str, tmp_path: Path) -> None:
    asked: list[bytes] = []
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with server(kind, answer.encode(), asked) as port:
        routers = f"r:\n driver = iplookup\n domains = test.ex\n hosts = 127.0.0.1\n port = {port}\n"
        routers += f" protocol = {protocol}\n {options}\n"
        assert Place(tmp_path, routers + REST).routed("x@test.ex") == expected
    assert asked == [question.encode()]


UNANSWERED = [("", [LATER + "r router: no response received from any host"]), ("optional", PASSED_ON)]


@pytest.mark.parametrize(("option", "expected"), UNANSWERED)
def test_nobody_answers(option: str, expected: list[str], tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        routers = f"r:\n driver = iplookup\n hosts = 127.0.0.1\n port = {port}\n protocol = tcp\n {option}\n"
        assert Place(tmp_path, routers + REST).routed("x@test.ex") == expected


# --- SRV --------------------------------------------------------------------------------------------------------------


def test_priorities_come_first() -> None:
    targets = [(20, 0, 25, "c"), (10, 5, 26, "a"), (10, 0, 25, "b")]
    for seed in range(20):
        hosts = in_order(targets, random.Random(seed))
        assert {host.name for host in hosts[:2]} == {"a", "b"}
        assert [(host.name, host.port, host.mx) for host in hosts[2:]] == [("c", 25, 20)]


def test_weights() -> None:
    source = random.Random(7)
    first = [in_order([(1, 90, 25, "heavy"), (1, 10, 25, "light")], source)[0].name for _ in range(1000)]
    assert 850 < first.count("heavy") < 950


# --- unseen -----------------------------------------------------------------------------------------------------------


def test_unseen(tmp_path: Path) -> None:
    place = Place(
        tmp_path,
        f"""r:
 driver = accept
 transport = t1
 unseen
 address_data = kept
 errors_to = other@test.ex
 headers_add = X: y
{REST}""",
    )
    routed = route(Address(Tainted("x@test.ex")), place.context())
    (delivery,) = routed.deliveries
    (copy,) = routed.generated
    assert delivery.parent is copy.parent
    assert delivery.parent is not None
    assert delivery.parent.child_count == 2
    assert "unseen" in delivery.flags
    assert delivery.extra_headers == ["X: y\n"]
    assert (copy.address, copy.address_data, copy.errors_to) == ("x@test.ex", "kept", "other@test.ex")
    assert copy.extra_headers == []
    second = route(copy, place.context())
    assert second.deliveries[0].router.name == "rest"


def test_unseen_redirection(tmp_path: Path) -> None:
    place = Place(tmp_path, f"r:\n driver = redirect\n data = y@z.ex\n domains = test.ex\n unseen\n{REST}")
    assert place.routed("x@test.ex") == [
        "y@z.ex",
        "    <-- x@test.ex",
        "    <-- x@test.ex",
        "  router = rest, transport = t2",
        "x@test.ex",
        "    <-- x@test.ex",
        "  router = rest, transport = t2",
    ]
