"""Tainted data on its way to the name of a file, a command or a query: found before a message finds it.

Exim and Eximious refuse such a use when it happens; mail is then deferred or bounced. Here the line is named, and the
rewrite that cures it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from eximious.cli.checks.flow import ASSIGNED, START, Cause, Flow, family
from eximious.cli.checks.strings import Text, texts
from eximious.config.configuration import Configuration
from eximious.config.lists import split
from eximious.errors import ConfigError
from eximious.expand.nodes import Concatenation, Node
from eximious.expand.template import compile
from eximious.lookups.base import find_lookup
from eximious.routers.base import Router
from eximious.transports.base import Transport

# Driver, option -> what its value is, if that must not be tainted. Driver "" stands for main options, "router" and
# "transport" for all of those.
REFUSING: Final = {
    ("appendfile", "file"): "the name of the file to deliver to",
    ("appendfile", "directory"): "the name of the directory to deliver to",
    ("pipe", "command"): "the command to deliver to",
    ("lmtp", "command"): "the command to deliver to",
    ("queuefile", "directory"): "the name of the directory to write to",
    ("redirect", "file"): "the name of the file with redirection data",
    ("queryprogram", "command"): "the command to ask",
    ("router", "transport"): "the name of a transport",
    ("transport", "transport_filter"): "the command that filters messages",
    ("", "tls_certificate"): "the name of the file with the certificate",
    ("", "tls_privatekey"): "the name of the file with the private key",
}
# What stands in a command for whole words that are not looked at as text.
ALLOWED_WORDS: Final = re.compile(r"\$\{?(?:pipe_addresses|address_pipe)\b\}?")
_FILE_ITEM: Final = re.compile(r"!?\s*(?:/|(?:net\d*-|partial[^;\s]*)?(?:n?wild|ip)?[a-z]+(?:\*@?)?[^;\s]*;\s*/)")

# Variable -> the one that has the same text, found in the postmaster's own data, and what sets that: options of
# routers, a condition of ACLs.
FOUND: Final = {
    "$domain": ("$domain_data", ("domains",), "domains"),
    "$local_part": ("$local_part_data", ("local_parts", "check_local_user"), "local_parts"),
}
GENERAL_CURE: Final = "look it up in data of your own first, as in ${lookup{%s}lsearch,ret=key{/etc/exim4/known}}"
COMMAND_CURE: Final = "give it to the command in its environment or on its standard input, or look it up first"
_QUERY_ITEM: Final = re.compile(r"!?\s*([a-z]+)(?:,[^;]*)?;")


def tainted_uses(config: Configuration) -> Iterator[ConfigError]:
    """A warning for each."""
    assigned = assignments(config)
    for text in texts(config):
        if text.template.constant is None:
            yield from _in(text, assigned)


def _in(text: Text, assigned: dict[str, Cause]) -> list[ConfigError]:
    found: list[ConfigError] = []

    def report(what: str, cause: Cause, quoting: str) -> None:
        place = text.place_of(cause) if cause in text.template.source else text.place_of(cause.replace("$", "${", 1))
        found.append(ConfigError(f"tainted data ({cause}) in {what}", place, cure(text.holder, what, cause, quoting)))

    flow = Flow(assigned, report)
    what = _refused(text)
    root = text.template.root
    if what is not None and "command" in what:
        root = compile(ALLOWED_WORDS.sub("", text.template.source)).root
    query = _query_type(root) if text.is_list else ""
    cause = flow.of(root, START.but(quoted=family(query)))
    if cause is None:
        return found
    if what is not None:
        report(what, cause, "")
    if query:
        report(f"the query of the {query} lookup", cause, family(query))
    elif text.is_list and _names_file(root):
        report("a list with the name of a file", cause, "")
    return found


def cure(holder: Any, what: str, cause: Cause, quoting: str) -> str:
    """How the string, which the holder has, can be put right."""
    if quoting:
        return f"write ${{quote_{quoting}:{cause}}}"
    if what in ("an arithmetic expression", "a string that is expanded"):
        return "what strangers write is never evaluated: " + GENERAL_CURE % cause
    if what == "a list with the name of a file":
        return "make two lists of it: one with the file, one with what is expanded"
    if cause in FOUND:
        return _found_instead(holder, *FOUND[cause])
    return COMMAND_CURE if "command" in what else GENERAL_CURE % cause


def _found_instead(holder: Any, variable: str, options: tuple[str, ...], condition: str) -> str:
    if isinstance(holder, Router):
        if any(map(holder.is_set, options)):
            return f"write {variable}"
        return f"write {variable}, which is set in a router that says {condition} = some list or lookup"
    if isinstance(holder, Transport):
        return f"write {variable}, which is set if the router says {' = some list or lookup, or '.join(options)}"
    return f"write {variable}, after a condition {condition} = some list or lookup"


def _refused(text: Text) -> str | None:
    """What the option's value is, if that must not be tainted."""
    holder = text.holder
    driver = getattr(holder, "driver", None) or ""
    kind = "router" if isinstance(holder, Router) else "transport" if isinstance(holder, Transport) else ""
    what = REFUSING.get((driver, text.option)) or REFUSING.get((kind, text.option))
    if driver == "appendfile" and what is not None and holder.create_file not in ("anywhere", "inhome"):
        return None  # then the path is made sure to be below the home directory
    return what


def _names_file(root: Node) -> bool:
    """True if an item of a list that is expanded is, or may be, a file or a lookup in one."""
    return any(_FILE_ITEM.match(item) for item in split(_skeleton(root)))


def _query_type(root: Node) -> str:
    """The lookup type of the first item of a list that is a query which needs quoting, "" if there is none."""
    for item in split(_skeleton(root)):
        found = _QUERY_ITEM.match(item)
        lookup = find_lookup(found[1]) if found is not None else None
        if lookup is not None and getattr(lookup, "needs_quoting", False):
            return lookup.name
    return ""


def _skeleton(root: Node) -> str:
    """The constant text of a string, with a ``?`` where something is inserted."""
    if root.constant is not None:
        return root.constant
    if isinstance(root, Concatenation):
        return "".join(_skeleton(part) for part in root.parts)
    return "?"


def assignments(config: Configuration) -> dict[str, Cause]:
    """The variables that the configuration sets, if every setting is tainted: name -> how it is written."""
    assigned: dict[str, Cause] = {}
    while True:
        flow = Flow(assigned, lambda *_: None)
        settings: dict[str, list[bool]] = {}
        for name, root in _settings(config):
            settings.setdefault(name, []).append(flow.of(root) is not None)
        now = {name: f"${name}" for name, tainted in settings.items() if all(tainted)}
        if len(now) <= len(assigned):
            return assigned
        assigned = now


def _settings(config: Configuration) -> Iterator[tuple[str, Node]]:
    for acl in config.acls.values():
        for statement in acl.statements:
            for item in statement.items:
                if item.name.startswith("set "):
                    yield item.name.removeprefix("set "), compile(item.source).root
    for router in config.routers:
        for template in _set_option(router):
            name, _, value = template.source.partition("=")
            yield name.strip(), compile(value.strip()).root
        for name in ASSIGNED:
            if router.is_set(name):
                yield name, getattr(router, name).root


def _set_option(router: Any) -> list[Any]:
    return list(router.settings) if router.is_set("set") else []
