"""The queue that main options describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.spool.layout import Layout
from eximious.spool.message_log import MessageLogs
from eximious.spool.store import QueueStore

if TYPE_CHECKING:
    from eximious.config.main import MainOptions


def queue_store(main: MainOptions) -> QueueStore:
    """The queue in `spool_directory`, with all options that concern it."""
    layout = Layout(main.spool_directory, main.split_spool_directory, main.exim_user, main.exim_group)
    logs = MessageLogs(layout, main.message_logs, main.preserve_message_logs)
    store = QueueStore(layout, logs)
    store.uses_journal = main.spool_journal
    return store
