"""The control ``suppress_local_fixups``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import MAIL, NOT_SMTP_START, PREDATA, RCPT


@control("suppress_local_fixups", frozenset({MAIL, RCPT, PREDATA, NOT_SMTP_START}))
def suppress_local_fixups(options: str, run: Run) -> None:
    """Leave a message that was submitted on this machine as it is."""
    run.reception.suppress_local_fixups = True
