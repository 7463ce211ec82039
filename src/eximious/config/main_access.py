"""Main options about users: who we are, and whom we trust with what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.config import paths
from eximious.config.option import Options, option

if TYPE_CHECKING:
    from eximious.config.values import Group, Groups, StringList, User, Users
    from eximious.expand.template import Template
    from eximious.lists.address import AddressList


class AccessOptions(Options):
    """Users, groups, privileges, environment."""

    add_environment: StringList = option("", doc="``NAME=value`` settings for the environment of commands.")
    admin_groups: Groups | None = option(None, doc="Members of these groups are administrators.")
    commandline_checks_require_admin: bool = option(
        False, doc="Only administrators may use -be, -bi, -bt and the like."
    )
    deliver_drop_privilege: bool = option(
        False,
        doc="Deliver without root's rights: everything runs as the mail user, so mailboxes must be writable by it.",
    )
    exim_group: Group = option(paths.default_group, doc="The group that the server runs as; may be a number.")
    exim_path: str = option(paths.PROGRAM, doc="The program to start for deliveries and by utilities.")
    exim_user: User = option(paths.default_user, doc="The user that the server runs as; may be a number.")
    finduser_retries: int = option(
        0,
        doc="How many times to look a user up again, each time after a second.",
    )
    gecos_name: Template | None = option(None, doc="The full name of a user, from what gecos_pattern matched.")
    gecos_pattern: str | None = option(None, doc="Regular expression that takes the gecos field apart for gecos_name.")
    keep_environment: StringList = option(
        "", doc="Names of environment variables to keep; regular expressions begin with ``^``; all others are removed."
    )
    max_username_length: int = option(
        0, doc="Longer local parts are never looked up as users, in characters; 0 for no limit."
    )
    never_users: Users | None = option(None, doc="No delivery ever runs as one of these users.")
    prod_requires_admin: bool = option(True, doc="Only administrators may start deliveries with -M, -R and -q.")
    queue_list_requires_admin: bool = option(True, doc="Others than administrators see only their own messages in -bp.")
    trusted_groups: Groups | None = option(None, doc="Members may set senders and received fields of messages.")
    trusted_users: Users | None = option(None, doc="These users may set senders and received fields of messages.")
    unknown_login: Template | None = option(None, doc="Login name to assume for a caller without an account.")
    unknown_username: str | None = option(None, doc="Full name to assume for a caller without an account.")
    untrusted_set_sender: AddressList | None = option(
        None, doc="Senders that users who are not trusted may set with -f, apart from the empty one."
    )
