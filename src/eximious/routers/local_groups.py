"""The groups of a user."""

from __future__ import annotations

import os
import pwd


def groups_of(uid: int, gid: int) -> tuple[int, ...]:
    """All groups of a user, the given one among them."""
    try:
        return tuple(os.getgrouplist(pwd.getpwuid(uid).pw_name, gid))
    except KeyError:
        return (gid,)
