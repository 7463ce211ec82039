"""As whom, and where, a local delivery is made.

(Exim specification, chapter "Environment for running local transports".)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from eximious.errors import Defer, ExpandError
from eximious.routers.accounts import find_group, find_user
from eximious.transports.job import Identity
from eximious.transports.outcome import EXPAND_FAILED, NO_GROUP, NO_USER, Unable, deferred

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.transports.base import Transport


def find_identity(address: Address, transport: Transport, context: Context) -> Identity:
    """The user and groups of the delivery. Raises Unable."""
    main = context.config.main
    gid: int | None = address.gid
    if transport.group is not None:
        gid = _group(transport, transport.group, context)
    uid: int | None = address.uid
    wants_groups = address.initgroups
    if transport.user is not None:
        uid, users_gid = _user(transport, transport.user, context)
        gid = users_gid if gid is None else gid
        wants_groups = transport.initgroups
    elif getattr(transport, "pipe_as_creator", False):
        uid = context.message.originator_uid
        gid = context.message.originator_gid if gid is None else gid
    if uid is None:
        uid = main.exim_user
        gid = main.exim_group if gid is None else gid
    if gid is None:
        raise Unable(deferred(f"User set without group for {transport.name} transport", NO_GROUP))
    if uid in (main.never_users or ()):
        text = f"User {uid} set for {transport.name} transport is on the never_users list"
        context.services.logs.panic(text, context.message.id)
        raise Unable(deferred(text, NO_USER))
    return Identity(uid, gid, groups_of(uid, gid) if wants_groups else (gid,))


def remote_identity(transport: Transport, context: Context) -> Identity:
    """As whom the commands of a remote transport run: the user of the transport, else Exim's. Raises Unable."""
    main = context.config.main
    uid, gid = main.exim_user, main.exim_group
    if transport.user is not None:
        uid, users_gid = _user(transport, transport.user, context)
        gid = gid if users_gid is None else users_gid
    if transport.group is not None:
        gid = _group(transport, transport.group, context)
    return Identity(uid, gid, groups_of(uid, gid) if transport.initgroups else (gid,))


def groups_of(uid: int, gid: int) -> tuple[int, ...]:
    """All groups of a user."""
    import pwd

    try:
        return tuple(os.getgrouplist(pwd.getpwuid(uid).pw_name, gid))
    except KeyError:
        return (gid,)


def _user(transport: Transport, template: Template, context: Context) -> tuple[int, int | None]:
    text = _account_text(transport, template, "user", context)
    user = find_user(text, context.config.main)
    if user is None:
        raise _not_found(transport, template, "user", text, context, NO_USER)
    return user.uid, user.gid


def _group(transport: Transport, template: Template, context: Context) -> int:
    text = _account_text(transport, template, "group", context)
    gid = find_group(text)
    if gid is None:
        raise _not_found(transport, template, "group", text, context, NO_GROUP)
    return gid


def _account_text(transport: Transport, template: Template, kind: str, context: Context) -> str:
    try:
        return template.expand(context)
    except (ExpandError, Defer) as error:
        text = f'Failed to expand {kind} string "{template.source}" for the {transport.name} transport: {error}'
        context.services.logs.panic(text, context.message.id)
        raise Unable(deferred(text, NO_USER if kind == "user" else NO_GROUP)) from error


def _not_found(transport: Transport, template: Template, kind: str, text: str, context: Context, number: int) -> Unable:
    text = f'Failed to find {kind} "{text}" from expanded string "{template.source}" for the {transport.name} transport'
    context.services.logs.panic(text, context.message.id)
    return Unable(deferred(text, number))


def find_directories(address: Address, transport: Transport, context: Context) -> tuple[str, str]:
    """The home and the working directory of the delivery. Raises Unable."""
    router: Any = address.router
    home = _directory(transport, transport.home_directory, router, "transport_home_directory", "home", context)
    home = address.home_directory if home is None else home
    before = address.home_directory
    address.home_directory = home
    try:
        option = "transport_current_directory"
        directory = _directory(transport, transport.current_directory, router, option, "current", context)
    finally:
        address.home_directory = before
    return home, directory or address.current_directory or home or "/"


def _directory(
    transport: Transport, own: Template | None, router: Any, option: str, what: str, context: Context
) -> str | None:
    template = own if own is not None else getattr(router, option, None)
    if template is None:
        return None
    try:
        return str(template.expand(context))
    except (ExpandError, Defer) as error:
        text = f'{what} directory "{template.source}" failed to expand for {transport.name} transport: {error}'
        context.services.logs.panic(text, context.message.id)
        raise Unable(deferred(text, EXPAND_FAILED)) from error
