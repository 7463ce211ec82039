"""An open relay: the ACL for RCPT, read with the eyes of a stranger who wants to send to another stranger.

Each condition is true for him, false, or not known (None). He gets through if a statement accepts with nothing but
true conditions; a refusal with an unknown condition does not count, as it does not stop every stranger.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from eximious.acl.compiled import Acl, Item, Statement
from eximious.cli.checks.acls import called
from eximious.config.configuration import Configuration
from eximious.config.lists import split
from eximious.errors import ConfigError, Note
from eximious.lists.base import MatchList, NamedPattern
from eximious.lists.host import AnyHost, Network
from eximious.lists.patterns import Suffix

# Conditions that a stranger can always make true, and those that he cannot.
HIS_CHOICE: Final = frozenset({"encrypted", "verify"})
NOT_HIS: Final = frozenset({"authenticated"})
DEEPEST: Final = 10  # ACLs within ACLs, lists within lists
ACCEPTS, DENIES = True, False


class Outcome:
    """What an ACL says to the stranger: accepted, refused or not known (None), and by which statement.

    `doubt` is a condition that may have stopped him before.
    """

    __slots__ = ("accepted", "doubt", "statement")

    def __init__(self, accepted: bool | None, statement: Statement | None = None, doubt: Item | None = None) -> None:
        self.accepted = accepted
        self.statement = statement
        self.doubt = doubt


HINT: Final = "say before it: require domains = +local_domains : +relay_to_domains"
NEGATED: Final = "a list that ends with a negated item has everybody whom none of its items names"
# Conditions that, if their effect is not known, may be what prevents relaying.
ABOUT_RELAYING: Final = frozenset({"acl", "domains", "hosts", "recipients"})


def open_relay(config: Configuration) -> Iterator[ConfigError]:
    """A warning if it is one; harmless (a note) if nothing but a condition of unknown effect is against it."""
    given = config.main.given.get("acl_smtp_rcpt")
    if given is None or "$" in given.text or not _routes_strangers(config):
        return
    word = given.text.strip()
    if word == "accept":
        hint = "name an ACL that refuses what is neither for you nor from you"
        yield ConfigError("open relay: every recipient is accepted", given.place, hint)
    acl = config.acls.get(word)
    if acl is None:
        return
    outcome = _run(config, acl, 0)
    if not outcome.accepted or outcome.statement is None:
        return
    doubt = outcome.doubt
    if doubt is None:
        message = f'open relay: the ACL "{word}" accepts mail from any host to any domain here'
        ends_negated = any(_ends_negated(config, item) for item in outcome.statement.items)
        yield ConfigError(message, outcome.statement.place, NEGATED if ends_negated else HINT)
    else:
        line = doubt.place.line if doubt.place is not None else 0
        message = f"if the condition in line {line} does not prevent it, this is an open relay"
        yield Note(message, outcome.statement.place, HINT)


def _ends_negated(config: Configuration, item: Item) -> bool:
    """True if the condition has a list, or the name of a list, that ends with a negated item after others."""
    if item.name not in ("domains", "hosts"):
        return False
    items = split(item.value.template.constant or "")
    if len(items) == 1 and items[0].startswith("+"):
        named = config.named_lists[item.value.registry].get(items[0][1:])
        items = [] if named is None else split(named.text)
    return len(items) > 1 and items[-1].startswith("!")


def _routes_strangers(config: Configuration) -> bool:
    """True if there is a router that may send mail for any domain to another host."""
    for router in config.routers:
        transport = config.transports.get(router.given["transport"].text) if "transport" in router.given else None
        is_remote = transport is not None and transport.driver == "smtp"
        if is_remote and (router.domains is None or _domain(config, router.domains) is not False):
            return True
    return False


def _run(config: Configuration, acl: Acl, depth: int) -> Outcome:
    """What the ACL says to the stranger."""
    doubt: Item | None = None
    for statement in acl.statements if depth <= DEEPEST else ():
        conditions = [item for item in statement.items if not item.declaration.is_modifier]
        holds = _all(_holds(config, item, depth) for item in conditions)
        verb = statement.verb
        if verb in ("accept", "discard"):
            if holds:
                return Outcome(ACCEPTS if verb == "accept" else DENIES, statement, doubt)
        elif verb != "warn":
            if holds is (verb != "require"):
                return Outcome(DENIES, statement)
            unknown = [item for item in conditions if holds is None and _holds(config, item, depth) is None]
            if any(item.name in ABOUT_RELAYING for item in unknown):
                return Outcome(None, statement)
            doubt = doubt or next((item for item in unknown if item.name == "condition"), None)
    return Outcome(DENIES if depth <= DEEPEST else None)


def _all(values: Iterator[bool | None]) -> bool | None:
    result: bool | None = True
    for value in values:
        if value is False:
            return False
        result = result if value else None
    return result


def _holds(config: Configuration, item: Item, depth: int) -> bool | None:
    value = _plainly(config, item, depth)
    return value if value is None or not item.negated else not value


def _plainly(config: Configuration, item: Item, depth: int) -> bool | None:
    """What the condition gives without its exclamation mark."""
    if item.name == "hosts":
        return _host(config, item.value)
    if item.name in ("domains", "recipients"):
        return _domain(config, item.value) if item.name == "domains" else None
    if item.name in ("senders", "local_parts", "sender_domains"):
        return True if item.source.strip() == "*" else None
    if item.name == "condition":
        return True if item.source.strip().lower() in ("true", "yes", "1") else None
    if item.name == "verify":
        return True if item.source.split("/")[0].strip() in ("recipient", "sender") else None
    if item.name == "acl":
        acl = config.acls.get(called(item))
        return None if acl is None else _nested(config, acl, depth + 1)
    if item.name in NOT_HIS:
        return False
    return True if item.name in HIS_CHOICE else None


def _nested(config: Configuration, acl: Acl, depth: int) -> bool | None:
    """What the condition ``acl`` gives."""
    outcome = _run(config, acl, depth)
    return outcome.accepted if outcome.doubt is None else None


def _host(config: Configuration, hosts: Any, depth: int = 0) -> bool | None:
    """Does a list of hosts have the stranger's?"""
    return _in_list(config, hosts, depth, _has_any_host)


def _has_any_host(pattern: Any) -> bool:
    return isinstance(pattern, AnyHost) or (isinstance(pattern, Network) and pattern.bits == 0)


def _domain(config: Configuration, domains: Any, depth: int = 0) -> bool | None:
    """Does a list of domains have one that nobody here knows?"""
    return _in_list(config, domains, depth, lambda pattern: isinstance(pattern, Suffix) and not pattern.end)


def _in_list(config: Configuration, owner: MatchList, depth: int, has_any: Any) -> bool | None:
    constant = owner.template.constant
    if constant is None or depth > DEEPEST:
        return None
    is_negated = False
    for text in split(constant):
        item = owner.item_of(text)
        if item is None:
            continue
        is_negated = item.is_negated
        if isinstance(item.pattern, NamedPattern):
            named = config.named_lists[item.pattern.registry].get(item.pattern.name)
            found = None if named is None else _in_list(config, named.list, depth + 1, has_any)
        else:
            found = has_any(item.pattern)
        if found is None:
            return None
        if found:
            return not item.is_negated
    return is_negated
