"""Variables: the table of their modules, what they are read from, what is said of those that are not there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from eximious.address.delivery import Address, Host
from eximious.context import Context
from eximious.expand.template import compile
from eximious.expand.variable import Variable, find_variable, variables
from eximious.expand.variables import CERTIFICATES, LATER, MODULES
from eximious.spool.message import Header, Recipient
from eximious.taint import Tainted, is_tainted
from tests.expand.context import NOW, answer, make_context

COUNTERS = {f"{name}{n}" for name in ("n", "sn") for n in range(10)}
NUMBERED = {
    *COUNTERS,
    *(f"auth{n}" for n in range(1, 5)),
    *(f"acl_arg{n}" for n in range(1, 10)),
    *(f"regex{n}" for n in range(1, 10)),
}


def test_the_table_names_the_module_of_every_variable() -> None:
    declared = set(variables.load_all())
    assert declared - NUMBERED == set(MODULES) - NUMBERED
    assert not set(MODULES) & set(LATER)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_variable_is_found_by_name_and_gives_text(name: str) -> None:
    node = find_variable(name)
    assert isinstance(node, Variable)
    assert node.name == name
    if name not in CERTIFICATES:
        assert isinstance(node.evaluate(make_context()), str)


@pytest.mark.parametrize("name", sorted(NUMBERED - COUNTERS))
def test_numbered_variables(name: str) -> None:
    assert answer(f"[${name}]") == "[]"


@pytest.mark.parametrize("name", sorted(COUNTERS))
def test_counters_exist_in_filters_only(name: str) -> None:
    assert answer(f"[${name}]") == f'Failed: unknown variable name "{name}"'
    context = make_context()
    context.facts["system_filter_counters" if name.startswith("s") else "filter_counters"] = list(range(10, 20))
    assert answer(f"[${name}]", context) == f"[1{name[-1]}]"


@pytest.mark.parametrize("name", sorted(LATER))
def test_variables_of_missing_features_say_so(name: str) -> None:
    template = compile(f"a ${name}")
    assert [fault.message for fault in template.faults] == [
        f"${name} belongs to {LATER[name]}, which this version does not have yet"
    ]
    assert answer(f"a ${name}") == f"Failed: {template.faults[0].message}"


def delivery() -> Context:
    """A context with something in every place that variables are about."""
    context = make_context("primary_hostname = mail.example.test\nqualify_domain = q.test\n")
    client, message = context.client, context.message
    client.host_address, client.host_port = "192.0.2.7", 4025
    client.host_name = Tainted("client.test")
    client.helo_name = Tainted("helo.test")
    client.interface_address, client.interface_port = "192.0.2.1", 25
    client.ident = "someone"
    client.authenticated_id = Tainted("joe")
    client.authenticator_name = "plain"
    client.acl_variables["c_x"] = "connection"
    message.received_protocol = "esmtps"
    message.id = "1abcde-000000000Ab-0000"
    message.sender = Tainted("Sender@From.test")
    message.acl_variables["m0"] = "message"
    message.recipients = [Recipient(Tainted("one@a.test")), Recipient(Tainted("two@b.test"))]
    message.headers = [Header("Subject: hello\n"), Header("X-A: 1\n"), Header("X-A: 2\n")]
    context.address = Address(Tainted("Local@Domain.test"))
    context.host = Host("mx.test", "192.0.2.99")
    context.router_name, context.transport_name = "a_router", "a_transport"
    context.acl_arguments = ["first", "second"]
    context.captures = ["whole", "part"]
    context.lookup_value = "found"
    context.item = "an item"
    return context


VALUES = [
    ("$sender_host_address:$sender_host_port", "192.0.2.7:4025"),
    ("$sender_host_name", "client.test"),
    ("$sender_helo_name", "helo.test"),
    ("$received_ip_address:$received_port", "192.0.2.1:25"),
    ("$interface_address:$interface_port", "192.0.2.1:25"),
    ("$sender_ident", "someone"),
    ("$sender_fullhost", "client.test (helo.test) [192.0.2.7]"),
    ("$received_protocol", "esmtps"),
    ("$authenticated_id", "joe"),
    ("$sender_host_authenticated", "plain"),
    ("$acl_c_x $acl_m0 [$acl_m_other]", "connection message []"),
    ("$message_id $message_exim_id", "1abcde-000000000Ab-0000 1abcde-000000000Ab-0000"),
    ("$sender_address", "Sender@From.test"),
    ("$sender_address_local_part $sender_address_domain", "Sender From.test"),
    ("$recipients_count", "2"),
    ("$h_subject:", "hello"),
    ("$h_x-a:", "1\n2"),
    ("$rh_x-a:", " 1\n 2\n"),
    ("$bh_x-a:", "1\n2"),
    ("$local_part $domain", "local domain.test"),
    ("$host $host_address", "mx.test 192.0.2.99"),
    ("$router_name $transport_name", "a_router a_transport"),
    ("$acl_narg $acl_arg1 $acl_arg2 [$acl_arg3]", "2 first second []"),
    ("$0 $1 [$2]", "whole part []"),
    ("$value $item", "found an item"),
    ("$qualify_domain $qualify_recipient $primary_hostname", "q.test q.test mail.example.test"),
    ("$tod_log", "2026-11-24 12:00:00"),
    ("$tod_full", "Tue, 24 Nov 2026 12:00:00 +0000"),
    ("$tod_bsdinbox", "Tue Nov 24 12:00:00 2026"),
    ("$tod_zulu", "20261124120000Z"),
    ("$tod_logfile", "20261124"),
    ("$tod_epoch", "1795521600"),
    ("$tod_zone", "+0000"),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values(text: str, expected: str) -> None:
    assert answer(text, delivery()) == expected


TAINTED = ["sender_address", "h_subject:", "sender_helo_name", "local_part", "domain", "authenticated_id"]
CLEAN = ["primary_hostname", "message_id", "sender_host_address", "tod_log", "recipients_count", "router_name"]


@pytest.mark.parametrize("name", TAINTED)
def test_what_came_from_outside_is_tainted(name: str) -> None:
    assert is_tainted(compile(f"x${name}").expand(delivery()))


@pytest.mark.parametrize("name", CLEAN)
def test_what_is_our_own_is_not(name: str) -> None:
    assert not is_tainted(compile(f"x${name}").expand(delivery()))


def test_unset_acl_variables_are_errors_if_that_is_asked_for() -> None:
    context = make_context("primary_hostname = a.test\nstrict_acl_vars\n")
    assert answer("$acl_m_x", context) == 'Failed: unknown variable name "acl_m_x" (strict_acl_vars is set)'
    context.message.acl_variables["m_x"] = ""
    assert answer("[$acl_m_x]", context) == "[]"


@pytest.mark.parametrize(
    ("where", "visible", "expected"),
    [
        ("RCPT", None, "[][]"),
        ("DATA", None, "[one@a.test, two@b.test][one@a.test:two@b.test]"),
        ("DATA", False, "[][]"),
        ("RCPT", True, "[one@a.test, two@b.test][one@a.test:two@b.test]"),
    ],
)
def test_recipients_are_not_for_everybody(where: str, visible: bool | None, expected: str) -> None:
    context = delivery()
    context.acl_where = where
    if visible is not None:
        context.facts["recipients_visible"] = visible
    assert answer("[$recipients][$recipients_list]", context) == expected


def test_where_and_by_whom_the_program_was_started() -> None:
    context = make_context()
    services = context.services
    services.real_uid, services.real_gid, services.initial_cwd = 1000, 100, "/home/fred"
    assert answer("$caller_uid $caller_gid $initial_cwd", context) == "1000 100 /home/fred"
    worker = make_context()
    worker.services.started_like(services)
    assert answer("$caller_uid $caller_gid $initial_cwd", worker) == "1000 100 /home/fred"


def test_the_queue_is_counted_once_a_minute(tmp_path: Path) -> None:
    context = make_context(f"primary_hostname = a.test\nspool_directory = {tmp_path}\n")
    services = context.services
    queued = ["one", "two"]
    services.__dict__["spool"] = SimpleNamespace(list_ids=lambda: queued)
    assert answer("[$queue_size]", context) == "[]"  # no daemon runs
    Path(context.config.main.notifier_socket or "").touch()
    assert answer("[$queue_size]", context) == "[2]"
    queued.append("three")
    services.now = lambda: NOW + 59
    assert answer("[$queue_size]", context) == "[2]"
    services.now = lambda: NOW + 61
    assert answer("[$queue_size]", context) == "[3]"
