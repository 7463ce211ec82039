"""The ACL condition ``spf_guess``."""

from __future__ import annotations

from eximious.acl import spf as checks
from eximious.acl.declare import condition, parsed
from eximious.acl.run import Run
from eximious.acl.where import DATA, DKIM, MAIL, MIME, PRDR, PREDATA, RCPT


@condition("spf_guess", parsed(checks.wanted), frozenset({MAIL, RCPT, PREDATA, MIME, DKIM, PRDR, DATA}))
def spf_guess(results: list[tuple[str, bool]], run: Run) -> bool:
    """The same as spf, but domains without a record are given that of the option spf_guess."""
    return checks.matches(results, run.context, guess=True)
