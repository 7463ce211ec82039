"""The control ``no_mbox_unspool``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import DATA, MAIL, MIME, PREDATA, RCPT


@control("no_mbox_unspool", frozenset({MAIL, RCPT, PREDATA, DATA, MIME}))
def no_mbox_unspool(options: str, run: Run) -> None:
    """Keep the copy of the message that was made for scanners."""
    run.reception.keep_scanned_copy = True
