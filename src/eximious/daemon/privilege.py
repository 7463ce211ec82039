"""Giving up rights: a process becomes another user for good, and makes sure that it did.

Nothing here ever asks for rights back: all three user ids and all three group ids change together.
"""

from __future__ import annotations

import os

from eximious.errors import EximiousError

ROOT = 0


class PrivilegeError(EximiousError):
    """The kernel did not let the process become whom it should be; it must not go on."""


def is_root() -> bool:
    """True if this process may act as any user."""
    return os.geteuid() == ROOT


def become(uid: int, gid: int, *, groups: list[int] | None = None) -> None:
    """Become this user and group for good. Raises PrivilegeError.

    `groups` are the supplementary groups; None takes those that the account database lists. A process that is not root
    can become only whom it already is, really or effectively, and keeps its supplementary groups.
    """
    try:
        if os.geteuid() == ROOT:
            os.setgroups(supplementary_groups(uid, gid) if groups is None else groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except OSError as error:
        raise PrivilegeError(f"unable to set gid={gid} or uid={uid} (euid={os.geteuid()}): {error.strerror}") from error
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid):
        raise PrivilegeError(f"gid={gid} or uid={uid} was set, but is not in effect")


def supplementary_groups(uid: int, gid: int) -> list[int]:
    """The groups of the user in the account database, with `gid` among them."""
    import pwd

    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return [gid]
    return os.getgrouplist(name, gid)


def keep_effective() -> None:
    """Make the real ids what the effective ones are: so children are not mistaken for the caller's."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except OSError as error:
        raise PrivilegeError(f"unable to set uid={uid}: {error.strerror}") from error


def become_caller(uid: int, gid: int, groups: frozenset[int]) -> None:
    """Act for the caller with no more than the caller's rights."""
    become(uid, gid, groups=sorted(groups))
