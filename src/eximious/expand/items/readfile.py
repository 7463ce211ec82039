"""``${readfile``: the contents of a file."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from eximious.errors import ExpandError
from eximious.expand.item import item
from eximious.expand.nodes import LONGEST_RESULT
from eximious.expand.refusal import refuse_tainted
from eximious.lookups.files import reason
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context


@item("readfile", 1, 2)
def readfile(context: Context, path: str, line_end: str | None = None) -> str:
    """The file's text, with its newlines replaced by the second text if there is one."""
    if context.facts.get("forbid_readfile"):
        raise ExpandError("file insertions are not permitted")
    if path.__class__ is Tainted:
        raise refuse_tainted(context, f"Tainted filename '{path}'")
    text = _read(path)
    return text if line_end is None else text.replace("\n", line_end)


def _read(path: str) -> str:
    try:
        fd = os.open(path.encode("latin-1"), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise ExpandError(f"failed to open {path}: {reason(error)}") from None
    try:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            return ""
        parts: list[bytes] = []
        size = 0
        while part := os.read(fd, 1 << 20):
            parts.append(part)
            size += len(part)
            if size > LONGEST_RESULT:
                raise ExpandError("the expanded string is too long")
    except OSError as error:
        raise ExpandError(f"failed to read {path}: {error.strerror}") from None
    finally:
        os.close(fd)
    return b"".join(parts).decode("latin-1")
