"""The control ``no_pipelining``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import SMTP


@control("no_pipelining", SMTP)
def no_pipelining(options: str, run: Run) -> None:
    """Do not offer PIPELINING to this client."""
    run.session.settings.advertise_pipelining = False
