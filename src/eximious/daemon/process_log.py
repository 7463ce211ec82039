"""What processes say of themselves when they are asked with SIGUSR1: the file that exiwhat reads."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from eximious import EXIM_VERSION

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration


def path(config: Configuration) -> str:
    """Where the file is."""
    main = config.main
    return main.process_log_path or f"{main.spool_directory}/exim-process.info"


def report(config: Configuration, *texts: str) -> None:
    """Append lines about this process; a file that cannot be written is nobody's loss."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.suppress(OSError):
        descriptor = os.open(path(config), flags, 0o640)
        try:
            lines = "".join(f"{os.getpid():5d} {EXIM_VERSION} {text}\n" for text in texts)
            os.write(descriptor, lines.encode("latin-1", "replace"))
        finally:
            os.close(descriptor)
