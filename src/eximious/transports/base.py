"""What all transports have in common: the generic options, and the shape of a delivery.

(Exim specification, chapter "Generic options for transports".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from eximious.config.errors import Fault
from eximious.config.option import Options, option
from eximious.errors import Defer, ExpandError
from eximious.registry import Registry
from eximious.transports.outcome import Unable, panicked

if TYPE_CHECKING:
    from eximious.address.delivery import Address, Host
    from eximious.config.configuration import Configuration
    from eximious.config.values import ExpandedGroup, ExpandedUser
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.transports.job import Identity
    from eximious.transports.outcome import Outcome
    from eximious.units import Seconds


class Batch:
    """Addresses that one run of a transport delivers the message to, and how."""

    __slots__ = (
        "addresses",
        "directory",
        "envelope_to",
        "home",
        "hosts",
        "identity",
        "is_followed",
        "is_shadow",
        "return_path",
        "used_return_path",
    )

    def __init__(self, addresses: list[Address], return_path: str) -> None:
        self.addresses = addresses  # never empty; they agree in everything that the transport looks at
        self.return_path = return_path  # from errors_to or the message's sender, "" for bounces
        self.used_return_path = return_path  # after the transport's return_path option
        self.hosts: list[Host] = []  # for remote transports, in the order in which to try them
        self.identity: Identity | None = None  # for local transports: as whom
        self.home = ""
        self.directory = "/"  # to work in
        self.envelope_to: list[str] = []  # the recipients of the message that these addresses stand for
        self.is_shadow = False
        self.is_followed = False  # by another batch of the message, for the same hosts and over the same connection


class Transport(Options):
    """Base of all transports: the generic options."""

    is_local: ClassVar[bool] = True
    driver_name: ClassVar[str] = ""

    body_only: bool = option(False, doc="Leave the header out.")
    current_directory: Template | None = option(None, doc="Working directory of a local delivery.")
    debug_print: Template | None = option(None, doc="Text for the debugging output, expanded when the transport runs.")
    delivery_date_add: bool = option(False, doc="Add a Delivery-date: header.")
    disable_logging: bool = option(False, doc="Log nothing about deliveries by this transport.")
    driver: str = option(None, doc="Which kind of transport this is.")
    envelope_to_add: bool = option(False, doc="Add an Envelope-to: header with the original recipients.")
    event_action: Template | None = option(
        None, doc="String that is expanded at each event.", aliases=("tpda_event_action",), later="events"
    )
    group: ExpandedGroup | None = option(None, doc="Group for the delivery; overrides the router's.")
    headers_add: Template | None = option(
        None, repeat="\n", doc="Header lines to add, one a line; may be given several times."
    )
    headers_only: bool = option(False, doc="Leave the body out.")
    headers_remove: Template | None = option(
        None, repeat=":", doc="Names of headers to leave out; may be given several times."
    )
    headers_rewrite: str | None = option(None, doc="Rewriting rules for addresses in header lines.")
    home_directory: Template | None = option(None, doc="Home directory of a local delivery; overrides the router's.")
    initgroups: bool = option(False, doc="Give the delivery all groups of its user.")
    max_parallel: Template | None = option(None, doc="How many runs of this transport may go on at the same time.")
    message_size_limit: Template | None = option(None, doc="Fail messages larger than this.")
    rcpt_include_affixes: bool = option(False, doc="Keep prefix and suffix of the local part in RCPT commands.")
    retry_use_local_part: bool = option(True, doc="Retry hints are for the address, not its domain only.")
    return_path: Template | None = option(None, doc="Envelope sender to deliver with, in place of the message's.")
    return_path_add: bool = option(False, doc="Add a Return-path: header.")
    shadow_condition: Template | None = option(None, doc="Run the shadow transport only if this is true.")
    shadow_transport: str | None = option(None, doc="Name of a transport that gets a copy of what was delivered.")
    transport_filter: Template | None = option(None, doc="Command that the message passes through on its way out.")
    transport_filter_timeout: Seconds = option("5m", doc="How long to wait for the filter command's output.")
    user: ExpandedUser | None = option(None, doc="User for the delivery; overrides the router's.")

    def check(self, config: Configuration) -> None:
        """Check the options together, and set defaults that depend on others. Raises ConfigError."""
        if self.body_only and self.headers_only:
            raise Fault(f"{self.name} transport: body_only and headers_only are mutually exclusive")
        if self.user is not None and self.group is None and (self.user.constant or "").isdigit():
            raise Fault(f"user set without group for the {self.name} transport")
        if self.shadow_transport and self.shadow_transport not in config.transports:
            raise Fault(f"shadow transport {self.shadow_transport} does not exist")

    def deliver(self, batch: Batch, context: Context) -> list[Outcome]:
        """Deliver the context's message to the addresses of the batch; one outcome an address, in their order.

        Raises Unable for what concerns them all.
        """
        raise NotImplementedError

    def set_default(self, name: str, text: str) -> None:
        """Set an option that the configuration does not set, to a default that depends on other options."""
        if not self.is_set(name):
            from eximious.config.values import kind_of

            option = self.options[name]
            self.__dict__[option.field] = kind_of(option).convert(text, None, name)


def expand(transport: Transport, option: str, context: Context, template: Template | None = None) -> str:
    """Expand an option of the transport; "" if it is unset. Raises Unable, also if the failure was asked for."""
    template = template or getattr(transport, option)
    if template is None:
        return ""
    if template.constant is not None:
        return template.constant
    try:
        return template.expand(context)
    except (ExpandError, Defer) as error:
        text = f'Expansion of "{template.source}" ({option} for {transport.name} transport) failed: {error}'
        raise Unable(panicked(text)) from error


transports: Registry[type[Transport]] = Registry("eximious.transports", "transport")
