"""The options that run the queue: ``-q...``, ``-R...`` and ``-S...``, whose flags are glued to them.

Exim specification, "Command line options", from -q to -S.
"""

from __future__ import annotations

import re
from collections import deque
from itertools import islice
from typing import Final

from eximious.exim.command_line import CommandLine, CommandLineError, QueueRun, Selection
from eximious.exim.times import seconds
from eximious.spool.message_id import is_message_id

_QUEUE: Final = re.compile(r"(?P<qq>q?)(?P<i>i?)(?P<f>f{0,2})(?P<l>l?)(?:G(?P<name>[^/]*)/?)?(?P<rest>.*)", re.DOTALL)
_FLAGS: Final = ("", "f", "ff", "r", "rf", "rff")


def queue_option(line: CommandLine, word: str, following: deque[str]) -> int:
    """Read ``-q`` and whatever is glued to it; gives the number of following words that belong to it."""
    found = _QUEUE.fullmatch(word[2:])
    assert found is not None
    rest = found["rest"]
    run = QueueRun()
    run.two_stage = bool(found["qq"])
    run.initial_only = bool(found["i"])
    run.force = bool(found["f"])
    run.force_frozen = found["f"] == "ff"
    run.local_only = bool(found["l"])
    run.name = found["name"] or ""
    if rest[:1] in ("R", "S"):
        line.queue_runs.append(run)
        return selection_option(line, "-" + rest, following)
    if rest:
        run.interval = seconds(rest, word)
        line.queue_runs.append(run)
        return 0
    line.queue_name = run.name
    ids = 0
    for word_after in islice(following, 2):
        if not is_message_id(word_after):
            break
        ids += 1
    if ids == 0 and following and not following[0].startswith("-"):
        raise CommandLineError(f"exim abandoned: unknown, malformed, or incomplete option {word[:2]}")
    run.first_id = following[0] if ids else ""
    run.last_id = following[1] if ids == 2 else ""
    line.queue_runs.append(run)
    return ids


def selection_option(line: CommandLine, word: str, following: deque[str]) -> int:
    """Read ``-R`` or ``-S`` with flags and text; gives the number of following words that belong to it."""
    rest = word[2:]
    flags = rest if rest in _FLAGS else ""
    text = "" if rest in _FLAGS else rest
    used = 0
    if not text:
        if not following:
            raise CommandLineError(f"exim: string expected after {word[:2]}")
        text, used = following[0], 1
    chosen = Selection(text, is_regex=flags.startswith("r"))
    if word[1] == "R":
        line.recipient_selection = chosen
    else:
        line.sender_selection = chosen
    if not line.queue_runs:
        line.queue_runs.append(QueueRun())
    for run in line.queue_runs:  # -Rf is -qf with a selection
        run.force = run.force or "f" in flags
        run.force_frozen = run.force_frozen or "ff" in flags
    return used
