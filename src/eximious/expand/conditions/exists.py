"""``exists``: is there such a file?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.errors import ExpandError
from eximious.expand.condition import condition

if TYPE_CHECKING:
    from eximious.context import Context


@condition("exists", 1)
def exists(context: Context, path: str) -> bool:
    """The path names a file or directory that can be seen."""
    if context.facts.get("forbid_exists"):
        raise ExpandError("File existence tests are not permitted")
    try:
        os.stat(path.encode("latin-1"))
    except (OSError, ValueError):
        return False
    return True
