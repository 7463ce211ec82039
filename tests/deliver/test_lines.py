"""Lines of the main log about deliveries."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from eximious.address.delivery import Address, Host
from eximious.deliver.lines import address_text, deferred_line, delivered_line, failed_line, quoted
from eximious.deliver.progress import duration
from eximious.transports.outcome import Sent, deferred, delivered, failed

LOCAL = SimpleNamespace(name="box", is_local=True, driver_name="appendfile", rcpt_include_affixes=False)
REMOTE = SimpleNamespace(name="smtp", is_local=False, driver_name="smtp", rcpt_include_affixes=False)
USERS = SimpleNamespace(name="users", log_as_local=None, logs_as_local=True)
FAR = SimpleNamespace(name="far", log_as_local=None, logs_as_local=False)


def generated(*texts: str, router: Any = FAR, transport: Any = LOCAL, **attributes: Any) -> Address:
    """An address; those before it are what it was generated from."""
    address = Address(texts[0])
    for text in texts[1:]:
        following = Address(text)
        following.parent = address
        address = following
    address.router, address.transport = router, transport
    for name, value in attributes.items():
        setattr(address, name, value)
    return address


PIPE: dict[str, Any] = {"flags": {"pipe"}, "redirected_file": "|/bin/cat"}
FILE: dict[str, Any] = {"flags": {"file"}, "redirected_file": "/mail/a"}
ADDRESSES = [
    (generated("a@x.example"), "a@x.example"),
    (generated("a@x.example", router=USERS), "a <a@x.example>"),
    (generated("A@x.example", "a@x.example"), "a@x.example <A@x.example>"),
    (generated("a@X.example", "a@x.example"), "a@x.example"),
    (generated("list@x.example", "more@x.example", "a@x.example"), "a@x.example <list@x.example>"),
    (generated("a@x.example", "|/bin/cat", **PIPE), "|/bin/cat <a@x.example>"),
    (generated("a@x.example", "b@x.example", "|/bin/cat", **PIPE), "|/bin/cat (b@x.example) <a@x.example>"),
    (generated("a@x.example", "/mail/a", **FILE), "/mail/a <a@x.example>"),
]


@pytest.mark.parametrize(("address", "text"), ADDRESSES)
def test_addresses(address: Address, text: str) -> None:
    assert address_text(address) == text


def test_all_parents() -> None:
    address = generated("a@x.example", "b@x.example", "c@x.example", "d@x.example")
    assert address_text(address, all_parents=True) == "d@x.example (c@x.example, b@x.example) <a@x.example>"


def sent_outcome(**attributes: Any) -> Any:
    """A delivery by SMTP."""
    outcome = delivered()
    outcome.host = Host("mx.far.example", "192.0.2.1", 25)
    outcome.confirmation = 'ok "so"'
    outcome.sent = Sent()
    for name, value in attributes.items():
        setattr(outcome.sent, name, value)
    return outcome


TLS = SimpleNamespace(
    cipher="TLS1.3:X:256", resumption=0, dane=False, is_verified=True, peer_dn='/CN="mx"', sni="mx.far.example"
)
SENT: list[tuple[dict[str, Any], set[str], str]] = [
    ({}, set(), "H=mx.far.example [192.0.2.1]"),
    ({}, {"smtp_confirmation"}, 'H=mx.far.example [192.0.2.1] C="ok \\"so\\""'),
    ({}, {"outgoing_port"}, "H=mx.far.example [192.0.2.1]:25"),
    ({"reused": True}, set(), "H=mx.far.example [192.0.2.1]*"),
    ({"proxy": ("198.51.100.1", 1080)}, {"proxy"}, "H=mx.far.example [192.0.2.1] PRX=[198.51.100.1]:1080"),
    (
        {"interface": "192.0.2.9"},
        {"incoming_interface", "outgoing_interface"},
        "H=mx.far.example [192.0.2.1] I=[192.0.2.9]",
    ),
    ({"tls": TLS}, {"tls_cipher"}, "H=mx.far.example [192.0.2.1] X=TLS1.3:X:256"),
    ({"tls": TLS}, {"tls_certificate_verified"}, "H=mx.far.example [192.0.2.1] CV=yes"),
    ({"tls": TLS}, {"tls_peerdn"}, 'H=mx.far.example [192.0.2.1] DN="/CN=\\"mx\\""'),
    ({"tls": TLS, "shows_identity": False}, {"tls_peerdn"}, "H=mx.far.example [192.0.2.1]"),
    ({"tls": TLS}, {"tls_sni"}, "H=mx.far.example [192.0.2.1]"),
    ({"authenticator": "plain"}, set(), "H=mx.far.example [192.0.2.1] A=plain"),
    ({"authenticator": "plain", "authenticated_id": "me"}, set(), "H=mx.far.example [192.0.2.1] A=plain:me"),
    ({"pipelining": True}, {"pipelining"}, "H=mx.far.example [192.0.2.1] L"),
    ({"prdr": True, "chunking": True}, set(), "H=mx.far.example [192.0.2.1] PRDR K"),
    ({"steps": "ese"}, {"protocol_detail"}, "H=mx.far.example [192.0.2.1] PS=ese"),
    ({"steps": "ese", "reused": True}, {"protocol_detail"}, "H=mx.far.example [192.0.2.1]*"),
]


@pytest.mark.parametrize(("attributes", "selected", "text"), SENT)
def test_remote_deliveries(attributes: dict[str, Any], selected: set[str], text: str) -> None:
    address = generated("a@x.example", transport=REMOTE)
    line = delivered_line("=>", address, sent_outcome(**attributes), None, "", frozenset(selected))
    assert line == f"=> a@x.example R=far T=smtp {text}"


def test_local_deliveries() -> None:
    outcome = delivered()
    outcome.return_path, outcome.size, outcome.shadow_name = "s@x.example", 42, "copy"
    selected = frozenset({"return_path_on_delivery", "delivery_size"})
    address = generated("a@x.example", router=USERS)
    line = delivered_line("->", address, outcome, "s@x.example", "QT=1s DT=0s", selected)
    assert line == "-> a <a@x.example> F=<s@x.example> P=<s@x.example> R=users T=box S=42 ST=copy QT=1s DT=0s"
    address.host_list = [Host("a.example"), Host("b.example")]
    assert " T=box H=a.example" in delivered_line("=>", address, delivered(), None, "", frozenset())


def test_failures() -> None:
    address = generated("a@x.example", transport=REMOTE)
    host = Host("mx.far.example", "192.0.2.1", 25)
    outcome = deferred("", 111)
    assert deferred_line(address, outcome, frozenset()) == "a@x.example R=far T=smtp defer (111): Connection refused"
    outcome = deferred("later", -44)
    outcome.host = host
    line = "a@x.example R=far T=smtp defer (-44) H=mx.far.example [192.0.2.1]: later"
    assert deferred_line(address, outcome, frozenset()) == line
    line = "a@x.example R=far T=smtp defer (-44) H=mx.far.example [192.0.2.1] DT=3s: later"
    assert deferred_line(address, outcome, frozenset(), took="DT=3s") == line
    line = "a@x.example R=far T=smtp : no DT=3s"
    assert failed_line(address, failed("no", 0), None, frozenset(), took="DT=3s") == line
    outcome = failed("no", 0)
    outcome.host, outcome.sent = host, Sent()
    outcome.sent.reused = True
    line = "a@x.example F=<s@x.example> R=far T=smtp H=mx.far.example [192.0.2.1]* : no"
    assert failed_line(address, outcome, "s@x.example", frozenset()) == line
    unrouted = generated("a@x.example", router=None, transport=None)
    assert (
        failed_line(unrouted, failed("Unrouteable address", 0), None, frozenset())
        == "a@x.example : Unrouteable address"
    )


def test_quoting() -> None:
    assert quoted('a"b\\c\nd') == 'a\\"b\\\\c\\\\nd'


@pytest.mark.parametrize(
    ("seconds", "millisec", "text"),
    [
        (0.0, False, "0s"),
        (0.6, False, "1s"),
        (59.9, True, "59.900s"),
        (61, True, "1m1s"),
        (3600, False, "1h"),
        (700000, False, "1w1d2h26m40s"),
        (-1, True, "0.000s"),
    ],
)
def test_durations(seconds: float, millisec: bool, text: str) -> None:
    assert duration(seconds, millisec) == text
