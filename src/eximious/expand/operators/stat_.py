"""``${stat``: what the system knows of a file."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from eximious.errors import ExpandError
from eximious.expand.operator import operator

if TYPE_CHECKING:
    from eximious.context import Context


@operator("stat", is_clean=True)
def stat_file(context: Context, path: str) -> str:
    """Its mode, owner, size, times and so on, as ``name=value`` pairs."""
    if context.facts.get("forbid_exists"):
        raise ExpandError("Use of the stat() expansion is not permitted")
    try:
        found = os.stat(path.encode("latin-1"))
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise ExpandError(f"stat({path}) failed: {reason}") from None
    return (
        f"mode={stat.S_IMODE(found.st_mode):04o} smode={stat.filemode(found.st_mode)} inode={found.st_ino}"
        f" device={found.st_dev} links={found.st_nlink} uid={found.st_uid} gid={found.st_gid} size={found.st_size}"
        f" atime={int(found.st_atime)} mtime={int(found.st_mtime)} ctime={int(found.st_ctime)}"
    )
