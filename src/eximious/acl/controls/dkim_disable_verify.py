"""The control ``dkim_disable_verify``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import DATA, EVERYWHERE, NOT_SMTP, NOT_SMTP_START, PRDR


@control("dkim_disable_verify", EVERYWHERE - {DATA, PRDR, NOT_SMTP, NOT_SMTP_START})
def dkim_disable_verify(options: str, run: Run) -> None:
    """Do not verify the DKIM signatures of this message."""
    run.reception.dkim_disable_verify = True
