"""The control ``dmarc_override_reason``, which Exim does not have."""

from __future__ import annotations

from typing import Final

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.verdict import AclError
from eximious.acl.where import DATA, DKIM, MAIL, MIME, PRDR, PREDATA, RCPT
from eximious.errors import did_you_mean

TYPES: Final = ("forwarded", "local_policy", "mailing_list", "other", "trusted_forwarder")  # RFC 7489 appendix C


@control("dmarc_override_reason", frozenset({MAIL, RCPT, PREDATA, DATA, DKIM, MIME, PRDR}), has_options=True)
def dmarc_override_reason(options: str, run: Run) -> None:
    """Say in aggregate reports why the domain's policy is not followed: ``/mailing_list`` or ``/other/comment``."""
    kind, _, comment = options.partition("/")
    if kind not in TYPES:
        hint = did_you_mean(kind, TYPES) or f"it must be one of {', '.join(TYPES)}"
        raise AclError(f'"{kind}" is no reason for dmarc_override_reason; {hint}')
    run.reception.dmarc_override_reason = (kind, comment)
