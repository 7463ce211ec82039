"""Counting connections over workers."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from eximious.daemon.connections import SLOTS, ConnectionTable

ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "", "fe80::1%eth0"]


def test_counts_over_workers() -> None:
    table = ConnectionTable(3)
    first, third = table.part(0), table.part(2)
    slots = [first.enter("192.0.2.1"), first.enter("2001:db8::1")]
    third.enter("192.0.2.1")
    assert (table.total(), table.from_host("192.0.2.1"), table.from_host("2001:db8::1")) == (3, 2, 1)
    assert slots[0] is not None
    first.leave(slots[0])
    assert (table.total(), table.from_host("192.0.2.1")) == (2, 1)
    table.clear(2)
    assert (table.total(), table.from_host("192.0.2.1")) == (1, 0)


def test_a_full_part_has_no_room() -> None:
    own = ConnectionTable(1).part(0)
    assert all(own.enter("192.0.2.1") is not None for _ in range(SLOTS))
    assert own.enter("192.0.2.1") is None
    own.leave(17)
    assert own.enter("192.0.2.1") == 17


def test_other_processes_see_it() -> None:
    table = ConnectionTable(2)
    pid = os.fork()
    if pid == 0:
        table.part(1).enter("192.0.2.7")
        os._exit(0)
    os.waitpid(pid, 0)
    assert (table.total(), table.from_host("192.0.2.7")) == (1, 1)


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(ADDRESSES), st.booleans()), max_size=60))
def test_it_counts_like_a_list(steps: list[tuple[int, str, bool]]) -> None:
    table = ConnectionTable(2)
    parts = [table.part(0), table.part(1)]
    there: list[tuple[int, str, int]] = []
    for worker, address, leaves in steps:
        mine = [entry for entry in there if entry[0] == worker]
        if leaves and mine:
            there.remove(mine[0])
            parts[worker].leave(mine[0][2])
        else:
            slot = parts[worker].enter(address)
            assert slot is not None
            there.append((worker, address, slot))
    assert table.total() == len(there)
    for address in ADDRESSES[:5]:
        assert table.from_host(address) == sum(entry[1] == address for entry in there)
