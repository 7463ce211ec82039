"""Where the daemon listens, and how the log says it."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from eximious.daemon import listening
from eximious.daemon.listening import Interface, ListeningError

ANY = ["::0", "0.0.0.0"]


def options(**settings: Any) -> Any:
    usual: dict[str, Any] = {
        "daemon_smtp_ports": [25],
        "daemon_startup_retries": 0,
        "daemon_startup_sleep": 30,
        "disable_ipv6": False,
        "local_interfaces": ANY,
        "smtp_connect_backlog": 5,
        "tls_on_connect_ports": [],
    }
    return SimpleNamespace(**(usual | settings))


WANTED: list[tuple[dict[str, Any], str, list[tuple[str, int]]]] = [
    ({}, "", [("::", 25), ("0.0.0.0", 25)]),
    ({"disable_ipv6": True}, "", [("0.0.0.0", 25)]),
    ({"daemon_smtp_ports": [25, 587]}, "", [("::", 25), ("::", 587), ("0.0.0.0", 25), ("0.0.0.0", 587)]),
    ({}, "1225", [("::", 1225), ("0.0.0.0", 1225)]),
    ({}, "192.0.2.5.1125", [("192.0.2.5", 1125)]),
    ({}, "<; [2001:db8::1]:1125 ; 192.0.2.5", [("2001:db8::1", 1125), ("192.0.2.5", 25)]),
    ({}, "<; 2001:db8::1.1125", [("2001:db8::1", 1125)]),
    ({}, "26 : 127.0.0.1", [("127.0.0.1", 26)]),
    ({"local_interfaces": ["127.0.0.1.26", "0.0.0.0"]}, "", [("127.0.0.1", 26), ("0.0.0.0", 25)]),
    ({"local_interfaces": ["127.0.0.1", "127.0.0.1.25"]}, "", [("127.0.0.1", 25)]),
]


@pytest.mark.parametrize(("settings", "listen_on", "expected"), WANTED)
def test_interfaces(settings: dict[str, Any], listen_on: str, expected: list[tuple[str, int]]) -> None:
    assert [each.key for each in listening.interfaces(options(**settings), listen_on)] == expected


def test_tls_on_connect() -> None:
    found = listening.interfaces(options(daemon_smtp_ports=[25, 465], tls_on_connect_ports=[465]))
    assert {each.port for each in found if each.tls_on_connect} == {465}
    assert all(each.tls_on_connect for each in listening.interfaces(options(), all_tls=True))


@pytest.mark.parametrize("item", ["192.0.2.256", "[::1", "[::1]x", "name.25", "1.2.3", "", "::1.x", "[1.2.3.4]:y"])
def test_a_malformed_address(item: str) -> None:
    with pytest.raises(ListeningError, match="malformed IP address"):
        listening.split_port(item)


def test_ports_by_name() -> None:
    assert listening.port_number("smtp") == 25
    with pytest.raises(ListeningError, match="TCP port 'nonsense' not found"):
        listening.port_number("nonsense")


WORDS = [
    ([], "not listening for SMTP"),
    ([("::", 25), ("0.0.0.0", 25)], "listening for SMTP on port 25 (IPv6 and IPv4)"),
    ([("0.0.0.0", 25)], "listening for SMTP on port 25 (IPv4)"),
    ([("::", 25)], "listening for SMTP on port 25 (IPv6)"),
    ([("::", 25), ("0.0.0.0", 25), ("0.0.0.0", 26)], "listening for SMTP on port 25 (IPv6 and IPv4) port 26 (IPv4)"),
    ([("127.0.0.1", 26)], "listening for SMTP on [127.0.0.1]:26"),
    ([("127.0.0.1", 26), ("127.0.0.1", 27)], "listening for SMTP on [127.0.0.1]:{26,27}"),
    ([("0.0.0.0", 25), ("127.0.0.1", 26)], "listening for SMTP on port 25 (IPv4) [127.0.0.1]:26"),
    ([("0.0.0.0", 465)], "listening for SMTPS on port 465 (IPv4)"),
    ([("0.0.0.0", 25), ("0.0.0.0", 465)], "listening for SMTP on port 25 (IPv4) and for SMTPS on port 465 (IPv4)"),
]


@pytest.mark.parametrize(("places", "expected"), WORDS)
def test_description(places: list[tuple[str, int]], expected: str) -> None:
    found = [Interface(address, port, tls_on_connect=port == 465) for address, port in places]
    assert listening.describe(found) == expected


def test_sockets_are_used_again() -> None:
    log: list[str] = []
    first = listening.open_all([Interface("127.0.0.1", 0)], options(), log.append)
    second = listening.open_all([Interface("127.0.0.1", 0)], options(), log.append, existing=first)
    assert list(first.values()) == list(second.values())
    for sock in second.values():
        sock.close()
    assert log == []


def test_a_port_in_use_is_tried_again_and_then_given_up() -> None:
    log: list[str] = []
    slept: list[float] = []
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ListeningError, match="daemon abandoned"):
            listening.open_all(
                [Interface("127.0.0.1", port)], options(daemon_startup_retries=2), log.append, sleep=slept.append
            )
    assert slept == [30, 30]
    assert log[0].endswith("Address already in use: waiting 30s before trying again (2 more tries)")
    assert log[0].startswith(f"socket bind() to port {port} for address 127.0.0.1 failed: ")
