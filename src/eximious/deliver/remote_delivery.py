"""Remote deliveries of one message: recipients in groups that go to the same hosts, several groups at a time.

(Exim specification, options remote_max_parallel, remote_sort_domains and max_rcpt; "Outgoing SMTP and LMTP".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious import waiting
from eximious.deliver.batches import group_remote, hosts_key
from eximious.deliver.parallel import slot
from eximious.deliver.preparation import check_size, copy_context, new_batch, seen_by, set_return_path
from eximious.errors import Defer, ExpandError
from eximious.routers.host_list import parse_hosts
from eximious.transports.outcome import DEFERRED, Outcome, Unable

if TYPE_CHECKING:
    from eximious.address.delivery import Address, Host
    from eximious.context import Context
    from eximious.deliver.progress import Progress
    from eximious.transports.base import Transport

MESSAGE_LIMIT: Final = 1024  # characters of an error that are logged and reported, whatever a host says


def deliver_all(progress: Progress) -> None:
    """Deliver to all remote addresses, and to fallback hosts where the others are out of reach."""
    addresses = progress.without_duplicates(progress.remote)
    progress.remote = []
    is_wrapper = progress.context.config.main.mua_wrapper
    for address in addresses:
        if is_wrapper:
            address.fallback_hosts = []
        elif not address.fallback_hosts:
            address.fallback_hosts = _fallback_hosts(address, progress)
    second = _deliver_once(progress, addresses)
    if second:
        for address in second:
            address.host_list = address.fallback_hosts
            address.fallback_hosts = []
        _deliver_once(progress, second)


def _fallback_hosts(address: Address, progress: Progress) -> list[Host]:
    """Those of the address's router, else of the transport; none if this host was among the better ones."""
    if "local_host_removed" in address.flags:
        return []
    for driver, kind in ((address.router, "router"), (address.transport, "transport")):
        template = getattr(driver, "fallback_hosts", None)
        if template is None:
            continue
        context = progress.context
        before, context.address = context.address, address
        try:
            listed = template.expand(context)
        except (ExpandError, Defer) as error:
            progress.log(f'failed to expand fallback_hosts "{template.source}" of {driver.name} {kind}: {error}')
            continue
        finally:
            context.address = before
        randomize = bool(getattr(driver, "hosts_randomize", False))
        return parse_hosts(listed, randomize=randomize, random=progress.services.random)
    return []


def _deliver_once(progress: Progress, addresses: list[Address]) -> list[Address]:
    """Deliver; the addresses that have fallback hosts and are still to be tried there."""
    if not addresses:
        return []
    context = progress.context
    most_parallel = max(1, context.config.main.remote_max_parallel)
    groups = []
    for group in group_remote(_in_order(addresses, context), context):
        groups += [group] if context.config.main.mua_wrapper else _cut(group, most_parallel)
    if len(groups) > 1 and context.config.main.mua_wrapper:
        from eximious.deliver.wrapper import cannot_be_one_transaction

        cannot_be_one_transaction(progress)
        return []
    again: list[Address] = []

    def deliver(group: list[Address], context: Context, *, is_followed: bool = False) -> None:
        again.extend(_file(progress, group, _deliver(progress, group, context, is_followed=is_followed)))

    if len(groups) == 1 or progress.how.continued:
        for position, group in enumerate(groups):
            deliver(group, context, is_followed=_is_followed(groups, position))
    else:
        waiting.gather(
            [lambda group=group: deliver(group, copy_context(context)) for group in groups],  # type: ignore[misc]
            most_parallel,
        )
    return again


def _is_followed(groups: list[list[Address]], position: int) -> bool:
    """True if a later group goes to the hosts of this one."""
    first = groups[position][0]
    hosts = hosts_key(first.host_list)
    return any(
        group[0].transport is first.transport and hosts_key(group[0].host_list) == hosts
        for group in groups[position + 1 :]
    )


def _in_order(addresses: list[Address], context: Context) -> list[Address]:
    """remote_sort_domains: those on the list first, in its order."""
    domains = context.config.main.remote_sort_domains
    if domains is None:
        return addresses
    from eximious.deliver.sorting import by_domains

    return by_domains(addresses, domains, context)


def _cut(group: list[Address], most_parallel: int) -> list[list[Address]]:
    """The group in parts of max_rcpt recipients that may go out side by side.

    Where that is not wanted, or the limit is to be expanded for each host, the transport sees to it with several
    transactions over one connection. But 1 is for return paths that are made for each recipient.
    """
    template = group[0].transport.max_rcpt
    if len(group) == 1 or template is None or template.constant is None:
        return [group]
    try:
        most = int(template.constant.strip())
    except ValueError:
        most = 1
    if most <= 0 or (most > 1 and most_parallel == 1):
        return [group]
    return [group[start : start + most] for start in range(0, len(group), most)]


def _deliver(progress: Progress, addresses: list[Address], context: Context, *, is_followed: bool) -> list[Outcome]:
    transport: Transport = addresses[0].transport
    before = progress.services.now()
    batch = new_batch(addresses, context, progress.done)
    batch.hosts = addresses[0].host_list
    batch.is_followed = is_followed
    with seen_by(context, batch, transport):
        try:
            set_return_path(batch, transport, context)
            check_size(transport, context)
            with slot(transport, context):
                outcomes = transport.deliver(batch, context)
        except Unable as error:
            outcomes = [error.outcome.copy() for _ in addresses]
    if context.config.main.mua_wrapper:
        from eximious.deliver.wrapper import all_or_nothing

        outcomes = all_or_nothing(outcomes)
    took = progress.services.now() - before
    for outcome in outcomes:
        outcome.message = outcome.message[:MESSAGE_LIMIT]
        outcome.user_message = outcome.user_message[:MESSAGE_LIMIT]
        outcome.took = took
        outcome.return_path = batch.used_return_path
    return outcomes


def _file(progress: Progress, group: list[Address], outcomes: list[Outcome]) -> list[Address]:
    """File the addresses under what became of them; those to be tried at fallback hosts."""
    again = []
    for address, outcome in zip(group, outcomes, strict=True):
        progress.retry_updates.setdefault(id(address), []).extend(outcome.retries)
        if outcome.retry_skipped:
            progress.retry_skipped.add(id(address))
        if outcome.status == DEFERRED and outcome.tries_fallback and address.fallback_hosts:
            again.append(address)
        else:
            progress.settle(address, outcome, flag="->" if outcome.follows else "=>")
    return again
