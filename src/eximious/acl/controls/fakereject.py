"""The control ``fakereject``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import DATA, MAIL, MIME, PRDR, PREDATA, RCPT


@control("fakereject", frozenset({MAIL, RCPT, PREDATA, DATA, MIME, PRDR}), has_options=True)
def fakereject(options: str, run: Run) -> None:
    """Say 550 after the data, but deliver the message."""
    run.reception.fake_response = "550"
    run.reception.fake_text = options
