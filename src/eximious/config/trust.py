"""Which configurations may be used with root's rights: what Exim fixes when it is built is read from a file here.

The file (`eximious.config.paths.TRUSTED`) belongs to root, and is absent by default. Its lines:

    config PREFIX   files below PREFIX may be named with -C without loss of root's rights, by the users that may do so
    owner USER      USER may own configuration files, and is one of those users (the mail user always is)
    macro NAME      NAME may be set with -D without loss of root's rights, to a harmless value; ``*``: any, to any value

Everything here only decides. Exim specification, "Using a different configuration file".
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Mapping
from typing import Final

from eximious.config import paths, users
from eximious.config.errors import Fault
from eximious.errors import ConfigError, Place

ROOT: Final = 0
ANY: Final = "*"
HARMLESS_VALUE: Final = re.compile(r"[A-Za-z0-9_/.-]*")
SIZE_LIMIT: Final = 1 << 20  # bytes of the file


class Trust:
    """What root has declared trustworthy."""

    __slots__ = ("macros", "owners", "prefixes")

    def __init__(
        self,
        prefixes: Iterable[str] = (),
        owners: Iterable[int] = (),
        macros: Iterable[str] = (),
    ) -> None:
        self.prefixes = tuple(prefixes)
        self.owners = frozenset(owners)  # user ids, apart from root's
        self.macros = frozenset(macros)

    def keeps_root(
        self, caller_uid: int, mail_uid: int, config_files: Iterable[str], macros: Mapping[str, str]
    ) -> bool:
        """True if a process that a caller started with root's rights may keep them, although the command line names
        configuration files (-C; none if the usual ones are read) or sets macros (-D).
        """
        config_files = list(config_files)
        if caller_uid == ROOT or (not macros and all(name in paths.CONFIGURATIONS for name in config_files)):
            return True
        if caller_uid != mail_uid and caller_uid not in self.owners:
            return False
        files = all(name in paths.CONFIGURATIONS or self.is_trusted_file(name) for name in config_files)
        return files and all(self.is_trusted_macro(name, text) for name, text in macros.items())

    def is_trusted_file(self, path: str) -> bool:
        """True if the path, and where it really leads, are below a trusted prefix."""
        if not path.startswith("/") or "/../" in path:
            return False
        return any(
            _is_below(path, prefix) and _is_below(os.path.realpath(path), os.path.realpath(prefix))
            for prefix in self.prefixes
        )

    def is_trusted_macro(self, name: str, text: str) -> bool:
        """True if the macro may be set to this text."""
        return ANY in self.macros or (name in self.macros and HARMLESS_VALUE.fullmatch(text) is not None)

    def check_file(self, descriptor: int, path: str) -> None:
        """Raise ConfigError if someone else could write the open file; for reading with root's rights.

        It must belong to root or a trusted owner; the group may write only if it is root's; others may not.
        """
        status = os.fstat(descriptor)
        is_wrong = (
            not stat.S_ISREG(status.st_mode)
            or (status.st_uid != ROOT and status.st_uid not in self.owners)
            or (status.st_gid != ROOT and status.st_mode & stat.S_IWGRP)
            or status.st_mode & stat.S_IWOTH
        )
        if is_wrong:
            raise Fault(
                f"Exim configuration file {path} has the wrong owner, group, or mode",
                hint="it must belong to root, and others may not write it",
                bare=True,
            )


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix if prefix.endswith("/") else f"{prefix}/")


def check_included(descriptor: int, path: str) -> None:
    """Raise ConfigError for an included file that everyone may write. (Whom it belongs to is the includer's choice.)"""
    if os.fstat(descriptor).st_mode & stat.S_IWOTH:
        raise ConfigError(f"included configuration file {path} may be written by everyone")


def read_trust(path: str = paths.TRUSTED) -> Trust:
    """The contents of the file; nothing is trusted if there is none.

    Raises ConfigError if it is not root's alone, or has a line that means nothing.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return Trust()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        is_private = stat.S_ISREG(status.st_mode) and status.st_uid == ROOT
        if not is_private or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ConfigError(f"{path} must belong to root, and nobody else may write it")
        return parse_trust(file.read(SIZE_LIMIT).decode("latin-1"), path)


def parse_trust(text: str, path: str = paths.TRUSTED) -> Trust:
    """What the text of the file says."""
    prefixes: list[str] = []
    owners: list[int] = []
    macros: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        word, _, value = line.strip().partition(" ")
        value = value.strip()
        place = Place(path, number, 1, line)
        if not word or word.startswith("#"):
            continue
        if word == "config" and value.startswith("/"):
            prefixes.append(value)
        elif word == "owner" and value:
            with contextlib.suppress(ConfigError):  # a user who does not exist owns nothing
                owners.append(users.user_id(value))
        elif word == "macro" and value:
            macros.append(value)
        else:
            raise ConfigError(f'"{line.strip()}" is none of: config PREFIX, owner USER, macro NAME', place)
    return Trust(prefixes, owners, macros)
