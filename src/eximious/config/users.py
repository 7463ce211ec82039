"""Users and groups named in the configuration, by name or by number."""

from __future__ import annotations

import grp
import pwd

from eximious.errors import ConfigError


def find_user(name: str) -> pwd.struct_passwd | None:
    """The account of that login name or user number; None if there is none."""
    try:
        return pwd.getpwuid(int(name)) if is_number(name) else pwd.getpwnam(name)
    except (KeyError, ValueError, OverflowError):
        return None


def user_id(name: str) -> int:
    """The number of the user; a number need not have an account. Raises ConfigError."""
    if is_number(name) and len(name) < 11:
        return int(name)
    account = find_user(name)
    if account is None:
        raise ConfigError(f"user {name} was not found")
    return account.pw_uid


def group_id(name: str) -> int:
    """The number of the group. Raises ConfigError."""
    if is_number(name) and len(name) < 11:
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except (KeyError, ValueError) as error:
        raise ConfigError(f"group {name} was not found") from error


def user_name(uid: int) -> str:
    """The login name, or the number if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)


def group_name(gid: int) -> str:
    """The group's name, or the number if it has none."""
    try:
        return grp.getgrgid(gid).gr_name
    except (KeyError, OverflowError):
        return str(gid)


def is_number(name: str) -> bool:
    """True if the name is a user's or group's number."""
    return name.isascii() and name.isdigit()
