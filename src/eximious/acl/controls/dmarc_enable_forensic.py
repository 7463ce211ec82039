"""The control ``dmarc_enable_forensic``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import DATA, EVERYWHERE, NOT_SMTP, NOT_SMTP_START, PRDR

BEFORE_DATA = EVERYWHERE - {DATA, PRDR, NOT_SMTP, NOT_SMTP_START}


@control("dmarc_forensic_enable", BEFORE_DATA)  # as the specification once spelt it
@control("dmarc_enable_forensic", BEFORE_DATA)
def dmarc_enable_forensic(options: str, run: Run) -> None:
    """If the message fails DMARC, send a failure report to whoever the domain's record names."""
    run.reception.dmarc_enable_forensic = True
