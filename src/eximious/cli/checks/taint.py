"""Tainted data on its way to the name of a file, a command or a query: found before a message finds it.

Exim and Eximious refuse such a use when it happens (queries are only logged); mail is then deferred or bounced. Here
the line is named, and the rewrite that cures it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from eximious.acl.compiled import VERBS
from eximious.acl.where import OPTIONS as ACL_OPTIONS
from eximious.cli.checks.finding import Finding
from eximious.cli.checks.flow import ASSIGNED, START, Cause, Flow
from eximious.cli.checks.strings import Text, texts
from eximious.cli.checks.uses import routers_of
from eximious.config.configuration import Configuration
from eximious.config.lists import split
from eximious.errors import ConfigError
from eximious.expand.nodes import Concatenation, Node
from eximious.expand.template import compile
from eximious.lookups.base import find_lookup
from eximious.lookups.quoting import family
from eximious.routers.base import Router
from eximious.transports.base import Transport

# Driver, option -> what its value is, if that must not be tainted. Driver "" stands for main options, "router" and
# "transport" for all of those.
REFUSING: Final = {
    ("appendfile", "file"): "the name of the file to deliver to",
    ("appendfile", "directory"): "the name of the directory to deliver to",
    ("autoreply", "file"): "the name of the file to send",
    ("autoreply", "log"): "the name of the file to log to",
    ("autoreply", "once"): "the name of the file with earlier recipients",
    ("pipe", "command"): "the command to deliver to",
    ("lmtp", "command"): "the command to deliver to",
    ("queuefile", "directory"): "the name of the directory to write to",
    ("redirect", "file"): "the name of the file with redirection data",
    ("queryprogram", "command"): "the command to ask",
    ("router", "transport"): "the name of a transport",
    ("transport", "transport_filter"): "the command that filters messages",
    ("", "bounce_message_file"): "the name of the file with the text of bounces",
    ("", "warn_message_file"): "the name of the file with the text of warnings",
}
# What stands in a command for whole words that are not looked at as text.
ALLOWED_WORDS: Final = re.compile(r"\$\{?(?:pipe_addresses|address_pipe)\b\}?")
_FILE_ITEM: Final = re.compile(r"!?\s*(?:/|(?:net\d*-|partial[^;\s]*)?(?:n?wild|ip)?[a-z]+(?:\*@?)?[^;\s]*;\s*/)")
# A variable as it is written: in braces, a header with its colon, or bare.
_WRITTEN: Final = re.compile(r"\$(?:\{[^{}:]*\}|[rbl]?h(?:eader)?_[!-9;-~]*:|[A-Za-z0-9_]+)")

# Variable -> the one that has the same text, found in the postmaster's own data, and what sets that: options of
# routers, a condition of ACLs.
FOUND: Final = {
    "$domain": ("$domain_data", ("domains",), "domains"),
    "$local_part": ("$local_part_data", ("local_parts", "check_local_user"), "local_parts"),
}
GENERAL_CURE: Final = "look it up in data of your own first, as in ${lookup{%s}lsearch,ret=key{/etc/exim4/known}}"
COMMAND_CURE: Final = "give it to the command in its environment or on its standard input, or look it up first"
INLINE_ACL: Final = "the text of an ACL"
FILE_IN_LIST: Final = "the name of a file in a list"
BESIDE_FILE: Final = "a list with the name of a file"
_QUERY_ITEM: Final = re.compile(r"!?\s*([a-z]+)(?:,[^;]*)?;")


def tainted_uses(config: Configuration) -> Iterator[ConfigError]:
    """A warning for each."""
    assigned = assignments(config)
    for text in texts(config):
        if text.template.constant is None:
            yield from _in(config, text, assigned)


def _in(config: Configuration, text: Text, assigned: frozenset[str]) -> list[ConfigError]:
    found: list[ConfigError] = []
    what = _refused(text)
    if what is not None and "command" in what:
        text = text.blanking(ALLOWED_WORDS)

    def report(what: str, cause: Cause, quoting: str) -> None:
        found.append(_finding(config, text, what, cause, quoting))

    root = text.root
    flow = Flow(assigned, report)
    query = _query_type(root) if text.is_list else ""
    cause = flow.of(root, START.but(quoted=family(query)))
    if cause is None:
        return found
    if what is not None:
        report(what, cause, "")
    if query:
        report(f"the query of the {query} lookup", cause, family(query))
    elif text.is_list:
        files = [item for item in split(_skeleton(root)) if _FILE_ITEM.match(item)]
        if any("?" in item for item in files):
            report(FILE_IN_LIST, cause, "")
        elif files:
            report(BESIDE_FILE, cause, "")
    return found


def _finding(config: Configuration, text: Text, what: str, cause: Cause, quoting: str) -> ConfigError:
    """The warning, with what to write instead if that alone is the cure."""
    offset = text.offset(cause.node)
    found = _WRITTEN.match(text.source, offset)
    written = found[0] if found is not None else ""
    message = f"tainted data ({cause}) in {what}"
    place = text.place_of(cause.node)
    new = ""
    if quoting and written:
        new = f"${{quote_{quoting}:{written}}}"
    elif (
        cause.written in FOUND
        and what not in (BESIDE_FILE, INLINE_ACL)
        and _is_set(config, text.holder, FOUND[cause.written][1])
    ):
        new = FOUND[cause.written][0]
    if new:
        return Finding(message, place, f"write {new}", written, new)
    return ConfigError(message, place, cure(text.holder, what, cause))


def _is_set(config: Configuration, holder: Any, options: tuple[str, ...]) -> bool:
    """The routers that come to the holder, a router or transport, set what these options set."""
    routers = [holder] if isinstance(holder, Router) else []
    if isinstance(holder, Transport):
        routers = routers_of(config, holder.name)
    return bool(routers) and all(any(map(router.is_set, options)) for router in routers)


def cure(holder: Any, what: str, cause: Cause) -> str:
    """How the string, which the holder has, can be put right."""
    if what in ("an arithmetic expression", "a string that is expanded"):
        return "what strangers write is never evaluated: " + GENERAL_CURE % cause.written
    if what == BESIDE_FILE:
        return "make two lists of it: one with the file, one with what is expanded"
    if what == INLINE_ACL:
        return "put the statements into an ACL of their own, which may use what it likes, and write its name"
    if cause.written in FOUND:
        return _found_instead(holder, *FOUND[cause.written])
    return COMMAND_CURE if "command" in what else GENERAL_CURE % cause.written


def _found_instead(holder: Any, variable: str, options: tuple[str, ...], condition: str) -> str:
    if isinstance(holder, Router):
        return f"write {variable}, which is set in a router that says {condition} = some list or lookup"
    if isinstance(holder, Transport):
        others = "".join(f", or {option}" for option in options[1:])
        return f"write {variable}, which is set if the router says {condition} = some list or lookup{others}"
    return f"write {variable}, after a condition {condition} = some list or lookup"


def _refused(text: Text) -> str | None:
    """What the option's value is, if that must not be tainted."""
    if _is_inline_acl(text):
        return INLINE_ACL
    holder = text.holder
    driver = getattr(holder, "driver", None) or ""
    kind = "router" if isinstance(holder, Router) else "transport" if isinstance(holder, Transport) else ""
    what = REFUSING.get((driver, text.option)) or REFUSING.get((kind, text.option))
    if driver == "appendfile" and what is not None and holder.create_file not in ("anywhere", "inhome"):
        return None  # then the path is made sure to be below the home directory
    return what


def _is_inline_acl(text: Text) -> bool:
    """True for an option or a condition ``acl`` that has statements instead of the name of an ACL."""
    if text.option != "acl" and text.option not in ACL_OPTIONS.values():
        return False
    words = _skeleton(text.root).split()
    return len(words) > 1 and words[0] in VERBS


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


def assignments(config: Configuration) -> frozenset[str]:
    """The variables that the configuration sets, if every setting is tainted."""
    assigned: frozenset[str] = frozenset()
    while True:
        flow = Flow(assigned, lambda *_: None)
        settings: dict[str, list[bool]] = {}
        for name, root in _settings(config):
            settings.setdefault(name, []).append(flow.of(root) is not None)
        now = frozenset(name for name, tainted in settings.items() if all(tainted))
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
