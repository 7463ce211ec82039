"""Becoming another user, for good."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from eximious.daemon import privilege
from eximious.daemon.privilege import PrivilegeError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def in_child(function: Callable[[], bool]) -> bool:
    """True if the function, called in a process of its own, gives true."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if function() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_becoming_somebody_changes_all_ids() -> None:
    def become() -> bool:
        privilege.become(12345, 12346, groups=[12347])
        return os.getresuid() == (12345,) * 3 and os.getresgid() == (12346,) * 3 and os.getgroups() == [12347]

    assert in_child(become)


def test_there_is_no_way_back() -> None:
    def come_back() -> bool:
        privilege.become(12345, 12346, groups=[])
        try:
            privilege.become(0, 0, groups=[])
        except PrivilegeError:
            return os.getuid() == 12345
        return False

    assert in_child(come_back)


def test_a_set_user_id_process_becomes_its_caller() -> None:
    def drop() -> bool:
        os.setresuid(12345, 0, 0)
        privilege.become_caller(12345, 12346, frozenset({12347}))
        return os.getresuid() == (12345,) * 3

    assert in_child(drop)


def test_a_set_user_id_process_forgets_its_caller() -> None:
    def keep() -> bool:
        os.setresgid(12346, 0, 0)
        os.setresuid(12345, 0, 0)
        privilege.keep_effective()
        return os.getresuid() == (0, 0, 0) and os.getresgid() == (0, 0, 0)

    assert in_child(keep)


def test_groups_come_from_the_account_database() -> None:
    assert privilege.supplementary_groups(999999, 12346) == [12346]
