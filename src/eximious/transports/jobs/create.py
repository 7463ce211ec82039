"""Making directories for deliveries, only where the transport allows it.

(Exim specification, options create_directory and create_file of the appendfile transport.)
"""

from __future__ import annotations

import os

from eximious.transports.jobs.trouble import Trouble
from eximious.transports.outcome import BAD_CREATION


def may_create(path: str, create_file: str, home: str) -> bool:
    """True if something new may be made at this path.

    ``create_file`` is ``anywhere``, ``inhome`` (the path begins with the home directory), ``belowhome`` (and neither
    ``..`` nor a symbolic link leads out of it), or an absolute path that takes the place of the home directory, below
    which the new thing must be.
    """
    if create_file == "anywhere":
        return True
    limit = create_file if create_file.startswith("/") else home
    if not limit or not _starts_below(path, limit):
        return False
    if create_file == "inhome":
        return True
    if "/../" in path or path.endswith("/.."):
        return False
    return _really_below(path, limit)


def _starts_below(path: str, limit: str) -> bool:
    limit = limit.rstrip("/")
    return path.startswith(limit + "/")


def _really_below(path: str, limit: str) -> bool:
    """The nearest directory on the path that exists is, with all links followed, in or below the limit."""
    directory = os.path.dirname(path)
    while directory not in ("", "/") and not os.path.exists(directory):
        directory = os.path.dirname(directory)
    real, real_limit = os.path.realpath(directory), os.path.realpath(limit)
    return real == real_limit or real.startswith(real_limit.rstrip("/") + "/")


def make_directories(path: str, mode: int) -> None:
    """Make a directory and those above it that are missing, each with exactly this mode. Raises OSError."""
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        return
    except FileNotFoundError:
        parent = os.path.dirname(path.rstrip("/"))
        if parent in ("", "/", path):
            raise
        make_directories(parent, mode)
        try:
            os.mkdir(path, mode)
        except FileExistsError:
            return
    os.chmod(path, mode)


def refuse_creation(what: str, path: str) -> Trouble:
    """The reason why something is not created."""
    return Trouble(
        f"{what} {path} does not exist, but creation outside the home directory is not permitted", BAD_CREATION
    )
