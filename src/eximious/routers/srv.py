"""The order of SRV targets: by priority, and at random by weight within one. (RFC 2782)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.address.delivery import Host

if TYPE_CHECKING:
    from random import Random


def in_order(targets: list[tuple[int, int, int, str]], random: Random) -> list[Host]:
    """Hosts for (priority, weight, port, name), in the order in which to try them."""
    hosts: list[Host] = []
    for priority in sorted({target[0] for target in targets}):
        # Targets without weight come first, so that they have a small chance to be chosen at all.
        left = sorted((target for target in targets if target[0] == priority), key=lambda target: target[1])
        while left:
            chosen = _choose(left, random)
            left.remove(chosen)
            hosts.append(Host(chosen[3], port=chosen[2], mx=priority))
    return hosts


def _choose(targets: list[tuple[int, int, int, str]], random: Random) -> tuple[int, int, int, str]:
    mark = random.randint(0, sum(target[1] for target in targets))
    total = 0
    for target in targets:
        total += target[1]
        if total >= mark:
            return target
    return targets[-1]
