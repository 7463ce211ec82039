"""What is the same for local and remote deliveries: the address that expansions see, the return path, size limits.

(Exim specification, chapter "Generic options for transports".)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from eximious.address.delivery import Address
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.transports.base import Batch
from eximious.transports.outcome import EXPAND_FAILED, UNKNOWN, Unable, deferred, failed

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.deliver.done import Done
    from eximious.transports.base import Transport


def new_batch(addresses: list[Address], context: Context, done: Done) -> Batch:
    """A batch for these addresses."""
    batch = Batch(addresses, addresses[0].return_path(context.message.sender))
    batch.envelope_to = done.originals(addresses)
    return batch


@contextmanager
def seen_by(context: Context, batch: Batch, transport: Transport) -> Iterator[None]:
    """Expansions see the batch's address, and the transport, while this lasts."""
    before = (context.address, context.transport_name, context.router_name, context.captures)
    first = batch.addresses[0]
    context.address = first if len(batch.addresses) == 1 else _of_many(batch.addresses)
    context.transport_name = transport.name
    context.router_name = first.router.name if first.router is not None else ""
    context.captures = list(first.numeric)
    context.facts["return_path"] = batch.used_return_path
    try:
        yield
    finally:
        context.address, context.transport_name, context.router_name, context.captures = before
        context.facts.pop("return_path", None)


def _of_many(addresses: list[Address]) -> Address:
    """What expansions see of several addresses: their domain, if it is the same, and nothing of local parts."""
    first = addresses[0]
    is_one_domain = all(address.domain == first.domain for address in addresses)
    seen = Address(f"@{first.domain}" if is_one_domain else "")
    seen.address = ""
    seen.parent = Address("")  # $original_domain is not the domain that they are delivered to
    seen.router, seen.transport = first.router, first.transport
    seen.errors_to, seen.srs = first.errors_to, first.srs
    seen.host_list = first.host_list
    seen.home_directory = first.home_directory
    seen.uid, seen.gid = first.uid, first.gid
    # These may differ, and then are those of the first.
    seen.address_data, seen.router_variables = first.address_data, first.router_variables
    seen.self_hostname = first.self_hostname
    if all(address.redirected_file == first.redirected_file for address in addresses):
        seen.redirected_file, seen.flags = first.redirected_file, first.flags
    seen.domain_data = first.domain_data if is_one_domain else None
    return seen


def set_return_path(batch: Batch, transport: Transport, context: Context) -> None:
    """The transport's return_path option. Raises Unable."""
    template = transport.return_path
    if template is None:
        return
    try:
        batch.used_return_path = template.expand(context)
    except ForcedFail:
        return
    except (ExpandError, Defer) as error:
        text = f'Failed to expand return path "{template.source}" in {transport.name} transport: {error}'
        context.services.logs.panic(text, context.message.id)
        raise Unable(deferred(text, EXPAND_FAILED)) from error
    context.facts["return_path"] = batch.used_return_path


def check_size(transport: Transport, context: Context) -> None:
    """message_size_limit. Raises Unable."""
    template = transport.message_size_limit
    if template is None:
        return
    from eximious.config.numbers import integer

    try:
        text = template.expand(context)
        limit = integer(text.strip())
    except (ExpandError, Defer) as error:
        raise Unable(deferred(f"failed to expand message_size_limit in {transport.name} transport: {error}")) from error
    except ValueError:
        text = f'invalid message_size_limit in {transport.name} transport: integer expected but "{text}" found'
        raise Unable(deferred(text, UNKNOWN)) from None
    if 0 < limit < context.message.size:
        outcome = failed(f"message is too big (transport limit = {limit})", 0)
        raise Unable(outcome)


def copy_context(context: Context) -> Any:
    """The same moment for another delivery that goes on beside this one."""
    other = object.__new__(type(context))
    for name in type(context).__slots__:
        setattr(other, name, getattr(context, name))
    other.facts = dict(context.facts)
    other.captures = list(context.captures)
    return other
