"""What must hold before a router runs, in Exim's order. (Exim specification, section "Router preconditions".)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.routers.accounts import find_login
from eximious.routers.complaints import log_main_and_panic
from eximious.routers.outcome import Deferred
from eximious.routers.require_files import files_hold

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context
    from eximious.routers.base import Router

FALSE = ("", "0", "no", "false")


def is_used_for(router: Router, verify: str) -> bool:
    """True if the router takes part in this kind of routing (see `eximious.routers.engine.route`)."""
    if verify == "S":
        return router.verify_sender
    if verify == "R":
        return router.verify_recipient
    if router.verify_only:
        return False
    if verify == "T":
        return router.address_test
    return router.expn if verify == "E" else True


def hold(router: Router, address: Address, context: Context, verify: str) -> bool:
    """True if the router shall run; affixes are off the local part already. Raises Deferred if that cannot be known."""
    return (
        is_used_for(router, verify)
        and _domain_matches(router, address, context)
        and _local_part_matches(router, address, context)
        and _is_local_user(router, address, context)
        and _sender_matches(router, context, verify)
        and _files_are_there(router, context)
        and _condition_holds(router, context)
    )


def _domain_matches(router: Router, address: Address, context: Context) -> bool:
    if router.domains is None:
        return True
    try:
        matched = router.domains.match(address.domain, context)
    except Defer as error:
        raise Deferred("domains check lookup or other defer") from error
    if matched is None:
        return False
    address.domain_data = matched.data
    return True


def _local_part_matches(router: Router, address: Address, context: Context) -> bool:
    if router.local_parts is None:
        return True
    try:
        matched = router.local_parts.match(address.local_part, context, caseful=router.caseful_local_part)
    except Defer as error:
        raise Deferred("local_parts check lookup or other defer") from error
    if matched is None:
        return False
    address.local_part_data = matched.data
    return True


def _is_local_user(router: Router, address: Address, context: Context) -> bool:
    """``check_local_user``, and what it and ``router_home_directory`` set. Shows ``debug_print``."""
    if router.check_local_user:
        user = find_login(address.local_part, context.config.main)
        if user is None:
            return False
        context.facts["local_user"] = user
        address.uid, address.gid = user.uid, user.gid
        address.home_directory = user.home
        # The name as the system has it: an outsider chose which account, but not what accounts there are.
        address.local_part_data = user.name
    if router.router_home_directory is not None:
        _set_home(router, address, context)
    if router.debug_print is not None:
        _show(router, context)
    return True


def _set_home(router: Router, address: Address, context: Context) -> None:
    template = router.router_home_directory
    assert template is not None
    try:
        address.home_directory = template.expand(context)
    except ForcedFail:
        return
    except ExpandError as error:
        raise Deferred(f'failed to expand "{template.source}" for router_home_directory: {error}') from error


def _show(router: Router, context: Context) -> None:
    """``debug_print``: for -bt on standard error, and for the debugging output."""
    show = context.facts.get("debug_print")
    if show is None or router.debug_print is None:
        return
    try:
        text = router.debug_print.expand(context)
    except (ExpandError, Defer) as error:
        text = f'failed to expand debug_output "{router.debug_print.source}": {error}'
    show(text if text.endswith("\n") else text + "\n")


def _sender_matches(router: Router, context: Context, verify: str) -> bool:
    if router.senders is None:
        return True
    # While a sender is verified, there is no sender yet.
    sender = "" if verify == "S" else context.message.sender
    try:
        return router.senders.match(sender, context) is not None
    except Defer as error:
        raise Deferred("senders check lookup or other defer") from error


def _files_are_there(router: Router, context: Context) -> bool:
    return router.require_files is None or files_hold(router.required_files, context)


def _condition_holds(router: Router, context: Context) -> bool:
    if router.condition is None:
        return True
    try:
        return router.condition.expand(context).strip().lower() not in FALSE
    except ForcedFail:
        return False
    except Defer as error:
        raise Deferred("condition check lookup defer") from error
    except ExpandError as error:
        text = f'failed to expand condition "{router.condition.source}" for {router.name} router: {error}'
        log_main_and_panic(context, text)
        return False
