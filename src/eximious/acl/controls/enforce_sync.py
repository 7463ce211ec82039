"""The control ``enforce_sync``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import SMTP


@control("enforce_sync", SMTP)
def enforce_sync(options: str, run: Run) -> None:
    """Close the connection of clients that send before it is their turn."""
    run.session.settings.enforce_sync = True
