"""Accounts of the local system, for ``check_local_user``, ``user``, ``group`` and ``require_files``."""

from __future__ import annotations

import grp
import pwd


class LocalUser:
    """What the password data say about a user, as far as deliveries need it."""

    __slots__ = ("gid", "home", "name", "uid")

    def __init__(self, name: str, uid: int, gid: int | None, home: str) -> None:
        self.name = name
        self.uid = uid
        self.gid = gid  # None if the user was given as a number that has no account
        self.home = home


def find_login(name: str) -> LocalUser | None:
    """The account with this login name, or None."""
    if not name or "\0" in name:
        return None
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return LocalUser(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir)


def find_user(text: str) -> LocalUser | None:
    """The user with this login name or, in digits, user id; None for a name without an account."""
    if text.isascii() and text.isdigit():
        return LocalUser(text, int(text), None, "")
    return find_login(text)


def find_group(text: str) -> int | None:
    """The group with this name or, in digits, group id; None for an unknown name."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return grp.getgrnam(text).gr_gid
    except (KeyError, ValueError):
        return None
