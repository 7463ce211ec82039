"""Client SMTP authorization: may the client send mail under the name that it gives?

Exim specification, "Client SMTP authorization (CSA)". SRV records at ``_client._smtp.NAME`` say so: the priority is the
version (1), the weight 1 "not authorized", 2 "authorized", 3 "cannot say"; the port is 1 where sub-domains without a
record of their own are not authorized.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.dns.answer import Status
from eximious.lookups.csa import find_records, name_to_ask

if TYPE_CHECKING:
    from eximious.acl.run import Run
    from eximious.context import Context

OK: Final = "ok"
UNKNOWN: Final = "unknown"
FAIL: Final = "fail"
DEFER: Final = "defer"
REASONS: Final = {
    "explicit": "client is explicitly not authorized by CSA",
    "address": "client's IP address does not match any CSA target",
    "target": "client is authorized but CSA has no usable target addresses",
    "subdomain": "client is not authorized, and its domain says that all clients must be",
}


def verify_csa(domain: str, run: Run) -> bool:
    """False only if it is certain that the client may not; ``$csa_status`` says more."""
    context = run.context
    status, why = check(domain or context.client.helo_name or context.client.host_address, context)
    context.facts["csa_status"] = status
    if status != FAIL:
        return True
    run.log_message = REASONS[why]
    return False


def check(domain: str, context: Context) -> tuple[str, str]:
    """The status and, for ``fail``, which of `REASONS` it was."""
    name = name_to_ask(domain, context)
    if not name:
        return UNKNOWN, ""
    answer, is_parent = find_records(name, context.services.dns, context)
    if answer.status in (Status.AGAIN, Status.FAIL):
        return DEFER, ""
    for record in answer.records:
        priority, weight, port, target = record.data
        if priority != 1:
            continue
        if is_parent:
            return (FAIL, "subdomain") if port & 1 else (UNKNOWN, "")
        if weight < 2:
            return FAIL, "explicit"
        return (UNKNOWN, "") if weight > 2 else _match_target(target, context)
    return UNKNOWN, ""


def _match_target(target: str, context: Context) -> tuple[str, str]:
    answer = context.services.dns.hosts(target)
    if answer.status is Status.AGAIN:
        return DEFER, ""
    if not answer:
        return FAIL, "target"
    return (OK, "") if context.client.host_address in answer.data() else (FAIL, "address")
