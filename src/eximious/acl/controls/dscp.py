"""The control ``dscp``: how packets to the client are marked."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE, NOT_SMTP_START, NOTQUIT
from eximious.net.dscp import mark


@control("dscp", EVERYWHERE - {NOTQUIT, NOT_SMTP_START}, has_options=True)
def dscp(options: str, run: Run) -> None:
    """A name, or a number up to 0x3F. What is neither changes nothing, as in Exim."""
    if run.session is not None:
        mark(run.session.stream, options)
