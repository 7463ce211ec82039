"""Filters as redirection data: run as the user, and what they want done made into children of the address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.filters.actions import Deliver, Outcome, Pipe, Reply, Save
from eximious.filters.exim import is_sieve_filter, obey_filter
from eximious.filters.lexer import FilterError
from eximious.filters.parse import Rules
from eximious.routers.as_user import run_as_user
from eximious.routers.outcome import Decision, Deferred, Routing, decline
from eximious.routers.redirect import BAD_REDIRECT
from eximious.routers.redirect_children import (
    BAD_REPLY,
    Parent,
    address_child,
    file_child,
    pipe_child,
    reply_child,
)
from eximious.routers.redirect_errors import report_skipped
from eximious.routers.redirect_source import internal_problem
from eximious.transports.job import USER_FILTER

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context
    from eximious.filters.actions import Action
    from eximious.routers.redirect import Redirect

FORBIDS: Final = {
    "dlfunc": "forbid_filter_dlfunc",
    "exists": "forbid_filter_existstest",
    "lookup": "forbid_filter_lookup",
    "perl": "forbid_filter_perl",
    "readfile": "forbid_filter_readfile",
    "readsocket": "forbid_filter_readsocket",
    "run": "forbid_filter_run",
}


def run_filter(router: Redirect, text: str, address: Address, context: Context, domain: str) -> Routing:
    """Run the filter, and decide as it says. Raises Deferred for a filter with a fault, unless faults are skipped."""
    word = "data" if router.file is None else "file"
    kind = "Sieve" if is_sieve_filter(text) else "Exim"
    if (kind == "Sieve" and router.forbid_sieve_filter) or (kind == "Exim" and router.forbid_exim_filter):
        raise Deferred(f"error in filter {word}: {kind} filtering not enabled")
    if kind == "Sieve":
        raise Deferred(f"error in filter {word}: this version has no Sieve filters")
    parent = Parent(router, address, context, domain)
    try:
        outcome = _obey(router, text, parent)
    except FilterError as error:
        address.errno = BAD_REDIRECT
        if router.skip_syntax_errors:
            report_skipped(router, [("", str(error))], False, context)
            return decline()
        raise Deferred(f"error in filter {word}: {error}") from error
    children = [child for action in outcome.actions if (child := child_for(parent, action)) is not None]
    return _decided(parent, outcome, children)


def _obey(router: Redirect, text: str, parent: Parent) -> Outcome:
    """Run it as the address's user, in this process if it must be so."""
    address, context = parent.address, parent.context
    allowed = {"defer": router.allow_defer, "fail": router.allow_fail, "freeze": router.allow_freeze}
    rules = Rules(
        frozenset(name for name, is_allowed in allowed.items() if is_allowed),
        may_log=not router.forbid_filter_logwrite,
        writes_logs=not context.facts.get("routing"),  # not while addresses are tested or verified
    )
    names = forbidden_facts(router)
    facts = context.facts
    facts.update(dict.fromkeys(names, True))
    try:
        from eximious.filters.request import decode_outcome, encode

        record = encode(text, context, rules, parent.qualify_domain)
        ended = run_as_user(USER_FILTER, record, address, context)
        if ended is None:
            return obey_filter(text, context, rules, qualify_domain=parent.qualify_domain)
        if ended.message:
            raise Deferred(internal_problem(router, address, ended.message))
        return decode_outcome(ended.values)
    finally:
        for name in names:
            facts.pop(name, None)


def forbidden_facts(router: Redirect) -> list[str]:
    """What may not be expanded in the filter, and in what it names."""
    return [f"forbid_{name}" for name, option in FORBIDS.items() if getattr(router, option)]


def child_for(parent: Parent, action: Action) -> Address | None:
    """The child that does what the action says; None for one that only marks the message as seen."""
    router = parent.router
    match action:
        case Deliver():
            child = _quietly_rewritten(parent, action.address)
            if action.errors_to:
                child.errors_to = action.errors_to
        case Save():
            child = file_child(parent, _path(router, action.path, parent.address))
            child.mode = action.mode
        case Pipe():
            child = pipe_child(parent, f"|{action.command.removeprefix('|').lstrip()}")
            child.numeric, child.filter_counters = action.captures, action.counters
            child.expand_again = True
        case Reply():
            child = reply_child(parent, recipients_of(action, parent.context), action)
            action.forbidden = forbidden_facts(router)
        case _:
            return None
    if getattr(action, "no_error", False):
        child.flags.add("ignore_error")
    return child


def _quietly_rewritten(parent: Parent, text: str) -> Address:
    """The child for an address that a filter names: address_rewrite does not log what rules make of it."""
    facts = parent.context.facts
    facts["rewrites_quietly"] = True
    try:
        return address_child(parent, text)
    finally:
        del facts["rewrites_quietly"]


def _path(router: Redirect, path: str, address: Address) -> str:
    """A relative path begins in the home directory, if it is known."""
    if path.startswith("/") or not router.filter_prepend_home or not address.home_directory:
        return path
    return f"{address.home_directory}/{path}"


def recipients_of(reply: Reply, context: Context) -> str:
    """Whom a reply goes to, as it is shown. One that names nobody goes to the message's reply address."""
    from eximious.address.header_list import parse_list
    from eximious.expand.template import expand

    if reply.to is None:
        reply.to = expand("$reply_address", context)
    found = [item.parsed.address for item in parse_list(reply.to) if item.parsed is not None]
    return ",".join(found) if found else BAD_REPLY


def _decided(parent: Parent, outcome: Outcome, children: list[Address]) -> Routing:
    message = outcome.message
    if outcome.verdict == "fail":
        return Routing(Decision.FAIL, message, user_message=message, generated=children)
    is_thawed = outcome.verdict == "freeze" and parent.context.message.manual_thaw  # somebody has looked at it
    if outcome.verdict == "defer":  # everything else, too, waits for another time
        return Routing(Decision.DEFER, message, user_message=message)
    if outcome.verdict == "freeze" and not is_thawed:
        return Routing(Decision.DEFER, message, user_message=message, generated=children, freeze=True)
    if outcome.is_delivered:
        return Routing(Decision.ACCEPT, generated=children, is_redirection=True)
    if not children:
        return decline(message if is_thawed else "")
    # Normal delivery happens besides: as a child that is the same address, which this router will not see again.
    return Routing(Decision.ACCEPT, generated=[parent.make(parent.address.address), *children])
