"""Frozen messages: which are tried all the same, and who is told when one is frozen.

(Exim specification, options auto_thaw, ignore_bounce_errors_after, timeout_frozen_after, freeze_tell.)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.spool.errors import SpoolError

if TYPE_CHECKING:
    from eximious.deliver.progress import Progress


def is_to_be_tried(progress: Progress) -> bool:
    """False for a message that stays frozen; one that is thawed, or given up, is logged."""
    message, how = progress.message, progress.how
    if not message.is_frozen:
        return True
    if how.give_up:
        return True
    main = progress.context.config.main
    frozen_for = progress.services.now() - message.frozen_at
    if 0 < main.timeout_frozen_after <= progress.age:
        progress.note_plain("*** Cancelled by timeout_frozen_after")
        progress.log("cancelled by timeout_frozen_after")
        how.give_up = True
        progress.is_timed_out = True
        return True
    if not message.sender and progress.age >= main.ignore_bounce_errors_after:
        reason = "errmsg timer"
    elif 0 < main.auto_thaw < frozen_for:
        reason = "auto-thaw"
    elif how.thaw:
        reason = "forced delivery"
    else:
        if "skip_delivery" in progress.selected:
            progress.log("Message is frozen")
        return False
    message.is_frozen = False
    message.manual_thaw = how.thaw  # whoever forces a delivery is as good as one who thaws the message first
    progress.is_changed = True
    progress.note_plain(f"*** Unfrozen by {reason}")
    progress.log(f"Unfrozen by {reason}")
    return True


def move_aside(progress: Progress) -> None:
    """move_frozen_messages: from input and msglog to Finput and Fmsglog, where nothing looks for messages."""
    message = progress.message
    layout = progress.services.spool.layout
    moved = []
    try:
        for kind in ("input", "msglog"):
            target = layout.folder(f"F{kind}", message.id, message.queue_name)
            names = [f"{message.id}-D", f"{message.id}-H"] if kind == "input" else [message.id]
            for folder in layout.folders(kind, message.id, message.queue_name):
                found = [name for name in names if os.path.exists(f"{folder}/{name}")]
                moved += [(f"{folder}/{name}", f"{target}/{name}") for name in found]
            layout.make_folder(target)
        for old, new in moved:
            os.rename(old, new)
    except (OSError, SpoolError) as error:
        progress.services.logs.panic(f"failed to move frozen message: {error}", message.id)
        return
    progress.log("moved from input, msglog to Finput, Fmsglog")


def tell_about_freezing(progress: Progress) -> None:
    """Send the message that freeze_tell asks for. Bounces that are frozen are not told about by bounces."""
    recipients = progress.context.config.main.freeze_tell
    if not recipients or progress.message.is_locally_submitted_error:
        return
    from eximious.deliver.freeze_report import send

    send(progress, recipients)
