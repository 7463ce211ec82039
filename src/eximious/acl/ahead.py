"""Checks that are begun before an ACL asks: which ones the configuration will want, and what is under way.

SPF begins when MAIL has been accepted; the keys of DKIM signatures and ARC sets, and the DMARC record, are asked for
when the header is complete, while the body arrives. A condition then only picks the result up, and an ACL rarely waits.
What is begun in vain costs DNS queries, so nothing is begun that no ACL mentions, nor for clients that have
authenticated themselves, nor for those whose last check nobody wanted to know: ACLs let our own machines in unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
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
VAIN_LIMIT: Final = 10_000  # checks and clients that are remembered


class Expectations:
    """What the ACLs of a configuration have conditions for, and for which clients they did not come to them lately."""

    __slots__ = ("vain", "wanted")

    def __init__(self, config: Configuration) -> None:
        self.wanted = frozenset(one for acl in config.acls.values() for one in _wanted_by(acl))
        self.vain: dict[tuple[str, str], None] = {}  # check and address of the client, the oldest first

    def note_vain(self, check: str, address: str) -> None:
        """Nobody wanted to know."""
        if check in self.wanted:
            if len(self.vain) >= VAIN_LIMIT:
                del self.vain[next(iter(self.vain))]
            self.vain[check, address] = None


def expected(config: Configuration) -> Expectations:
    """What is known about the configuration in this process."""
    found: Expectations | None = config.expectations
    if found is None:
        found = config.expectations = Expectations(config)
    return found


def wanted(config: Configuration) -> frozenset[str]:
    """The checks that the ACLs of the configuration have conditions for."""
    return expected(config).wanted


def _wanted_by(acl: Acl) -> set[str]:
    return {one for statement in acl.statements for item in statement.items for one in _wanted_for(item)}


def _wanted_for(item: Item) -> set[str] | frozenset[str]:
    if item.name == "verify":
        return {ARC} if item.source.partition("/")[0].strip() == "arc" else NONE
    return WANTED.get(item.name, NONE)


class Begun:
    """A check under way. `detail` is what it is about, if that could be another thing when somebody asks."""

    __slots__ = ("_ahead", "_context", "_name", "detail")

    def __init__(self, name: str, detail: str, context: Context, ahead: Ahead[Any]) -> None:
        self._name = name
        self._context = context
        self._ahead = ahead
        self.detail = detail

    def result(self) -> Any:
        """The result, once it is there; to be asked for once. Raises what the check raises."""
        return self._ahead.result()

    def cancel(self) -> None:
        """It is of no use."""
        self._ahead.cancel()

    def expire(self) -> None:
        """Nobody has asked."""
        self.cancel()
        expected(self._context.config).note_vain(self._name, self._context.client.host_address)


def is_worthwhile(check: str, context: Context) -> bool:
    """True if an ACL may ask for the check of what this client sends."""
    client = context.client
    if context.session is None or not client.host_address or client.authenticator_name:
        return False
    known = expected(context.config)
    return check in known.wanted and (check, client.host_address) not in known.vain


def begin(context: Context, check: str, make: Callable[[], Coroutine[Any, Any, T]], detail: str = "") -> None:
    """Begin a check for the transaction, at whose end it is called off."""
    context.session.transaction.ahead[check] = Begun(check, detail, context, Ahead(make))


def take(context: Context, check: str, detail: str = "") -> Begun | None:
    """The check that was begun, if it is about the same; somebody wants to know its result."""
    if context.session is None:
        return None
    expected(context.config).vain.pop((check, context.client.host_address), None)
    begun: Begun | None = context.session.transaction.ahead.pop(check, None)
    if begun is not None and begun.detail != detail:
        begun.cancel()
        return None
    return begun
