"""What a router attaches to an address that it accepts: errors address, header changes, transport, user and group.

They are expanded in this order. (Exim specification, chapter "Generic options for routers".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eximious.errors import ExpandError, ForcedFail
from eximious.routers.accounts import find_group, find_user
from eximious.routers.complaints import log_main_and_panic
from eximious.routers.outcome import Deferred
from eximious.taint import is_tainted

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.routers.base import Router


def hand_over(router: Router, address: Address, context: Context, transport: Any = None) -> Any:
    """Attach everything, and give the transport: `transport` if given, else the router's; None if it only verifies.

    Raises Deferred if something cannot be expanded or found.
    """
    set_errors_address(router, address, context)
    change_headers(router, address, context)
    if transport is None and router.transport is not None:
        transport = find_transport(router, router.transport, context)
    set_user_and_group(router, address, context)
    return transport


def set_errors_address(router: Router, address: Address, context: Context) -> None:
    """``errors_to``, if what it expands to verifies."""
    if router.errors_to is None:
        return
    try:
        text = router.errors_to.expand(context)
    except ForcedFail:
        return
    except ExpandError as error:
        source = router.errors_to.source
        raise Deferred(f'{router.name} router failed to expand "{source}": {error}') from error
    if not text:
        address.flags.add("ignore_error")  # nobody is told
    if not text or context.facts.get("routing") in ("S", "R"):
        # Verifying the errors address of an address that is being verified could go on for ever.
        address.errors_to = text
        return
    from importlib import import_module

    # Verification runs the routers, so it is a layer above them.
    verified: str | None = import_module("eximious.verify.address").verified_errors_address(text, context)
    if verified is not None:
        address.errors_to = verified


def change_headers(router: Router, address: Address, context: Context) -> None:
    """``headers_add`` and ``headers_remove``; they do not matter when an address is only verified."""
    added = _expanded(router.added_headers, "add_headers", router, context)
    removed = _expanded(router.removed_headers, "remove_headers", router, context)
    if added:
        address.extra_headers = [
            *address.extra_headers,
            *(text if text.endswith("\n") else text + "\n" for text in added),
        ]
    if removed:
        address.remove_headers = [*address.remove_headers, *removed]


def _expanded(items: list[Template], what: str, router: Router, context: Context) -> list[str]:
    texts: list[str] = []
    for item in items:
        try:
            text = item.expand(context)
        except ForcedFail:
            continue
        except ExpandError as error:
            raise Deferred(f'{router.name} router failed to expand {what} item "{item.source}": {error}') from error
        if text:
            texts.append(text)
    return texts


def find_transport(router: Router, template: Template, context: Context) -> Any:
    """The transport whose name the option expands to. Raises Deferred if there is none."""
    try:
        name = template.expand(context)
    except ExpandError as error:
        raise Deferred(f'failed to expand transport "{template.source}" in {router.name} router: {error}') from error
    if is_tainted(name):
        log_main_and_panic(context, f"attempt to use tainted value '{name}' from '{template.source}' for transport")
        raise Deferred("internal configuration error")
    transport = context.config.transports.get(name)
    if transport is None:
        raise Deferred(f'transport "{name}" not found in {router.name} router')
    return transport


def set_user_and_group(router: Router, address: Address, context: Context) -> None:
    """``user`` and ``group``, or the account's under ``check_local_user``; ``initgroups``."""
    user = context.facts.get("local_user")
    uid, gid = (user.uid, user.gid) if user is not None else (None, None)
    if router.user is not None:
        uid, gid = _user(router, router.user, context)
    if router.group is not None:
        gid = _group(router, router.group, context)
    if uid is not None and gid is None:
        raise Deferred(f"user set without group for {router.name} router")
    address.uid, address.gid = uid, gid
    address.initgroups = router.initgroups


def _user(router: Router, template: Template, context: Context) -> tuple[int, int | None]:
    text = _account_text(router, template, "user", context)
    user = find_user(text, context.config.main)
    if user is None:
        raise _not_found(router, template, "user", text, context)
    return user.uid, user.gid


def _group(router: Router, template: Template, context: Context) -> int:
    text = _account_text(router, template, "group", context)
    gid = find_group(text)
    if gid is None:
        raise _not_found(router, template, "group", text, context)
    return gid


def _account_text(router: Router, template: Template, kind: str, context: Context) -> str:
    try:
        return template.expand(context)
    except ExpandError as error:
        message = f'Failed to expand {kind} string "{template.source}" for the {router.name} router: {error}'
        log_main_and_panic(context, message)
        raise Deferred(message) from error


def _not_found(router: Router, template: Template, kind: str, text: str, context: Context) -> Deferred:
    message = f'Failed to find {kind} "{text}" from expanded string "{template.source}" for the {router.name} router'
    log_main_and_panic(context, message)
    return Deferred(message)
