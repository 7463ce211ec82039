"""Client SMTP authorization: may the client send mail under the name that it gives?

Exim specification, "Client SMTP authorization (CSA)". SRV records at ``_client._smtp.NAME`` say so: the priority is the
version (1), the weight 1 "not authorized", 2 "authorized", 3 "cannot say"; the port is 1 where sub-domains without a
record of their own are not authorized.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from eximious.acl.conditions.dnslists import reversed_address
from eximious.dns.answer import Status

if TYPE_CHECKING:
    from eximious.acl.run import Run
    from eximious.context import Context
    from eximious.dns.answer import Answer

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
    name = _lookup_name(domain, context)
    if not name:
        return UNKNOWN, ""
    answer, is_parent = _find(name, context)
    if answer is None:
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


def _lookup_name(domain: str, context: Context) -> str:
    bare = domain.strip("[]")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return domain.rstrip(".")
    if not context.config.main.dns_csa_use_reverse:
        return ""
    return f"{reversed_address(bare)}.{'in-addr' if address.version == 4 else 'ip6'}.arpa"


def _find(name: str, context: Context) -> tuple[Answer | None, bool]:
    """The records of the name, or of the next parent that has some. None if the DNS does not know."""
    limit = context.config.main.dns_csa_search_limit
    labels = name.split(".")
    for depth in range(max(1, min(limit + 1, len(labels) - 1))):
        answer = context.services.dns.query(f"_client._smtp.{'.'.join(labels[depth:])}", "SRV")
        if answer.status in (Status.AGAIN, Status.FAIL):
            return None, False
        if answer:
            return answer, depth > 0
    return answer, False


def _match_target(target: str, context: Context) -> tuple[str, str]:
    answer = context.services.dns.hosts(target)
    if answer.status is Status.AGAIN:
        return DEFER, ""
    if not answer:
        return FAIL, "target"
    return (OK, "") if context.client.host_address in answer.data() else (FAIL, "address")
