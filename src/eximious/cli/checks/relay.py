"""An open relay: the ACL for RCPT, read with the eyes of a stranger who wants to send to another stranger.

Each condition is true for him, false, or not known (None). He gets through if a statement accepts with nothing but
true conditions; a refusal with an unknown condition does not count, as it does not stop every stranger.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from eximious.acl.compiled import Acl, Item, Statement
from eximious.cli.checks.acls import called
from eximious.config.configuration import Configuration
from eximious.config.lists import split
from eximious.errors import ConfigError
from eximious.lists.base import MatchList, NamedPattern
from eximious.lists.host import AnyHost, Network
from eximious.lists.patterns import Suffix

# Conditions that a stranger can always make true, and those that he cannot.
HIS_CHOICE: Final = frozenset({"encrypted", "verify"})
NOT_HIS: Final = frozenset({"authenticated"})
DEEPEST: Final = 10  # ACLs within ACLs, lists within lists
ACCEPTS, DENIES = True, False
Outcome = tuple[bool | None, Statement | None]  # accepted, refused or not known, and by which statement

HINT: Final = "say before it: require domains = +local_domains : +relay_to_domains"
# In a condition: what may tell strangers from others.
_ABOUT_RELAYING: Final = re.compile(r"domain|local_part|recipient|sender_host|authenticated|acl|relay|lookup")


def open_relay(config: Configuration) -> Iterator[ConfigError]:
    """A warning if it is one."""
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
    accepted, statement = _run(config, acl, 0)
    if accepted and statement is not None:
        message = f'open relay: the ACL "{word}" accepts mail from any host to any domain here'
        yield ConfigError(message, statement.place, HINT)


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
    if depth > DEEPEST:
        return None, None
    for statement in acl.statements:
        conditions = [item for item in statement.items if not item.declaration.is_modifier]
        holds = _all(_holds(config, item, depth) for item in conditions)
        verb = statement.verb
        if verb in ("accept", "discard"):
            if holds:
                return (ACCEPTS if verb == "accept" else DENIES), statement
        elif verb != "warn":
            if holds is (verb != "require"):
                return DENIES, statement
            if holds is None and any(_may_stop_him(config, item, depth) for item in conditions):
                return None, statement
    return DENIES, None


def _may_stop_him(config: Configuration, item: Item, depth: int) -> bool:
    """True for a condition that is not known, and that may be about who sends where."""
    if _holds(config, item, depth) is not None:
        return False
    return item.name in ("acl", "domains", "hosts", "recipients") or (
        item.name == "condition" and _ABOUT_RELAYING.search(item.source) is not None
    )


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
        return None if acl is None else _run(config, acl, depth + 1)[0]
    if item.name in NOT_HIS:
        return False
    return True if item.name in HIS_CHOICE else None


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
