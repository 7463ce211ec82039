"""Run a user's filter: conditions and expansions see the system as the user does.

Unlike the other kinds of jobs this needs the language of configurations; it is imported when the first filter comes.
"""

from __future__ import annotations

import importlib

from eximious.transports.job import Ended, Job
from eximious.transports.outcome import DEFERRED, DELIVERED


def perform(job: Job) -> Ended:
    """Run the filter that the arguments describe (see `eximious.filters.request`); its outcome is in the values."""
    try:
        values = importlib.import_module("eximious.filters.request").perform(job.arguments)
    except (KeyError, TypeError, ValueError) as error:
        return Ended(DEFERRED, f"unintelligible filter job: {error}")
    ended = Ended(DELIVERED)
    ended.values = values
    return ended
