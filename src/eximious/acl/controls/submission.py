"""The control ``submission``: the message comes from a user's mail program."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.settings import Submission
from eximious.acl.verdict import AclError
from eximious.acl.where import MAIL, PREDATA, RCPT


@control("submission", frozenset({MAIL, RCPT, PREDATA}), has_options=True)
def submission(options: str, run: Run) -> None:
    """Fix the message up as if it had been submitted on this machine."""
    settings = Submission()
    rest = options
    while rest:
        if rest.startswith("name="):
            settings.name = rest[5:]  # comes last, so that it may hold slashes
            break
        option, _, rest = rest.partition("/")
        if option == "sender_retain":
            settings.sender_retain = True
        elif option.startswith("domain="):
            settings.domain = option[7:]
        elif option:
            raise AclError(f'syntax error in "control=submission/{options}"')
    run.reception.submission = settings
