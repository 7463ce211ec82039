"""Messages on their way from the journal into spool files, many at a time."""

from __future__ import annotations

from eximious.spool import header_file
from eximious.spool.errors import SpoolError, spool_error
from eximious.spool.files import Pair, write_pair
from eximious.spool.journal.entry import Entry
from eximious.spool.layout import Layout, sync_folder
from eximious.spool.message_log import MessageLogs


class Spill:
    """One message on its way into files."""

    __slots__ = ("entry", "error", "header", "lines", "nonrecipients", "pair")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.header = header_file.dump(entry.message)
        self.nonrecipients = set(entry.message.nonrecipients)
        self.lines, entry.log_lines = entry.log_lines, []
        self.pair: Pair | None = None
        self.error: SpoolError | None = None


def write_files(layout: Layout, logs: MessageLogs, spills: list[Spill]) -> None:
    """Write the files of many messages; then make their names durable together."""
    for spill in spills:
        message = spill.entry.message
        try:
            spill.pair = write_pair(layout, message.id, message.queue_name, spill.entry.body, spill.header, sync=False)
        except SpoolError as error:
            spill.error = error
            continue
        try:
            logs.append(message.id, message.queue_name, *spill.lines)
        except SpoolError:
            spill.entry.log_lines[:0] = spill.lines  # tried again, and reported, when the message is handed over
    for folder in {spill.pair.folder for spill in spills if spill.pair is not None}:
        try:
            sync_folder(folder)
        except OSError as failure:
            _fail(spills, folder, spool_error(f"cannot sync {folder}", failure))


def _fail(spills: list[Spill], folder: str, error: SpoolError) -> None:
    for spill in spills:
        if spill.pair is not None and spill.pair.folder == folder:
            spill.pair.remove()
            spill.pair = None
            spill.error = error
