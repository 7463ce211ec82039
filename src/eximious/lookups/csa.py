"""Client SMTP Authorization: where the records about a name are found, for ``verify = csa`` and dnsdb.

SRV records at ``_client._smtp.NAME``: the priority is the version (1), the weight 1 "not authorized", 2 "authorized",
3 "cannot say"; the port is odd where sub-domains without a record of their own are not authorized.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.dns.answer import Status
from eximious.expand.ip import ip_version, reverse_name

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.dns.answer import Answer
    from eximious.dns.resolver import Resolver


def name_to_ask(domain: str, context: Context) -> str:
    """The name about which to ask: an address is looked for in the reverse DNS, if the configuration allows that."""
    bare = domain.strip("[]")
    if not ip_version(bare):
        return domain.rstrip(".")
    return reverse_name(bare) if context.config.main.dns_csa_use_reverse else ""


def find_records(name: str, dns: Resolver, context: Context) -> tuple[Answer, bool]:
    """The records of the name, or of the next parent that has some; and whether they are those of a parent."""
    limit = context.config.main.dns_csa_search_limit
    labels = name.split(".")
    for depth in range(max(1, min(limit + 1, len(labels) - 1))):
        answer = dns.query(f"_client._smtp.{'.'.join(labels[depth:])}", "SRV", check=False)
        if answer or answer.status in (Status.AGAIN, Status.FAIL):
            return answer, depth > 0
    return answer, False
