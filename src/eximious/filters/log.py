"""Log files of users' filters."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from eximious.filters.lexer import FilterError
from eximious.taint import is_tainted

if TYPE_CHECKING:
    from eximious.context import Context

LONGEST: Final = 16_384  # octets of one entry


def append(path: str, text: str, mode: int, context: Context) -> None:
    """Append a line to a log file, which is made if it is not there. Raises FilterError."""
    del context
    if not path:
        raise FilterError('attempt to obey "logwrite" command without a previous "logfile"')
    if is_tainted(path):
        raise FilterError(f"Tainted name '{path}' for log file not permitted")
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, mode)
    except OSError as error:
        who = f"(euid={os.geteuid()} egid={os.getegid()})"
        raise FilterError(f'failed to open filter log file "{path}": {error.strerror} {who}') from error
    try:
        os.write(descriptor, text[:LONGEST].encode("latin-1", "replace"))
    except OSError as error:
        raise FilterError(f'write error on file "{path}": {error.strerror}') from error
    finally:
        os.close(descriptor)
