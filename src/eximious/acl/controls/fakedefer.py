"""The control ``fakedefer``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import DATA, MAIL, MIME, PRDR, PREDATA, RCPT


@control("fakedefer", frozenset({MAIL, RCPT, PREDATA, DATA, MIME, PRDR}), has_options=True)
def fakedefer(options: str, run: Run) -> None:
    """Say 450 after the data, but deliver the message."""
    run.reception.fake_response = "450"
    run.reception.fake_text = options
