"""Routers that cannot be as they are set up: Exim's words for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.errors import ConfigErrors

from .place import Place

FAULTS = [
    ("driver = accept", "r router:\n  a transport is required for this router"),
    ("driver = redirect\n data = x\n transport = t1", "r router:\n  a transport must not be defined for this router"),
    ("driver = accept\n transport = t1\n pass_router = foo", 'new_router "foo" not found for "r" router'),
    ("driver = accept\n transport = t1\n pass_router = r", 'new_router "r" does not follow "r" router'),
    ("driver = redirect", 'one of "file" or "data" must be specified'),
    ("driver = redirect\n data = x\n file = y", 'only one of "file" or "data" must be specified'),
    ("driver = redirect\n data = x\n one_time\n unseen", '"unseen" may not be used with "one_time"'),
    (
        "driver = redirect\n data = x\n one_time\n headers_add = a: b",
        '"headers_add" and "headers_remove" are not permitted with "one_time"',
    ),
    ("driver = redirect\n data = x\n allow_filter", '"user" or "check_local_user" must be set with "allow_filter"'),
    (
        "driver = redirect\n data = x\n qualify_domain = x\n qualify_preserve_domain",
        'only one of "qualify_domain" or "qualify_preserve_domain" must be set',
    ),
    ("driver = manualroute\n transport = t1", "route_list or route_data (but not both) must be specified"),
    (
        "driver = manualroute\n transport = t1\n route_list = * x\n route_data = x",
        "route_list or route_data (but not both) must be specified",
    ),
    (
        "driver = manualroute\n transport = t1\n route_data = x\n host_find_failed = foo",
        "unrecognized setting for host_find_failed option",
    ),
    (
        "driver = manualroute\n transport = t1\n route_data = x\n host_all_ignored = ignore",
        "unrecognized setting for host_all_ignored option",
    ),
    ("driver = manualroute\n transport = t1\n route_data = x\n self = xyz", "xyz is not valid for the self option"),
    ("driver = queryprogram\n transport = t1", "a command specification is required"),
    ("driver = queryprogram\n transport = t1\n command = x", "command_user must be specified"),
    ("driver = iplookup", "a port must be specified"),
]


@pytest.mark.parametrize(("options", "message"), FAULTS)
def test_fault(options: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        Place(tmp_path, f"r:\n {options}\n")
    assert [fault.message for fault in caught.value.faults] == [message]


def test_every_driver_has_the_generic_options_of_exim() -> None:
    from eximious.routers.base import routers

    for name in ("accept", "dnslookup", "ipliteral", "iplookup", "manualroute", "queryprogram", "redirect"):
        driver = routers.find(name)
        assert driver is not None
        assert {"domains", "senders", "self", "unseen", "user", "verify"} <= set(driver.options)
