"""The control ``no_callout_flush``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import SMTP


@control("no_callout_flush", SMTP)
def no_callout_flush(options: str, run: Run) -> None:
    """Keep waiting replies back while a callout is made."""
    run.session.settings.flush_before_callout = False
