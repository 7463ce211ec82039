"""The precondition ``require_files``: which files must or must not exist, as seen by which user."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from eximious.errors import ExpandError, ForcedFail
from eximious.routers.accounts import find_group, find_user
from eximious.routers.outcome import Deferred

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eximious.config.main import MainOptions
    from eximious.context import Context
    from eximious.expand.template import Template


class _As:
    """Whose access is checked; nobody's in particular at first."""

    __slots__ = ("gid", "uid")

    def __init__(self) -> None:
        self.uid: int | None = None
        self.gid: int | None = None


def files_hold(items: Iterable[Template], context: Context) -> bool:
    """True if every file of the list is there, or with ``!`` is not. Raises Deferred if that cannot be known."""
    checked_as = _As()
    for item in items:
        try:
            text = item.expand(context)
        except ForcedFail:
            continue
        except ExpandError as error:
            raise Deferred(f'failed to expand "{item.source}" for require_files: {error}') from error
        if not text:
            continue
        if "/" not in text:
            _change_user(text, checked_as, context.config.main)
        elif not _file_holds(text, checked_as):
            return False
    return True


def _change_user(text: str, checked_as: _As, main: MainOptions) -> None:
    """An item without a slash: the user, and with a comma the group, for the checks that follow."""
    name, comma, group = text.partition(",")
    user = find_user(name.rstrip(), main)
    if user is None:
        raise Deferred(f'user "{name.rstrip()}" for require_files not found')
    if user.gid is None and not comma:
        raise Deferred(f"group missing after numerical uid {user.uid} for require_files")
    checked_as.uid, checked_as.gid = user.uid, user.gid
    if comma:
        checked_as.gid = find_group(group.strip())
        if checked_as.gid is None:
            raise Deferred(f'group "{group.strip()}" for require_files not found')


def _file_holds(text: str, checked_as: _As) -> bool:
    """True if one file is, or with ``!`` is not, there."""
    path = text
    denied_is_absent = inverted = False
    while path[:1] in ("!", "+"):
        if path[0] == "!":
            inverted = True
        else:
            denied_is_absent = True
        path = path[1:].lstrip()
    if not path.startswith("/"):
        raise Deferred(f'require_files: "{path}" is not absolute')
    try:
        exists = _exists(path, checked_as)
    except PermissionError as error:
        if not denied_is_absent:
            raise Deferred(f"require_files: error for {path}: {error.strerror}") from error
        exists = False
    except OSError as error:
        raise Deferred(f"require_files: error for {path}: {error.strerror}") from error
    return exists != inverted


def _exists(path: str, checked_as: _As) -> bool:
    """True if there is such a file, False if not; PermissionError if the user may not read it."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return False
    if checked_as.uid:
        _check_access(path, checked_as.uid, checked_as.gid if checked_as.gid is not None else -1)
    return True


def _check_access(path: str, uid: int, gid: int) -> None:
    """A rough look at the mode bits of every directory on the path, and of the file itself."""
    parts = [part for part in path.split("/") if part]
    current = "/"
    for number, part in enumerate(["", *parts]):
        current = os.path.join(current, part)
        status = os.stat(current)
        need = 4 if number == len(parts) and not stat.S_ISDIR(status.st_mode) else 1
        shift = 6 if status.st_uid == uid else 3 if status.st_gid == gid else 0
        if not status.st_mode >> shift & need:
            raise PermissionError(13, os.strerror(13), path)
