"""Expand what a user has written (the command of a filter's pipe, the file of a reply): it sees what the user sees.

Unlike most kinds of jobs this needs the language of configurations; it is imported when the first text comes.
"""

from __future__ import annotations

import importlib

from eximious.transports.job import Ended, Job
from eximious.transports.outcome import DEFERRED, DELIVERED


def perform(job: Job) -> Ended:
    """Expand the texts of the arguments (see `eximious.expand.elsewhere`); the results are in the values."""
    try:
        values = importlib.import_module("eximious.expand.elsewhere").perform(job.arguments)
    except (KeyError, TypeError, ValueError) as error:
        return Ended(DEFERRED, f"unintelligible expansion job: {error}")
    ended = Ended(DELIVERED)
    ended.values = values
    return ended
