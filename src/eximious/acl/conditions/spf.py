"""The ACL condition ``spf``."""

from __future__ import annotations

from eximious.acl import spf as checks
from eximious.acl.declare import condition, parsed
from eximious.acl.run import Run
from eximious.acl.where import DATA, DKIM, MAIL, MIME, PRDR, PREDATA, RCPT


@condition("spf", parsed(checks.wanted), frozenset({MAIL, RCPT, PREDATA, MIME, DKIM, PRDR, DATA}))
def spf(results: list[tuple[str, bool]], run: Run) -> bool:
    """True if the SPF result for the sender is one of those listed."""
    return checks.matches(results, run.context, guess=False)
