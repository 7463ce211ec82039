"""Moving and clearing away spool files by name: for messages that a command line acts on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.spool.errors import SpoolError
from eximious.spool.layout import sync_folder, unlink

if TYPE_CHECKING:
    from eximious.spool.layout import Layout

SUFFIXES = ("-D", "-H", "-J")


def move_files(layout: Layout, message_id: str, source: str, target: str) -> None:
    """Move a claimed message to another queue: its -H file last, with which it is there. Raises SpoolError."""
    folder = layout.folder("input", message_id, target)
    layout.make_folder(folder)
    found = [(layout.find(message_id, suffix, source), suffix) for suffix in ("-D", "-J", "-H")]
    moved = [(path, f"{folder}/{message_id}{suffix}") for path, suffix in found if path is not None]
    moved[-1:-1] = _logs(layout, message_id, source, target)
    try:
        for old, new in moved:
            if os.path.lexists(new):
                raise SpoolError(f"already exists in queue {target}")
            os.rename(old, new)
        sync_folder(folder)
    except OSError as error:
        raise SpoolError(f"move failed: {error.strerror}") from error


def _logs(layout: Layout, message_id: str, source: str, target: str) -> list[tuple[str, str]]:
    """The message's own log, where it is and where it goes."""
    folder = layout.folder("msglog", message_id, target)
    for old in layout.folders("msglog", message_id, source):
        if os.path.exists(f"{old}/{message_id}"):
            layout.make_folder(folder)
            return [(f"{old}/{message_id}", f"{folder}/{message_id}")]
    return []


def remove_remains(layout: Layout, message_id: str, queue_name: str) -> bool:
    """Remove whatever files there are of a message that has no -D file."""
    for folder in layout.folders("input", message_id, queue_name):
        for suffix in SUFFIXES:
            unlink(f"{folder}/{message_id}{suffix}")
    for folder in layout.folders("msglog", message_id, queue_name):
        unlink(f"{folder}/{message_id}")
    return True
