"""Accounts of the local system, for ``check_local_user``, ``user``, ``group`` and ``require_files``."""

from __future__ import annotations

import grp
import pwd
from typing import TYPE_CHECKING

from eximious import waiting

if TYPE_CHECKING:
    from eximious.config.main import MainOptions


class LocalUser:
    """What the password data say about a user, as far as deliveries need it."""

    __slots__ = ("gid", "home", "name", "uid")

    def __init__(self, name: str, uid: int, gid: int | None, home: str) -> None:
        self.name = name
        self.uid = uid
        self.gid = gid  # None if the user was given as a number that has no account
        self.home = home


def find_login(name: str, main: MainOptions) -> LocalUser | None:
    """The account with this login name, or None.

    A name of more than ``max_username_length`` characters (0: any number) is nobody's. Where the password data are on
    a server that may not know everybody at once, ``finduser_retries`` asks again, each time after a second.
    """
    if not name or "\0" in name or 0 < main.max_username_length < len(name):
        return None
    for attempt in range(main.finduser_retries + 1):
        if attempt:
            waiting.sleep(1)
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return LocalUser(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir)
    return None


def find_user(text: str, main: MainOptions) -> LocalUser | None:
    """The user with this login name or, in digits, user id; None for a name without an account."""
    if text.isascii() and text.isdigit():
        return LocalUser(text, int(text), None, "")
    return find_login(text, main)


def find_group(text: str) -> int | None:
    """The group with this name or, in digits, group id; None for an unknown name."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return grp.getgrnam(text).gr_gid
    except (KeyError, ValueError):
        return None
