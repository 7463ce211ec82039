"""After a crash: the journal of a process that died becomes spool files, before anything else happens."""

from __future__ import annotations

import contextlib
import os

from eximious.spool.body import Body
from eximious.spool.errors import SpoolError, spool_error
from eximious.spool.files import write_all, write_pair
from eximious.spool.journal import record
from eximious.spool.journal.record import MAGIC, START, Stored, done_record, key_checksum
from eximious.spool.journal.segment import DeadSegment, dead_segments
from eximious.spool.layout import Layout
from eximious.spool.message_id import is_message_id


def recover(layout: Layout) -> list[str]:
    """Turn the unfinished messages of all dead segments into spool files; gives their ids.

    Segments of living processes are left alone. Raises SpoolError if something could not be written or read; what was
    not moved then is still in the journal, and moved by the next call.
    """
    moved: list[str] = []
    errors: list[SpoolError] = []
    try:
        segments = dead_segments(layout)
    except OSError as error:
        raise spool_error("cannot look for the journal", error) from error
    for segment in segments:
        try:
            moved += _recover_segment(layout, segment)
            segment.remove()
        except SpoolError as error:
            errors.append(error)
            segment.close()
        except OSError as error:
            errors.append(spool_error(f"cannot recover {segment.path}", error))
            segment.close()
    if errors:
        raise errors[0]
    return moved


def _recover_segment(layout: Layout, segment: DeadSegment) -> list[str]:
    data = segment.read()
    moved = []
    for stored in record.unfinished(data):
        if not is_message_id(stored.message_id):
            continue  # cannot happen: ids are checked when messages are accepted
        if layout.find(stored.message_id, "-H", stored.queue_name) is None:
            _write(layout, stored, segment, key_checksum(data[len(MAGIC) : START]))
            moved.append(stored.message_id)
    return moved


def _write(layout: Layout, stored: Stored, segment: DeadSegment, seed: int) -> None:
    _remove_remains(layout, stored)
    pair = write_pair(layout, stored.message_id, stored.queue_name, Body.of(stored.body), stored.header)
    try:
        if stored.done:
            _write_done(layout, f"{pair.folder}/{stored.message_id}-J", stored.done)
    except OSError as error:
        pair.remove()
        raise spool_error(f"cannot recover {stored.message_id}", error) from error
    try:
        segment.append(done_record(seed, stored.message_id))
    except OSError as error:
        # Perhaps it was written nevertheless: the files have to stay.
        raise spool_error(f"cannot write {segment.path}", error) from error
    finally:
        pair.unlock()


def _remove_remains(layout: Layout, stored: Stored) -> None:
    """Files of a recovery that did not end: without a -H file they are no message."""
    for folder in layout.folders("input", stored.message_id, stored.queue_name):
        for suffix in ("-D", "-J"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{folder}/{stored.message_id}{suffix}")


def _write_done(layout: Layout, path: str, addresses: set[str]) -> None:
    fd = layout.create(path)
    try:
        write_all(fd, "".join(f"{address}\n" for address in sorted(addresses)).encode("latin-1"))
        os.fdatasync(fd)
    finally:
        os.close(fd)
