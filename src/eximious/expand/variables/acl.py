"""Variables that exist while an ACL runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.variable import variable

if TYPE_CHECKING:
    from eximious.context import Context


@variable
def acl_narg(context: Context) -> str:
    """How many arguments the ACL was called with."""
    return str(len(context.acl_arguments))


@variable
def acl_verify_message(context: Context) -> str | None:
    """Why a verification in this ACL statement failed."""
    return context.facts.get("acl_verify_message")


@variable
def headers_added(context: Context) -> str | None:
    """The header lines that ACLs have added so far, one a line."""
    return context.facts.get("headers_added")


@variable
def host_data(context: Context) -> str | None:
    """What a lookup in a ``hosts`` condition found."""
    return context.facts.get("host_data")


@variable
def sender_data(context: Context) -> str | None:
    """What a lookup in a ``senders`` condition or option found."""
    return context.facts.get("sender_data")


@variable
def recipient_data(context: Context) -> str | None:
    """What a lookup in a ``recipients`` condition found."""
    return context.facts.get("recipient_data")


@variable
def sender_address_data(context: Context) -> str | None:
    """The ``$address_data`` that verifying the sender left."""
    return context.facts.get("sender_address_data")


@variable
def sender_verify_failure(context: Context) -> str | None:
    """Why verifying the sender failed: ``qualify``, ``route``, ``mail``, ``recipient`` or ``postmaster``."""
    return context.facts.get("sender_verify_failure")


@variable
def recipient_verify_failure(context: Context) -> str | None:
    """Why verifying the recipient failed, in the same words."""
    return context.facts.get("recipient_verify_failure")


@variable
def callout_address(context: Context) -> str | None:
    """The address (and port) that a callout connected to."""
    return context.facts.get("callout_address")


@variable
def csa_status(context: Context) -> str | None:
    """What ``verify = csa`` found: ``ok``, ``fail``, ``defer`` or ``unknown``."""
    return context.facts.get("csa_status")


@variable
def sender_rate(context: Context) -> str | None:
    """The rate that the ``ratelimit`` condition measured."""
    return context.facts.get("sender_rate")


@variable
def sender_rate_limit(context: Context) -> str | None:
    """The limit that the ``ratelimit`` condition was given."""
    return context.facts.get("sender_rate_limit")


@variable
def sender_rate_period(context: Context) -> str | None:
    """The period that the ``ratelimit`` condition was given, in seconds."""
    return context.facts.get("sender_rate_period")


@variable
def dnslist_domain(context: Context) -> str | None:
    """The DNS list in which something was found."""
    return None if context.dnslist is None else context.dnslist.domain


@variable
def dnslist_matched(context: Context) -> str | None:
    """What was looked up in that DNS list."""
    return None if context.dnslist is None else context.dnslist.matched


@variable
def dnslist_text(context: Context) -> str | None:
    """The TXT record of that DNS list."""
    return None if context.dnslist is None else context.dnslist.text


@variable
def dnslist_value(context: Context) -> str | None:
    """The addresses of that DNS list, with a comma and a space between."""
    return None if context.dnslist is None else context.dnslist.value
