"""The control ``no_delay_flush``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import SMTP


@control("no_delay_flush", SMTP)
def no_delay_flush(options: str, run: Run) -> None:
    """Keep waiting replies back while ``delay`` waits."""
    run.session.settings.flush_before_delay = False
