"""Transports that cannot deliver what routers send them, authenticators that do nothing, rules never reached."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from eximious.cli.checks.strings import Text, texts
from eximious.cli.checks.uses import all_transports_known, routers_of
from eximious.config.configuration import Configuration
from eximious.errors import ConfigError
from eximious.expand.variable import Variable
from eximious.routers.base import Router
from eximious.transports.base import Transport

# What a transport needs for the addresses of a router's `transport` option: driver -> options, one of which is needed.
NEEDED = {"appendfile": ("file", "directory"), "pipe": ("command",), "lmtp": ("command", "socket")}
# Routers that say to which hosts an address goes.
WITH_HOSTS = frozenset({"dnslookup", "ipliteral", "iplookup", "manualroute", "queryprogram"})
DATA = {"local_part_data": ("local_parts", "check_local_user"), "domain_data": ("domains",)}


def deliverable(config: Configuration) -> Iterator[ConfigError]:
    """A warning for each router whose transport lacks something, and each variable that nothing sets."""
    for router in config.routers:
        given = router.given.get("transport")
        transport = config.transports.get(given.text) if given is not None else None
        if transport is not None:
            yield from _lacks(router, given, transport)
    yield from _unauthenticated(config)
    for text in texts(config):
        for thing in text.walk():
            if isinstance(thing, Variable) and thing.name in DATA:
                yield from _unset(config, text, thing)


def _lacks(router: Any, given: Any, transport: Any) -> Iterator[ConfigError]:
    needed = NEEDED.get(transport.driver, ())
    if needed and not any(map(transport.is_set, needed)):
        message = f'the transport "{transport.name}" cannot deliver for this router: it has no {" or ".join(needed)}'
        yield ConfigError(message, given.place, "only what redirect routers generate brings its own")
    if transport.driver == "smtp" and router.driver not in WITH_HOSTS and not transport.is_set("hosts"):
        message = f'the transport "{transport.name}" has no hosts to deliver to'
        hint = f"{router.driver} routers do not find any: set hosts in the transport, or use dnslookup or manualroute"
        yield ConfigError(message, given.place, hint)


def _unauthenticated(config: Configuration) -> Iterator[ConfigError]:
    """Transports that must authenticate themselves, where there is no authenticator that does that."""
    if any(name.startswith("client_") for one in config.authenticators for name in one.given):
        return
    for transport in config.transports.values():
        given = transport.given.get("hosts_require_auth")
        if given is not None and given.text.strip():
            message = (
                f'the transport "{transport.name}" must authenticate itself, and there is no authenticator for that'
            )
            hint = "an authenticator is for clients if it sets client_send, client_secret or the like"
            yield ConfigError(message, given.place, hint)


def _unset(config: Configuration, text: Text, variable: Variable) -> Iterator[ConfigError]:
    options = DATA[variable.name]
    holder = text.holder
    if isinstance(holder, Router):
        routers = [holder]
    elif isinstance(holder, Transport) and all_transports_known(config):
        routers = routers_of(config, holder.name)
    else:
        return
    if routers and not any(router.is_set(option) for router in routers for option in options):
        whose = "the router" if isinstance(holder, Router) else "a router that comes here"
        hint = f"it is set if {whose} says {' or '.join(options)}"
        yield ConfigError(f"${variable.name} is always empty here", text.place_of(variable), hint)


def idle(config: Configuration) -> Iterator[ConfigError]:
    """A note for each authenticator that does nothing, and for retry rules that are never reached or are missing."""
    for authenticator in config.authenticators:
        if authenticator.driver == "plaintext" and not any(
            map(authenticator.is_set, ("server_condition", "client_send"))
        ):
            hint = "it needs server_condition for servers, client_send for clients"
            yield ConfigError(f'the authenticator "{authenticator.name}" does nothing', authenticator.place, hint)
    given = config.main.given.get("auth_advertise_hosts")
    if given is not None and not given.text.strip() and any(map(_is_server, config.authenticators)):
        yield ConfigError("the authenticators are offered to nobody", given.place, "auth_advertise_hosts says to whom")
    if config.acls and not config.main.is_set("acl_smtp_rcpt"):
        yield ConfigError("acl_smtp_rcpt is not set: every recipient is refused over SMTP")
    yield from _retry_rules(config)


def _is_server(authenticator: Any) -> bool:
    return any(name.startswith("server_") for name in authenticator.given)


def _retry_rules(config: Configuration) -> Iterator[ConfigError]:
    for number, rule in enumerate(config.retry_rules[:-1]):
        if rule.pattern_source in ("*", "*@*") and rule.error.name == "*" and rule.senders is None:
            after = config.retry_rules[number + 1]
            yield ConfigError(
                "this retry rule is never reached", after.place, f"the rule {rule.pattern_source} * fits all"
            )
            break
    for rule in config.retry_rules:
        if any(other.cutoff <= one.cutoff for one, other in itertools.pairwise(rule.steps)):
            hint = "the times at which the steps of a rule end must rise"
            yield ConfigError("a step of this retry rule is never used", rule.place, hint)
    if not config.retry_rules and any(transport.driver == "smtp" for transport in config.transports.values()):
        yield ConfigError("there are no retry rules: what cannot be delivered at once is returned to its sender")
