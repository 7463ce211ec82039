"""Where redirection data come from: the ``data`` option, or a file with the right owner, group and mode."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import ExpandError, ForcedFail
from eximious.lookups.files import reason
from eximious.routers.as_user import run_as_user
from eximious.routers.outcome import Deferred
from eximious.taint import is_tainted
from eximious.transports.job import READ

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.routers.redirect import Redirect

LARGEST_FILE: Final = 1024 * 1024  # octets of a forward, list or filter file


def redirection_data(router: Redirect, address: Address, context: Context) -> str | None:
    """The text of a list or filter; None if there is none, so that the router declines. Raises Deferred."""
    if router.data is not None:
        text = _expanded(router, router.data, context)
    else:
        assert router.file is not None
        path = _expanded(router, router.file, context)
        text = None if path is None else _file_text(router, path, address, context)
    return text or None


def _expanded(router: Redirect, template: Template, context: Context) -> str | None:
    try:
        return template.expand(context)
    except ForcedFail:
        return None
    except ExpandError as error:
        raise Deferred(f'failed to expand "{template.source}": {error}') from error


def _file_text(router: Redirect, path: str, address: Address, context: Context) -> str | None:
    if is_tainted(path):  # an outsider must not choose which file is read
        message = f"Tainted name '{path}' for file read not permitted\n"
        raise Deferred(message)
    if not path.startswith("/"):
        raise Deferred(f'"{path}" is not an absolute path')
    try:
        octets = _read(router, path, address, context)
    except OSError as error:
        _judge_error(router, path, error)
        return None
    return octets.decode("latin-1")


def _read(router: Redirect, path: str, address: Address, context: Context) -> bytes:
    """The file's octets, read as the user if there is one. Raises OSError and Deferred."""
    ended = run_as_user(READ, {"path": path}, address, context)
    if ended is None:
        return read_file(path, lambda status: _check(router, path, status, context))
    if ended.descriptor is None:
        if ended.errno > 0:
            raise OSError(ended.errno, os.strerror(ended.errno))
        if ended.errno < 0:
            raise Deferred(internal_problem(router, address, ended.message))
        raise Deferred(f"{path} is {ended.message}" if ended.message.startswith("not a") else ended.message)
    try:
        _check(router, path, os.fstat(ended.descriptor), context)
        return _limited(ended.descriptor, path)
    finally:
        os.close(ended.descriptor)


def internal_problem(router: Redirect, address: Address, why: str) -> str:
    """What is said where this process cannot do something as the user."""
    return f"internal problem in {router.name} router (recipient is {address.address}): {why}"


def read_file(path: str, check: Any) -> bytes:
    """The whole file. `check` gets its status, and raises if the file must not be used."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        check(os.fstat(descriptor))
        return _limited(descriptor, path)
    finally:
        os.close(descriptor)


def _limited(descriptor: int, path: str) -> bytes:
    """The content of an open file. Raises Deferred if it is too much."""
    with open(descriptor, "rb", closefd=False) as stream:
        octets = stream.read(LARGEST_FILE + 1)
    if len(octets) > LARGEST_FILE:
        raise Deferred(f"{path} is too big (max {LARGEST_FILE})")
    return octets


def _check(router: Redirect, path: str, status: os.stat_result, context: Context) -> None:
    """Refuse what is no plain file, or what others could have written."""
    if not stat.S_ISREG(status.st_mode):
        raise Deferred(f"{path} is not a regular file")
    unexpected = status.st_mode & router.modemask
    if unexpected:
        raise Deferred(f"bad mode (0{status.st_mode:o}) for {path}: 0{unexpected:o} bit(s) unexpected")
    user = context.facts.get("local_user")
    if router.is_owner_checked and status.st_uid not in ({user.uid} if user else set()) | set(router.owners or ()):
        raise Deferred(f"bad owner for {path}")
    if router.is_group_checked and status.st_gid not in ({user.gid} if user else set()) | set(router.owngroups or ()):
        raise Deferred(f"bad group for {path}")


def _judge_error(router: Redirect, path: str, error: OSError) -> None:
    """Raise Deferred unless the error means that the file counts as missing."""
    if error.errno == errno.ENOENT:
        if not router.ignore_enotdir:
            _check_directory(path)
        return
    if error.errno == errno.ENOTDIR and router.ignore_enotdir:
        return
    if error.errno == errno.EACCES and router.ignore_eacces:
        return
    raise Deferred(f"failed to open {path}: {reason(error)}") from error


def _check_directory(path: str) -> None:
    """A missing file in a missing directory may be a file system that is not mounted."""
    directory = path.rpartition("/")[0] + "/."
    try:
        os.stat(directory)
    except PermissionError:
        return
    except OSError as error:
        raise Deferred(f"failed to stat {directory} ({error.strerror})") from error
