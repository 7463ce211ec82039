"""Showing the parts of a message in the queue: its spool files, its log, the message as it would be sent."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from eximious.exim.command_line import CommandLineError

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation

CHUNK = 1 << 16


def body(call: Invocation, message_id: str) -> bool:
    """``-Mvb``: the -D file."""
    return _spool_file(call, message_id, "-D")


def header(call: Invocation, message_id: str) -> bool:
    """``-Mvh``: the -H file."""
    return _spool_file(call, message_id, "-H")


def log(call: Invocation, message_id: str) -> bool:
    """``-Mvl``: the message's log."""
    _check(call)
    text = call.services.spool.logs.read(message_id, call.line.queue_name)
    if text is None:
        call.print(f"Failed to open msglog file for {message_id}: {os.strerror(2)}")
        return False
    sys.stdout.write(text)
    return True


def complete(call: Invocation, message_id: str) -> bool:
    """``-Mvc``: headers and body."""
    _only_one(call)
    store = call.services.spool
    claimed = store.claim(message_id, call.line.queue_name)
    if claimed is None:
        call.print(f"Spool data file for {message_id} does not exist")
        return False
    try:
        if not call.caller.is_admin:
            call.print("Permission denied")
            return False
        sys.stdout.writelines(part.text for part in claimed.message.headers if part.kind != "*")
        sys.stdout.write("\n")
        sys.stdout.flush()
        for chunk in claimed.body.chunks():
            sys.stdout.buffer.write(chunk)
    finally:
        claimed.release()
    return True


def _spool_file(call: Invocation, message_id: str, suffix: str) -> bool:
    _check(call)
    path = call.services.spool.layout.find(message_id, suffix, call.line.queue_name)
    try:
        descriptor = os.open(path or "", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        call.print(f"Failed to open input file for {message_id}{suffix}: {error.strerror}")
        return False
    sys.stdout.flush()
    with open(descriptor, "rb") as file:
        while chunk := file.read(CHUNK):
            sys.stdout.buffer.write(chunk)
    return True


def _check(call: Invocation) -> None:
    """Only for administrators, and one message at a time. Raises CommandLineError."""
    _only_one(call)
    if not call.caller.is_admin:
        raise CommandLineError("Permission denied")


def _only_one(call: Invocation) -> None:
    if len(call.line.message_ids) > 1:
        raise CommandLineError("*** Only one message can be listed at once")
