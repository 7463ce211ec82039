"""Checks that are begun before an ACL asks: which ones the configuration will want, and what is under way.

SPF begins when MAIL has been accepted; the keys of DKIM signatures and ARC sets, and the DMARC record, are asked for
when the header is complete, while the body arrives. A condition then only picks the result up, and an ACL rarely waits.
What is begun in vain costs DNS queries, so nothing is begun that no ACL mentions, nor for clients that have
authenticated themselves, whom ACLs seldom check.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from eximious.waiting import Ahead

if TYPE_CHECKING:
    from eximious.acl.compiled import Acl, Item
    from eximious.config.configuration import Configuration
    from eximious.context import Context

T = TypeVar("T")

SPF: Final = "spf"
DKIM: Final = "dkim"
DMARC: Final = "dmarc"
ARC: Final = "arc"
NONE: Final[frozenset[str]] = frozenset()
# Condition -> what it wants to know. The DMARC check needs the result of SPF.
WANTED: Final = {"spf": {SPF}, "spf_guess": {SPF}, "dmarc_status": {SPF, DMARC}}


def wanted(config: Configuration) -> frozenset[str]:
    """The checks that the ACLs of the configuration have conditions for."""
    if config.checks_wanted is None:
        config.checks_wanted = frozenset(one for acl in config.acls.values() for one in _wanted_by(acl))
    return config.checks_wanted


def _wanted_by(acl: Acl) -> set[str]:
    return {one for statement in acl.statements for item in statement.items for one in _wanted_for(item)}


def _wanted_for(item: Item) -> set[str] | frozenset[str]:
    if item.name == "verify":
        return {ARC} if item.source.partition("/")[0].strip() == "arc" else NONE
    return WANTED.get(item.name, NONE)


def is_worthwhile(check: str, context: Context) -> bool:
    """True if an ACL may ask for the check of what this client sends."""
    client = context.client
    return (
        check in wanted(context.config)
        and context.session is not None
        and bool(client.host_address)
        and not client.authenticator_name
    )


def begin(context: Context, key: Hashable, make: Callable[[], Coroutine[Any, Any, T]]) -> None:
    """Begin something for the transaction, at whose end it is called off. `key` says what, and of what."""
    context.session.transaction.ahead[key] = Ahead(make)


def take(context: Context, key: Hashable) -> Any:
    """The `Ahead` that was begun, or None. It can be taken once."""
    return None if context.session is None else context.session.transaction.ahead.pop(key, None)
