"""The control ``no_enforce_sync``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import SMTP


@control("no_enforce_sync", SMTP)
def no_enforce_sync(options: str, run: Run) -> None:
    """Bear with clients that send before it is their turn."""
    run.session.settings.enforce_sync = False
