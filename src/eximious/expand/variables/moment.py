"""Variables of the expansion itself: what a lookup or a loop is at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.variable import variable

if TYPE_CHECKING:
    from eximious.context import Context


@variable
def item(context: Context) -> str | None:
    """The list item at hand, in forany, forall, filter, map, reduce and sort."""
    return context.item


@variable
def value(context: Context) -> str | None:
    """What a lookup, an extraction or a command gave, or the value so far in reduce."""
    return context.lookup_value


@variable
def runrc(context: Context) -> str:
    """How the last ``${run`` ended."""
    return str(context.facts.get("runrc", "0"))


@variable
def lookup_dnssec_authenticated(context: Context) -> str | None:
    """``yes`` or ``no``: whether the last DNS answer was authenticated; empty if that was not asked for."""
    return context.facts.get("lookup_dnssec_authenticated")


@variable
def prvscheck_address(context: Context) -> str | None:
    """The address without its tag, in the third string of ``${prvscheck``."""
    return context.facts.get("prvscheck_address")


@variable
def prvscheck_keynum(context: Context) -> str | None:
    """The number of the key that signed the address."""
    return context.facts.get("prvscheck_keynum")


@variable
def prvscheck_result(context: Context) -> str | None:
    """``1`` if the tag is good."""
    return context.facts.get("prvscheck_result")


@variable
def ldap_dn(context: Context) -> str | None:
    """The name of the last entry that an LDAP lookup found."""
    return context.facts.get("ldap_dn")
