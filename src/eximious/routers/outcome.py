"""What routing says: a driver about one address (`Routing`), and the chain of routers about it (`Routed`)."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eximious.address.delivery import Address, Host


class Outcome(Enum):
    """What became of an address that went through the chain of routers."""

    ROUTED = "routed"  # accepted: see `Routed.deliveries` and `Routed.generated`
    REROUTED = "rerouted"  # starts again under another domain, as the one address in `Routed.generated`
    DISCARDED = "discarded"  # accepted and thrown away (``:blackhole:``)
    FAILED = "failed"  # why: `message` and `user_message` of the address
    DEFERRED = "deferred"  # the same; `special_action` is "freeze" if the message must be frozen


class Routed:
    """What became of one address. Whoever routes a message loops over `generated` until nothing is left.

    `address` is the address that was asked about; `address.router` is the router that decided, None if none did. On
    failure and deferral `address.message` is for logs and bounces, `address.user_message` for people outside (SMTP
    replies). Retry hints for a deferral are kept per local part if `address.router.is_retry_per_local_part`, else per
    domain.

    `deliveries` are addresses (the same, or a child of it under ``unseen``) with `transport` set, or None where a
    router only verifies; with `host_list` for remote transports, `errors_to`,
    `extra_headers`, `remove_headers`, `uid`, `gid`, `initgroups`. For local transports the home directory is the
    transport's own option, else `router.transport_home_directory` expanded at delivery time, else `home_directory`;
    likewise the current directory.

    `generated` are children, in order, to be put in front of what is still to be routed; there may be some besides a
    failure or deferral. Routing of each starts at its `start_router` (None: the first). Those whose flags hold "pipe",
    "file" or "autoreply" are not routed: they have their transport already, or a `message` that says why not and an
    `errno`, -10 to -13 if they cannot be or are forbidden (they fail), or another (they are deferred).
    `address.child_count` counts children: the parent is done when all of them are.
    """

    __slots__ = ("address", "deliveries", "generated", "outcome")

    def __init__(
        self,
        outcome: Outcome,
        address: Address,
        deliveries: list[Address] | None = None,
        generated: list[Address] | None = None,
    ) -> None:
        self.outcome = outcome
        self.address = address
        self.deliveries = deliveries or []
        self.generated = generated or []


class Decision(Enum):
    """What one router says about one address."""

    ACCEPT = "accept"
    DECLINE = "decline"  # not mine: the next router, unless ``no_more``
    PASS = "pass"
    FAIL = "fail"
    DEFER = "defer"
    DISCARD = "discard"
    REROUTED = "rerouted"  # starts again as the address in `Routing.generated`


class Routing:
    """A router's decision, with what belongs to it."""

    __slots__ = ("decision", "freeze", "generated", "hosts", "is_redirection", "message", "transport", "user_message")

    def __init__(
        self,
        decision: Decision,
        message: str = "",
        *,
        user_message: str | None = None,
        transport: Any = None,
        hosts: list[Host] | None = None,
        generated: list[Address] | None = None,
        freeze: bool = False,
        is_redirection: bool = False,
    ) -> None:
        self.decision = decision
        self.message = message  # why, for the log
        self.user_message = user_message  # why, for people outside; None: not for them to know
        self.transport = transport  # with ACCEPT: an eximious.transports.base.Transport, None when only verifying
        self.hosts = hosts or []  # with ACCEPT: for a remote transport
        self.generated = generated or []  # with ACCEPT by redirection, and with REROUTED
        self.is_redirection = is_redirection  # with ACCEPT: nothing is delivered to the address itself
        self.freeze = freeze  # with DEFER: freeze the message


class Deferred(Exception):
    """Raised inside a router where routing cannot go on now; becomes a DEFER with this message."""

    def __init__(self, message: str, *, user_message: str | None = None, freeze: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.user_message = user_message
        self.freeze = freeze


def decline(message: str = "", user_message: str | None = None) -> Routing:
    """Not for this router. The messages are for the case that no other router wants the address either."""
    return Routing(Decision.DECLINE, message, user_message=user_message)
