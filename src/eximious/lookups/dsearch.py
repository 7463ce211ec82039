"""dsearch: is there an entry of that name in a directory?"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from eximious.errors import Defer, ExpandError
from eximious.lookups.base import Options, SingleKeyLookup, lookups
from eximious.lookups.files import reason
from eximious.taint import untainted

if TYPE_CHECKING:
    from eximious.context import Context

LONGEST_NAME = 255  # octets of one component; a longer one cannot exist


class DirectorySearch(SingleKeyLookup):
    """The name if there is such an entry, as a text that is safe to use in paths."""

    name = "dsearch"
    options = ("ret", "filter", "key")

    def find(self, context: Context, path: str, key: str, options: Options) -> str | None:
        _check_directory(path)
        if not path.startswith("/"):
            raise ExpandError(f"dirname '{path}' for dsearch is not absolute")
        components = key.split("/")
        if options.get("key") == "path":
            if ".." in components:
                raise Defer(f"key for dsearch lookup contains bad component: {key}")
        elif len(components) > 1:
            raise Defer(f"key for dsearch lookup contains a slash: {key}")
        full = f"{path}/{key}"
        try:
            status = os.lstat(full.encode("latin-1"))
        except (OSError, ValueError):
            return None
        if not _passes(status.st_mode, key, options.get("filter", "")):
            return None
        return full if options.get("ret") == "full" else untainted(key)


def _check_directory(path: str) -> None:
    try:
        status = os.stat(path.encode("latin-1"))
    except (OSError, ValueError) as error:
        raise ExpandError(f"failed to open {path} for directory search: {reason(error)}") from None
    if not stat.S_ISDIR(status.st_mode):
        raise ExpandError(f"{path} is not a directory (dsearch lookup)")


def _passes(mode: int, key: str, wanted: str) -> bool:
    """Whether an entry is of the kind that the ``filter`` option asks for."""
    if wanted == "file":
        return stat.S_ISREG(mode)
    if wanted == "dir":
        return stat.S_ISDIR(mode)
    if wanted == "subdir":
        return stat.S_ISDIR(mode) and key not in (".", "..")
    return True


lookups.register("dsearch")(DirectorySearch())
