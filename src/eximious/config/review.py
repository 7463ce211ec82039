"""What a configuration that loads will nevertheless trip over: for ``eximious check``, and for a daemon that starts.

Exim accepts strings with syntax errors, and names of what does not exist, and fails when it gets there. So do we; but
here is how to know before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from eximious.config.configuration import Configuration
from eximious.config.lists import split
from eximious.config.named_lists import TYPES
from eximious.config.option import Option, Options
from eximious.config.settings import read_name
from eximious.config.values import kind_of
from eximious.errors import ConfigError, Place, did_you_mean

# Kind of value -> key in Configuration.named_lists, and items with a plus sign that are no names of lists.
_LISTS: Final = {"DomainList": "domain", "HostList": "host", "AddressList": "address", "LocalPartList": "localpart"}
_NO_NAMES: Final = frozenset(
    {
        "caseful",
        "include_unknown",
        "ignore_unknown",
        "include_defer",
        "ignore_defer",
        "exclude_unknown",
        "defer_unknown",
    }
)
_VERBS: Final = frozenset({"accept", "defer", "deny", "discard", "drop"})  # whole ACLs in one word
# Options of routers and transports that name a transport.
_TRANSPORTS: Final = (
    "transport",
    "directory_transport",
    "file_transport",
    "pipe_transport",
    "reply_transport",
    "shadow_transport",
)


def review(config: Configuration) -> list[ConfigError]:
    """Everything that will fail when it is used, in the order of the file."""
    found = [*compile_all(config), *_unknown_acls(config), *_unknown_transports(config), *_unknown_lists(config)]
    order = {file: number for number, file in enumerate(config.files)}

    def position(error: ConfigError) -> tuple[int, int]:
        place = error.place
        return (len(order), 0) if place is None else (order.get(place.file, len(order)), place.line)

    return sorted(found, key=position)


def compile_all(config: Configuration) -> Iterator[ConfigError]:
    """Convert every value that waits for its first use, and give the faults that only using it would show."""
    for options, option in _settings(config):
        if kind_of(option).is_lazy:
            try:
                value = getattr(options, option.field)
            except ConfigError as error:
                yield error
            else:
                yield from getattr(value, "faults", ())
    for lists in config.named_lists.values():
        for named in lists.values():
            yield from getattr(named.list, "faults", ())
    for rule in config.rewrite_rules:
        for compiled in (rule.addresses, rule.replacement, rule.raw):
            yield from getattr(compiled, "faults", ())


def _instances(config: Configuration) -> list[Options]:
    return [config.main, *config.routers, *config.transports.values(), *config.authenticators]


def _settings(config: Configuration) -> Iterator[tuple[Options, Option]]:
    for options in _instances(config):
        for name in options.given:
            if not options.options[name].sets:
                yield options, options.options[name]


def _unknown_acls(config: Configuration) -> Iterator[ConfigError]:
    for name, given in config.main.given.items():
        word = given.text.strip()
        is_name = name.startswith("acl_") and word != "" and read_name(word) == word
        if is_name and word not in config.acls and word not in _VERBS:
            yield ConfigError(f'there is no ACL "{word}"', given.place, did_you_mean(word, config.acls))


def _unknown_transports(config: Configuration) -> Iterator[ConfigError]:
    for options in (*config.routers, *config.transports.values()):
        for name in _TRANSPORTS:
            given = options.given.get(name)
            if given is None or "$" in given.text or not given.text or given.text in config.transports:
                continue
            hint = did_you_mean(given.text, config.transports)
            yield ConfigError(f'there is no transport "{given.text}"', given.place, hint)


def _unknown_lists(config: Configuration) -> Iterator[ConfigError]:
    for options, option in _settings(config):
        key = _LISTS.get(option.kind.removesuffix("| None").rstrip())
        if key is not None:
            given = options.given[option.name]
            yield from unknown_items(config, key, given.text, given.place)
    for kind, (_, key, _) in TYPES.items():
        for named in config.named_lists[key].values():
            assert named.kind == kind
            yield from unknown_items(config, key, named.text, named.place)


def unknown_items(config: Configuration, key: str, text: str, place: Place | None) -> Iterator[ConfigError]:
    """Items ``+name`` of a list that is not expanded; what expansion would give is not known."""
    known: dict[str, Any] = config.named_lists[key]
    for item in split(text):
        name = item.lstrip("! \t").rstrip()
        if not name.startswith("+") or "$" in name or name[1:] in known or name[1:].partition("/")[0] in _NO_NAMES:
            continue
        where = None if place is None else place.at(max(0, text.find(name)))
        yield ConfigError(f'there is no {key} list "{name}"', where, did_you_mean(name[1:], known))
