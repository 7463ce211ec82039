"""passwd: the system's users."""

from __future__ import annotations

import pwd
from typing import TYPE_CHECKING

from eximious.lookups.base import Options, QueryLookup, lookups

if TYPE_CHECKING:
    from eximious.context import Context


class Passwd(QueryLookup):
    """What follows the name in the user's line of the password file, with ``*`` for the password."""

    name = "passwd"
    needs_quoting = False

    def find_query(self, context: Context, query: str, options: Options) -> str | None:
        try:
            # In a thread: the system may ask a directory on the network.
            user: pwd.struct_passwd = context.services.lookups.in_thread(pwd.getpwnam, query)
        except (KeyError, ValueError, UnicodeError):
            return None
        return f"*:{user.pw_uid}:{user.pw_gid}:{user.pw_gecos}:{user.pw_dir}:{user.pw_shell}"


lookups.register("passwd")(Passwd())
