"""What is defined and never used: ACLs, named lists, transports, ACL and router variables, routers out of reach."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from eximious.cli.checks.strings import texts
from eximious.config.configuration import Configuration
from eximious.config.named_lists import TYPES
from eximious.errors import ConfigError, did_you_mean
from eximious.expand.variable import ConnectionVariable, MessageAclVariable, RouterVariable

_WORD: Final = re.compile(r"[A-Za-z0-9_.-]+")
# What makes a router decline some addresses.
PRECONDITIONS: Final = (
    *("address_test", "check_local_user", "condition", "domains", "expn", "local_part_prefix", "local_part_suffix"),
    *("local_parts", "require_files", "senders", "verify", "verify_only", "verify_recipient", "verify_sender"),
)


def unused(config: Configuration) -> Iterator[ConfigError]:
    """A note for each."""
    words = _words(config)
    for name, acl in config.acls.items():
        if words.get(name, 0) < 2:
            yield ConfigError(f'nothing refers to the ACL "{name}"', acl.place)
    for kind, (_, key, _) in TYPES.items():
        for name, named in config.named_lists[key].items():
            if words.get(name, 0) < 2:
                yield ConfigError(f"nothing refers to the {kind} {name}", named.name_place)
    for name, transport in config.transports.items():
        if words.get(name, 0) < 2:
            yield ConfigError(f'nothing refers to the transport "{name}"', transport.place)
    yield from _unreachable(config)


def _words(config: Configuration) -> dict[str, int]:
    """How often each word occurs in the configuration: a definition is one occurrence, a reference another."""
    counts: dict[str, int] = {}
    for line in config.lines:
        if line.startswith("# "):
            continue
        for word in _WORD.findall(line):
            counts[word] = counts.get(word, 0) + 1
    return counts


def _unreachable(config: Configuration) -> Iterator[ConfigError]:
    """Routers after one that accepts every address."""
    for number, router in enumerate(config.routers):
        if _accepts_all(router):
            for later in config.routers[number + 1 :]:
                if not _is_target(config, later.name):
                    hint = f'router "{router.name}" accepts every address'
                    yield ConfigError(f'the router "{later.name}" is never reached', later.place, hint)
            return


def _accepts_all(router: Any) -> bool:
    return router.driver == "accept" and not router.is_set("unseen") and not any(map(router.is_set, PRECONDITIONS))


def _is_target(config: Configuration, name: str) -> bool:
    return any(name in (router.pass_router, router.redirect_router) for router in config.routers)


def unset_variables(config: Configuration) -> Iterator[ConfigError]:
    """A warning for each ACL or router variable that is read, but that nothing sets."""
    made = {*_set_in_acls(config), *_set_in_routers(config)}
    told: set[str] = set()
    for text in texts(config):
        if text.template.constant is not None:
            continue
        for node in text.walk():
            if not isinstance(node, ConnectionVariable | MessageAclVariable | RouterVariable):
                continue
            if node.name not in made and node.name not in told:
                told.add(node.name)
                place = text.place_of(node)
                yield ConfigError(f"nothing sets the variable ${node.name}", place, did_you_mean(node.name, made))


def _set_in_acls(config: Configuration) -> Iterator[str]:
    for acl in config.acls.values():
        for statement in acl.statements:
            for item in statement.items:
                if item.name.startswith("set "):
                    yield item.name.removeprefix("set ")


def _set_in_routers(config: Configuration) -> Iterator[str]:
    for router in config.routers:
        if router.is_set("set"):
            for template in router.settings:
                yield template.source.partition("=")[0].strip()
