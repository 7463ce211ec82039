"""Which hosts to try for a message, in which order, and which to leave alone for now.

(Exim specification, options hosts, hosts_override, fallback_hosts, hosts_randomize; chapter "Retry configuration".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eximious.address.delivery import Host
from eximious.errors import Defer, ExpandError
from eximious.retry.keys import host_key, message_key, routing_key
from eximious.retry.updates import RetryUpdate, is_overdue, known
from eximious.routers.host_finder import Found, HostFinder
from eximious.routers.host_list import parse_hosts
from eximious.send.opening import default_port
from eximious.transports.outcome import UNKNOWN_HOST, Unable, deferred

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.transports.base import Batch
    from eximious.transports.smtp import Smtp

# `Host.status`: whether a host is to be tried.
USABLE: Final = 0
UNUSABLE: Final = 1  # its retry time has not come, or it has no address
UNUSABLE_EXPIRED: Final = 2  # ... and it has been failing for longer than its retry rule allows

# `Host.why`, for those that are not.
RETRY: Final = "retry"
FAILED: Final = "failed"
DEFERRED: Final = "deferred"


def find_hosts(transport: Smtp, batch: Batch, context: Context) -> list[Host]:
    """The hosts for a batch, each with an address and a port. Raises Unable."""
    hosts = batch.hosts
    if transport.hosts is not None and (not hosts or transport.hosts_override):
        hosts = _own_hosts(transport, context)
    elif transport.hosts_randomize:
        hosts = _shuffled(hosts, context)
    if not hosts:
        text = f"{transport.name} transport called with no hosts set"
        raise Unable(deferred(text))
    port = default_port(transport, context)
    found: list[Host] = []
    for host in hosts:
        found += _with_addresses(host, transport, context)
    for host in found:
        host.port = host.port or port
    return found


def _own_hosts(transport: Smtp, context: Context) -> list[Host]:
    """The transport's `hosts`."""
    template = transport.hosts
    assert template is not None
    try:
        text = template.expand(context)
    except (ExpandError, Defer) as error:
        message = f'failed to expand list of hosts "{template.source}" in {transport.name} transport: {error}'
        context.services.logs.panic(message, context.message.id)
        raise Unable(deferred(message)) from error
    return parse_hosts(text, randomize=transport.hosts_randomize, random=context.services.random)


def _shuffled(hosts: list[Host], context: Context) -> list[Host]:
    """In random order, but hosts from MX records stay in order of their preference."""
    if any(host.mx is not None for host in hosts):
        return hosts
    return context.services.random.sample(hosts, len(hosts))


def _with_addresses(host: Host, transport: Smtp, context: Context) -> list[Host]:
    """The host once for each of its addresses; a host whose address cannot be found is marked so."""
    if host.address or host.status:
        return [host]
    finder = HostFinder(context)
    finder.dnssec_request = transport.dnssec_request_domains
    finder.dnssec_require = transport.dnssec_require_domains
    finder.qualify_single = transport.dns_qualify_single
    finder.search_parents = transport.dns_search_parents
    found, hosts = finder.by_name(host) if transport.gethostbyname else _by_dns(finder, host)
    if found is Found.FOUND:
        return hosts
    if found is Found.LOCAL:
        if transport.allow_localhost:
            return hosts
        text = f"{transport.name} transport found host {host.name} to be local"
        context.services.logs.panic(text, context.message.id)
        outcome = deferred(text)
        outcome.special_action = "freeze"
        raise Unable(outcome)
    host.status = UNUSABLE
    host.why = DEFERRED if found in (Found.AGAIN, Found.INSECURE) else FAILED
    return [host]


def _by_dns(finder: HostFinder, host: Host) -> tuple[Found, list[Host]]:
    from eximious.routers.host_finder import as_address

    if as_address(host.name) is not None:
        return finder.by_name(host)
    return finder.by_dns(host)


class Judgement:
    """What the hints say about one host and this message."""

    __slots__ = ("host_key", "is_expired", "knew_host", "knew_message", "message_key")

    def __init__(self) -> None:
        self.host_key = ""
        self.message_key = ""
        self.knew_host = False  # there are hints, which a success removes
        self.knew_message = False
        self.is_expired = False  # it has been failing for longer than its rule allows


def judge(host: Host, transport: Smtp, domain: str, context: Context, *, forced: bool) -> Judgement:
    """Set the host's `status` and `why` by the hints."""
    answer = Judgement()
    key = host_key(host.name, host.address, host.port, include_address=includes_address(transport, context))
    answer.host_key, answer.message_key = key, message_key(key, context.message.id)
    now = context.services.now()
    for is_host, one in ((True, answer.host_key), (False, answer.message_key)):
        record = known(context, one)
        if record is None:
            continue
        if is_host:
            answer.knew_host = True
        else:
            answer.knew_message = True
        host.last_try = record.last_try
        answer.is_expired = answer.is_expired or bool(record.expired)
        if forced or record.next_try <= now:
            continue
        if not record.expired and is_overdue(context, record, host.name, domain):
            continue
        host.status = UNUSABLE_EXPIRED if record.expired else UNUSABLE
        host.why = RETRY
        break
    return answer


def includes_address(transport: Smtp, context: Context) -> bool:
    """retry_include_ip_address."""
    value: Any = transport.retry_include_ip_address
    if isinstance(value, bool):
        return value
    try:
        return value.expand(context).strip().lower() not in ("", "0", "no", "false")
    except (ExpandError, Defer):
        return True


def no_such_hosts(hosts: list[Host]) -> Unable:
    """The addresses of all the hosts cannot be found.

    That is a failure to route to them: for good, it is a mistake of the configuration that may be put right. So it is
    tried again until retry rules for the hosts say that it was long enough.
    """
    texts = [f"failed to lookup IP address for {host.name}" for host in hosts]
    outcome = deferred(texts[-1], UNKNOWN_HOST)
    outcome.tries_fallback = True
    outcome.retries = [
        RetryUpdate(routing_key(host.name), errno=UNKNOWN_HOST, message=text)
        for host, text in zip(hosts, texts, strict=True)
    ]
    return Unable(outcome)
