"""The control ``freeze``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.verdict import AclError
from eximious.acl.where import DATA, MAIL, MIME, NOT_SMTP, PREDATA, RCPT


@control("freeze", frozenset({MAIL, RCPT, PREDATA, DATA, MIME, NOT_SMTP}), has_options=True)
def freeze(options: str, run: Run) -> None:
    """Accept the message onto the queue, frozen; with ``/no_tell`` nobody is told."""
    if options not in ("", "no_tell"):
        raise AclError(f'syntax error in "control=freeze/{options}"')
    reception = run.reception
    if options != "no_tell":
        reception.freeze_tell = True
    elif not reception.freeze:
        reception.freeze_tell = False
    reception.freeze = True
