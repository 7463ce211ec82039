"""The control ``no_multiline_responses``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import SMTP


@control("no_multiline_responses", SMTP)
def no_multiline_responses(options: str, run: Run) -> None:
    """Send only the essential line of refusals, for clients that cannot read more."""
    run.session.settings.multiline_responses = False
