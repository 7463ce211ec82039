"""How a redirect router reads the items of its list: addresses by the configuration's syntax, and included files."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from eximious.address.parse import AddressError, parse
from eximious.address.rules import address_rules
from eximious.lookups.files import reason
from eximious.routers.redirect_list import BadAddress, RedirectError, Rules
from eximious.routers.redirect_source import LARGEST_FILE
from eximious.taint import is_tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.routers.redirect import Redirect


def rules_for(router: Redirect, context: Context) -> Rules:
    """The rules for one run of the router."""
    return Rules(
        lambda text: parse_address(text, context),
        lambda path: read_include(path, router.include_directory),
        router.forbidden_items,
        skips_errors=router.skip_syntax_errors,
    )


def parse_address(text: str, context: Context) -> tuple[str, bool]:
    """The working part of an address, and whether it has a domain; ("", False) for comments only. Raises BadAddress."""
    try:
        parsed = parse(text, address_rules(context))
    except AddressError as error:
        if str(error) == "empty address":
            return "", False
        raise BadAddress(str(error)) from error
    return parsed.address, parsed.at >= 0


def read_include(path: str, directory: str | None) -> str:
    """The text of an included file, which must be in the directory if one is given. Raises RedirectError."""
    if is_tainted(path):
        raise RedirectError(f"Tainted name '{path}' for included file  not permitted\n")
    if directory is not None:
        return _read(_open_below(path, directory), path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise RedirectError(f"failed to open included file {path}: {reason(error)}") from error
    return _read(descriptor, path)


def _open_below(path: str, directory: str) -> int:
    """Open a file without following any symbolic link below the directory."""
    base = directory.rstrip("/")
    if not path.startswith(base + "/"):
        raise RedirectError(f"included file {path} is not in directory {directory}")
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    parts = [part for part in path[len(base) :].split("/") if part]
    try:
        current = os.open(base or "/", os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        for number, part in enumerate(parts):
            if part == "..":
                os.close(current)
                raise OSError
            is_last = number == len(parts) - 1
            try:
                opened = os.open(part, flags if is_last else flags | os.O_DIRECTORY, dir_fd=current)
            finally:
                os.close(current)
            current = opened
    except OSError as error:
        message = f"failed to open {path} (component of included file); could be symbolic link"
        raise RedirectError(message) from error
    return current


def _read(descriptor: int, path: str) -> str:
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise RedirectError(f"error while reading included file {path}: {os.strerror(errno.EISDIR)}")
        with open(descriptor, "rb", closefd=False) as stream:
            octets = stream.read(LARGEST_FILE + 1)
    finally:
        os.close(descriptor)
    if len(octets) > LARGEST_FILE:
        raise RedirectError(f"included file {path} is too big (max {LARGEST_FILE})")
    return octets.decode("latin-1")
