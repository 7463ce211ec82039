"""``exim -bp`` and its kind, ``mailq``: what is in the queue.

Exim specification, "Command line options", from -bp to -bpu.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from eximious.exim import show
from eximious.exim.command_line import EXIT_SUCCESS
from eximious.spool.errors import SpoolError, SpoolFormatError
from eximious.spool.message import DELETED

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation
    from eximious.spool.message import Message
    from eximious.spool.store import QueueStore

UNDELIVERED_ONLY = "u"
GENERATED_TOO = "a"
COUNT = "c"
IDS = "i"
UNSORTED = "r"


def run(call: Invocation) -> int:
    """List the queue, or the messages given as arguments."""
    from eximious.daemon import control

    control.spill(call.services)
    line = call.line
    store = call.services.spool
    ids = line.arguments or store.list_ids(line.queue_name, in_order=UNSORTED not in line.listing)
    if COUNT in line.listing:
        call.print(str(len(ids)))
        return EXIT_SUCCESS
    if IDS in line.listing:
        sys.stdout.writelines(f"{message_id}\n" for message_id in ids)
        return EXIT_SUCCESS
    now = call.services.now()
    for message_id in ids:
        sys.stdout.writelines(entry(store, message_id, line.queue_name, line.listing, now))
    return EXIT_SUCCESS


def entry(store: QueueStore, message_id: str, queue_name: str, listing: str, now: float) -> Iterator[str]:
    """The lines about one message; none if it has just gone."""
    try:
        message = store.read(message_id, queue_name)
    except SpoolError as error:
        yield from _unreadable(store, message_id, queue_name, error)
        return
    if message is None:
        return
    yield first_line(message, size(store, message), now)
    yield from _recipients(message, listing)
    yield "\n"


def size(store: QueueStore, message: Message) -> int:
    """Of the whole message: headers, empty line, and the -D file without its first line, which is the file's name."""
    headers = 1 + sum(len(header.text) for header in message.headers if header.kind != DELETED)
    path = store.layout.find(message.id, "-D", message.queue_name)
    try:
        return headers + os.stat(path or "").st_size - len(f"{message.id}-D\n")
    except FileNotFoundError:
        return headers


def first_line(message: Message, octets: int, now: float) -> str:
    """Age, size, id, sender, and whether it is frozen."""
    login = f" ({message.login})" if message.sender_set_untrusted else ""
    frozen = " *** frozen ***" if message.is_frozen else ""
    age = show.age(now - message.received_at)
    return f"{age} {show.size(octets)} {message.id} <{message.sender}>{login}{frozen}\n"


def _recipients(message: Message, listing: str) -> Iterator[str]:
    done = message.nonrecipients
    for recipient in message.recipients:
        is_done = recipient.address in done
        if not (is_done and UNDELIVERED_ONLY in listing):
            yield f"        {'D' if is_done else ' '} {recipient.address}\n"
    if GENERATED_TOO in listing:
        originals = {recipient.address for recipient in message.recipients}
        yield from (f"       +D {address}\n" for address in sorted(done - originals))


def _unreadable(store: QueueStore, message_id: str, queue_name: str, error: SpoolError) -> Iterator[str]:
    yield f"          {message_id}\n"
    if isinstance(error, SpoolFormatError):
        path = store.layout.find(message_id, "-H", queue_name)
        size = os.stat(path).st_size if path else 0
        yield f"          *** spool format error: size={size} ***\n"
    else:
        yield f"          *** spool read error: {error} ***\n"
    yield "\n"
