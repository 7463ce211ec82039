"""The system filter: run at the start of each attempt to deliver a message, before its recipients are routed.

(Exim specification, chapter "System-wide message filtering".)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from eximious.address.delivery import Address
from eximious.deliver.routing import recipients
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.filters.actions import Deliver, Outcome, Pipe, Reply, Save
from eximious.filters.exim import obey_filter
from eximious.filters.lexer import FilterError
from eximious.filters.parse import Rules
from eximious.filters.request import apply_changes, decode_outcome, encode
from eximious.logs.printing import printing
from eximious.octets import SPACE
from eximious.routers.outcome import Deferred
from eximious.routers.redirect_source import read_file
from eximious.transports.identity import groups_of
from eximious.transports.job import USER_FILTER, Identity, Job
from eximious.transports.outcome import UNKNOWN, deferred, failed

if TYPE_CHECKING:
    from eximious.config.main import MainOptions
    from eximious.deliver.progress import Progress
    from eximious.filters.actions import Action

PARENT: Final = "system-filter"  # the address that all addresses made by the filter have for a parent
CANCELLED: Final = "delivery cancelled"  # what a bounce says if the filter does not


class Unusable(Exception):
    """The filter cannot be run; the message is the reason."""


def addresses_to_route(progress: Progress) -> list[Address] | None:
    """The addresses that the filter wants, and the recipients, unless it has settled what becomes of them.

    None if the filter cannot be run: nothing is delivered then.
    """
    before = [(header.kind, header.text) for header in progress.message.headers]
    try:
        outcome = _run(progress)
    except (Unusable, FilterError, Deferred) as reason:
        progress.services.logs.panic(
            f"Error in system filter: {printing(str(reason).rstrip(SPACE))}", progress.message.id
        )
        return None
    if outcome is None:
        return recipients(progress)
    if [(header.kind, header.text) for header in progress.message.headers] != before:
        progress.is_changed = True
    made = _addresses(progress, outcome)
    return made + _remaining_recipients(progress, outcome, bool(made))


# --- running it -------------------------------------------------------------------------------------------------------


def _run(progress: Progress) -> Outcome | None:
    """What the filter wants; None if there is none after all. Raises Unusable, FilterError and Deferred."""
    context, main = progress.context, progress.context.config.main
    assert main.system_filter is not None
    try:
        path = main.system_filter.expand(context)
    except ForcedFail:
        return None
    except (ExpandError, Defer) as error:
        raise Unusable(f'failed to expand "{main.system_filter.source}": {error}') from error
    if not path.startswith("/"):
        raise Unusable(f'"{path}" is not an absolute path')
    text = _text(path)
    if not text.strip(SPACE):
        return None
    before, context.address = context.address, Address("")
    context.address.errors_to = progress.message.sender  # $return_path
    try:
        return _obey(text, progress)
    finally:
        context.address = before


def _obey(text: str, progress: Progress) -> Outcome:
    """Run the filter as its user."""
    context = progress.context
    rules = Rules(is_system=True)
    identity = _identity(context.config.main)
    local = progress.services.local
    if identity is None or local is None:
        return obey_filter(text, context, rules)
    ended = local.run(Job(USER_FILTER, identity, encode(text, context, rules, context.config.main.qualify_recipient)))
    if ended.message:
        raise Unusable(ended.message)
    outcome = decode_outcome(ended.values)
    apply_changes(ended.values, context)
    return outcome


def _text(path: str) -> str:
    try:
        return read_file(path, lambda status: _check(path, status)).decode("latin-1")
    except FileNotFoundError:
        raise Unusable(f"{path} does not exist") from None
    except OSError as error:
        raise Unusable(f"failed to open {path}: {error.strerror}") from error


def _check(path: str, status: os.stat_result) -> None:
    import stat

    if not stat.S_ISREG(status.st_mode):
        raise Unusable(f"{path} is not a regular file")


def _identity(main: MainOptions) -> Identity | None:
    """As whom the filter is run; None for this process. Nothing is ever done as root for a filter."""
    uid, gid = _user(main)
    if uid in (0, os.geteuid()):
        return None
    return Identity(uid, gid, groups_of(uid, gid))


def _user(main: MainOptions) -> tuple[int, int]:
    """system_filter_user and system_filter_group; by default, and in place of root, this program's."""
    if not main.system_filter_user:
        return main.exim_user, main.exim_group
    gid = main.system_filter_group
    return main.system_filter_user, main.exim_group if gid is None else gid


# --- what it wants ----------------------------------------------------------------------------------------------------


def _addresses(progress: Progress, outcome: Outcome) -> list[Address]:
    """The addresses that the filter generates, the last one first, as Exim takes them."""
    main = progress.context.config.main
    parent = Address(PARENT)
    parent.domain = main.qualify_domain
    children = [child for action in outcome.actions if (child := _child(parent, action, progress)) is not None]
    parent.child_count = len(children)
    children.reverse()
    return children


def _child(parent: Address, action: Action, progress: Progress) -> Address | None:
    """The child that does what the action says; None for one that only marks the message as seen."""
    match action:
        case Deliver():
            child = Address(action.address, parent)
            if action.errors_to:
                child.errors_to = action.errors_to
        case Save():
            option = "directory" if action.path.endswith("/") else "file"
            child = _direct(parent, action.path, "file", option, progress)
            child.mode = action.mode
        case Pipe():
            child = _direct(parent, f"|{action.command.removeprefix('|').lstrip(SPACE)}", "pipe", "pipe", progress)
            child.numeric, child.filter_counters = action.captures, action.counters
            child.expand_again = True
        case Reply():
            child = _direct(parent, f">{_recipients(action, progress)}", "autoreply", "reply", progress)
            child.reply = action
        case _:
            return None
    if getattr(action, "no_error", False):
        child.flags.add("ignore_error")
    return child


def _recipients(reply: Reply, progress: Progress) -> str:
    from eximious.routers.redirect_filter import recipients_of

    return recipients_of(reply, progress.context)


def _direct(parent: Address, text: str, flag: str, option: str, progress: Progress) -> Address:
    """A child that needs no routing. Whoever delivers defers it if it has no transport."""
    context, main = progress.context, progress.context.config.main
    child = Address(text, parent)
    child.redirected_file = child.address
    child.flags.add(flag)
    child.local_part = child.local_part_cased = parent.local_part
    child.domain = parent.domain
    child.uid, child.gid = _user(main)
    name = f"system_filter_{option}_transport"
    template = getattr(main, name)
    if template is None:
        child.errno, child.message = UNKNOWN, f"{name} is unset"
        return child
    before, context.address = context.address, child
    try:
        expanded = template.expand(context)
    except (ExpandError, Defer) as error:
        text = f'failed to expand "{template.source}" as a system filter transport name: {error}'
        child.errno, child.message = UNKNOWN, text
        return child
    finally:
        context.address = before
    child.transport = context.config.transports.get(expanded)
    if child.transport is None:
        child.errno, child.message = UNKNOWN, f'failed to find "{expanded}" transport for system filter delivery'
    return child


# --- what becomes of the recipients -----------------------------------------------------------------------------------


def _remaining_recipients(progress: Progress, outcome: Outcome, has_addresses: bool) -> list[Address]:
    """The recipients that are to be routed as usual: all or none."""
    found = recipients(progress)
    text = outcome.message
    if outcome.verdict == "freeze" and progress.message.manual_thaw:
        return found
    if outcome.verdict == "freeze":
        progress.freeze(" by the system filter" + (f": {printing(text, tab=True)}" if text else ""))
        _defer(progress, found)
    elif outcome.verdict == "defer":
        progress.log("Delivery deferred by system filter")
        _defer(progress, found)
    elif outcome.verdict == "fail":
        _fail(progress, found, text)
    elif outcome.is_delivered:
        # They are not done: if something is left over for another attempt, the filter decides again.
        progress.log("original recipients ignored (system filter)" if has_addresses else "=> discarded (system filter)")
    else:
        return found
    return []


def _defer(progress: Progress, found: list[Address]) -> None:
    for address in found:
        address.result = deferred("", 0)
        progress.deferred.append(address)


def _fail(progress: Progress, found: list[Address], text: str) -> None:
    """``fail``. Of ``<<this>>that``, this is for the log and that for the bounce."""
    for_log, for_bounce = text, text
    if text.startswith("<<") and ">>" in text:
        for_log, _, for_bounce = text[2:].partition(">>")
    progress.log("cancelled by system filter" + (f": {printing(for_log, tab=True)}" if for_log else ""))
    for address in found:
        address.result = failed(for_bounce or CANCELLED, 0)
        address.result.user_message = for_bounce or CANCELLED
        address.flags.add("cancelled")
        progress.failed.append(address)
