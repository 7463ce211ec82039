"""Which addresses are delivered to together.

(Exim specification, "Address batching in local transports", options max_rcpt and multi_domain of the smtp transport.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eximious.errors import Defer, ExpandError

if TYPE_CHECKING:
    from eximious.address.delivery import Address, Host
    from eximious.context import Context


def common(address: Address) -> tuple[Any, ...]:
    """What addresses must agree in to be delivered to together, by any transport."""
    return (
        address.transport.name,
        address.errors_to,
        address.srs,
        tuple(address.extra_headers),
        tuple(address.remove_headers),
        address.uid,
        address.gid,
        address.initgroups,
    )


def take_local(addresses: list[Address], context: Context) -> list[Address]:
    """Take the first address, and those that may be delivered with it, out of the list."""
    first = addresses.pop(0)
    transport = first.transport
    most = getattr(transport, "batch_max", 1)
    if most <= 1 or not addresses:
        return [first]
    key = _local_key(first, context)
    if key is None:
        return [first]
    batch = [first]
    rest = []
    for address in addresses:
        if len(batch) < most and _may_join(address, first) and _local_key(address, context) == key:
            batch.append(address)
        else:
            rest.append(address)
    addresses[:] = rest
    return batch


def _may_join(address: Address, first: Address) -> bool:
    return address.transport is first.transport and address.redirected_file == first.redirected_file


def _local_key(address: Address, context: Context) -> tuple[Any, ...] | None:
    """None if the address cannot be delivered with others."""
    transport = address.transport
    domain = address.domain if _refers_to(transport, "domain") else ""
    local_part = address.local_part if _refers_to(transport, "local_part") else ""
    host = address.host_list[0].name if address.host_list else ""
    batch_id = ""
    if transport.batch_id is not None:
        before = context.address
        context.address = address
        try:
            batch_id = transport.batch_id.expand(context)
        except (ExpandError, Defer):
            return None
        finally:
            context.address = before
    return (*common(address), domain, local_part, host, batch_id, address.home_directory)


def _refers_to(transport: Any, variable: str) -> bool:
    """True if an option of the transport contains the variable (``$local_part``, but not ``$local_part_data``...).

    What the options say never changes, so the answer is kept.
    """
    answers: dict[str, bool] = transport.__dict__.setdefault("_refers_to", {})
    found = answers.get(variable)
    if found is None:
        skipped = ("batch_id", "driver", "debug_print", "retry_use_local_part")
        texts = [given.text for name, given in transport.given.items() if name not in skipped]
        found = answers[variable] = any(f"${variable}" in text or f"${{{variable}" in text for text in texts)
    return found


def hosts_key(hosts: list[Host]) -> tuple[Any, ...]:
    """What lists of hosts must agree in. The order of hosts with the same MX preference does not matter."""
    return tuple(
        sorted(
            (host.mx if host.mx is not None else index, host.name, host.address, host.port)
            for index, host in enumerate(hosts)
        )
    )


def group_remote(addresses: list[Address], context: Context) -> list[list[Address]]:
    """All remote addresses in groups that go to the same hosts with the same envelope sender, in order."""
    groups: dict[tuple[Any, ...], list[Address]] = {}
    for address in addresses:
        transport = address.transport
        key = (*common(address), hosts_key(address.host_list), hosts_key(address.fallback_hosts))
        if not takes_all_domains(transport, context, address):
            key = (*key, address.domain)
        groups.setdefault(key, []).append(address)
    return list(groups.values())


def takes_all_domains(transport: Any, context: Context, address: Address) -> bool:
    """The multi_domain option. If it cannot be expanded, each domain has its own transaction."""
    value = transport.multi_domain
    if isinstance(value, bool):
        return value
    before = context.address
    context.address = address
    try:
        text = value.expand(context).strip().lower()
    except (ExpandError, Defer):
        return False
    finally:
        context.address = before
    return text not in ("", "0", "no", "false")
