"""What all routers share: their generic options, and how a driver registers.

Exim specification, chapter "Generic options for routers".
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from eximious.config.errors import Fault
from eximious.config.option import Options, option
from eximious.errors import ConfigError, ConfigErrors, did_you_mean
from eximious.registry import Registry
from eximious.routers.items import templates
from eximious.routers.outcome import Routing
from eximious.routers.self_action import is_valid

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.config.configuration import Configuration
    from eximious.config.values import ExpandedBool, ExpandedGroup, ExpandedUser, StringList
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.lists.address import AddressList
    from eximious.lists.domain import DomainList
    from eximious.lists.host import HostList
    from eximious.lists.local_part import LocalPartList

routers: Registry[type[Router]] = Registry("eximious.routers", "router")


class Router(Options):
    """One router of the configuration: its options, and `route`, which each driver writes."""

    # For drivers to say.
    # Accepting means delivering, unless ``verify_only``; None: the router may also find the transport itself.
    needs_transport: ClassVar[bool | None] = True
    logs_as_local: ClassVar[bool] = False  # the default of ``log_as_local``

    driver: str | None = option(None, doc="Which router this is an instance of.")

    address_data: Template | None = option(
        None, doc="Expanded just before the router runs; stays with the address as $address_data."
    )
    address_test: bool = option(True, doc="Use this router when addresses are tested with -bt.")
    cannot_route_message: Template | None = option(
        None, doc="What to say if this is the last router that is considered and none accepts the address."
    )
    caseful_local_part: bool = option(False, doc="The case of letters in local parts matters.")
    check_local_user: bool = option(False, doc="The local part must be the login name of an account.")
    condition: Template | None = option(
        None,
        repeat="bool_lax",
        doc="The router runs only if this does not expand to nothing, 0, no or false; all must hold if set repeatedly.",
    )
    debug_print: Template | None = option(None, doc="Expanded and shown with -d and -bt.")
    disable_logging: bool = option(False, doc="Log nothing about routing errors and deliveries of this router.")
    dnssec_request_domains: DomainList | None = option("*", doc="Domains for which DNS lookups ask for DNSSEC.")
    dnssec_require_domains: DomainList | None = option(
        None, doc="Domains for which DNS answers that are not authenticated count as failed."
    )
    domains: DomainList | None = option(None, doc="The domain must match; what it matched is $domain_data.")
    dsn_lasthop: bool = option(False, doc="Pass no DSN requests on; send a success DSN from here instead.")
    errors_to: Template | None = option(
        None, doc="Where bounces about what this router accepts go, if that address verifies."
    )
    expn: bool = option(True, doc="Use this router for the EXPN command.")
    fail_verify: bool = option(
        False,
        sets=("fail_verify_sender", "fail_verify_recipient"),
        doc="Sets both fail_verify_sender and fail_verify_recipient.",
    )
    fail_verify_recipient: bool = option(
        False, doc="Verification of a recipient fails if this router accepts the address."
    )
    fail_verify_sender: bool = option(False, doc="Verification of a sender fails if this router accepts the address.")
    fallback_hosts: Template | None = option(
        None, doc="Hosts that a remote transport tries after all others; each may have a port."
    )
    group: ExpandedGroup | None = option(None, doc="The group to deliver as, by name or number.")
    headers_add: Template | None = option(
        None, repeat="\n", doc="Header lines, separated by newlines, to be added to what this router accepts."
    )
    headers_remove: Template | None = option(
        None, repeat=":", doc="Names of header lines to be removed from what this router accepts."
    )
    ignore_target_hosts: HostList | None = option(None, doc="IP addresses that are treated as if they did not exist.")
    initgroups: bool = option(False, doc="Deliver with all the groups of the user.")
    local_part_prefix: StringList | None = option(
        None, doc="The local part must start with one of these; ``*`` at the start matches anything."
    )
    local_part_prefix_optional: bool = option(False, doc="The prefix may be missing.")
    local_part_suffix: StringList | None = option(
        None, doc="The local part must end with one of these; ``*`` at the end matches anything."
    )
    local_part_suffix_optional: bool = option(False, doc="The suffix may be missing.")
    local_parts: LocalPartList | None = option(
        None, doc="The local part must match; what it matched is $local_part_data."
    )
    log_as_local: bool | None = option(
        None, doc="Log deliveries with the local part alone. True for accept, false for the others, unless set."
    )
    more: ExpandedBool = option(True, doc="If this router declines, the next one is tried.")
    pass_on_timeout: bool = option(
        False, doc="If a host lookup fails temporarily, pass the address to the next router instead of deferring it."
    )
    pass_router: str | None = option(None, doc="The router that is next if this one passes the address on.")
    redirect_router: str | None = option(None, doc="The router at which routing of generated addresses starts.")
    require_files: Template | None = option(
        None, doc="Files that must exist, or with ``!`` must not; an item without a slash names a user to check as."
    )
    retry_use_local_part: bool | None = option(
        None,
        doc="Retry hints of routing are kept for each local part. True if a precondition of the router looks at more "
        "than the domain, unless set.",
    )
    router_home_directory: Template | None = option(None, doc="$home while the router runs.")
    self_: str = option("freeze", name="self", doc="What to do if the first host turns out to be the local host.")
    senders: AddressList | None = option(None, doc="The envelope sender must match.")
    set: Template | None = option(
        None, repeat=";", doc="Variables ``r_name = value``, separated by semicolons, that stay with the address."
    )
    translate_ip_address: Template | None = option(
        None, doc="Expanded for every IP address that routing finds, to give another address or host name instead."
    )
    transport: Template | None = option(None, doc="The transport for what this router accepts.")
    transport_current_directory: Template | None = option(None, doc="The current directory for local transports.")
    transport_home_directory: Template | None = option(None, doc="$home for local transports.")
    unseen: ExpandedBool = option(False, doc="A copy of an accepted address goes on to the next router.")
    user: ExpandedUser | None = option(None, doc="The user to deliver as, by name or number.")
    verify: bool = option(
        True, sets=("verify_sender", "verify_recipient"), doc="Sets both verify_sender and verify_recipient."
    )
    verify_only: bool = option(False, doc="Use this router for verification only.")
    verify_recipient: bool = option(True, doc="Use this router to verify recipients.")
    verify_sender: bool = option(True, doc="Use this router to verify senders.")

    @cached_property
    def required_files(self) -> list[Template]:
        """The items of ``require_files``."""
        return templates(self.require_files)

    @cached_property
    def settings(self) -> list[Template]:
        """The items of ``set``."""
        return templates(self.set, ";")

    @cached_property
    def added_headers(self) -> list[Template]:
        """The items of ``headers_add``."""
        return templates(self.headers_add, "\n")

    @cached_property
    def removed_headers(self) -> list[Template]:
        """The items of ``headers_remove``."""
        return templates(self.headers_remove)

    repeat_use: bool = True  # an option of redirect; other routers generate nothing

    # Set by `link`, when all routers are known.
    next_router: Router | None = None
    pass_to: Router | None = None
    redirect_to: Router | None = None

    def route(self, address: Address, context: Context) -> Routing:
        """Decide about an address for which all preconditions hold. May raise Deferred, ExpandError and Defer."""
        raise NotImplementedError

    def check(self, config: Configuration) -> None:
        """Called once when the configuration has been read: raises Fault for settings that cannot go together."""
        if config.routers and config.routers[0] is self:
            link(config.routers)
        if self.needs_transport and self.transport is None and not self.verify_only:
            raise Fault(f"{self.name} router:\n  a transport is required for this router", self.place)
        if self.needs_transport is False and self.transport is not None:
            raise Fault(f"{self.name} router:\n  a transport must not be defined for this router", self.place)
        if not is_valid(self.self_):
            raise self.fault(f"{self.self_} is not valid for the self option")

    def fault(self, message: str) -> Fault:
        """A fault in the settings of this router, to be raised."""
        return Fault(message, self.place, whose=f"{self.name} router")

    @property
    def is_retry_per_local_part(self) -> bool:
        """True if retry hints of this router's routing errors are kept for the whole address, not for the domain."""
        if self.retry_use_local_part is not None:
            return self.retry_use_local_part
        tested = (
            self.local_parts,
            self.condition,
            self.local_part_prefix,
            self.local_part_suffix,
            self.senders,
            self.require_files,
        )
        return self.check_local_user or any(option is not None for option in tested)

    @property
    def is_logged_as_local(self) -> bool:
        """True if deliveries are logged with the local part alone."""
        return self.logs_as_local if self.log_as_local is None else self.log_as_local


def link(chain: list[Router]) -> None:
    """Tell each router of a configuration which comes next, where ``pass_router`` and ``redirect_router`` lead.

    Raises ConfigErrors for names that are no router, or that ``pass_router`` would loop to.
    """
    positions: dict[str, int] = {router.name: position for position, router in enumerate(chain)}
    faults: list[ConfigError] = []
    for position, router in enumerate(chain):
        values: dict[str, Any] = router.__dict__
        values["next_router"] = chain[position + 1] if position + 1 < len(chain) else None
        try:
            values["pass_to"] = _named(chain, positions, router, "pass_router", position)
            values["redirect_to"] = _named(chain, positions, router, "redirect_router", -1)
        except ConfigError as fault:
            faults.append(fault)
    if faults:
        raise ConfigErrors(faults)


def _named(chain: list[Router], positions: dict[str, int], router: Router, which: str, after: int) -> Router | None:
    name: str | None = getattr(router, which)
    if name is None:
        return None
    place = router.given[which].place
    position = positions.get(name)
    if position is None:
        raise Fault(f'new_router "{name}" not found for "{router.name}" router', place, did_you_mean(name, positions))
    if position <= after:
        raise Fault(f'new_router "{name}" does not follow "{router.name}" router', place)
    return chain[position]
