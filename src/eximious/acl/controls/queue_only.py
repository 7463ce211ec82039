"""The control ``queue_only``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import DATA, MAIL, MIME, NOT_SMTP, PREDATA, RCPT


@control("queue_only", frozenset({MAIL, RCPT, PREDATA, DATA, MIME, NOT_SMTP}), has_options=True)
def queue_only(options: str, run: Run) -> None:
    """Leave the message to a queue runner; with ``/first_pass_route`` it is routed, but not sent."""
    run.reception.queue_only = True
    if "first_pass_route" in options.split("/"):
        run.reception.queue_first_pass = True
