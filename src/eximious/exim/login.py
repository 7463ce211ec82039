"""The caller as a person: login name and full name. (Exim specification, gecos_pattern, unknown_login.)"""

from __future__ import annotations

import pwd
from typing import TYPE_CHECKING

from eximious.receive.full_name import full_name, octets_of

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.exim.identity import Caller


class Login:
    """Names of the user who called."""

    __slots__ = ("home", "name", "real_name")

    def __init__(self, name: str, real_name: str, home: str) -> None:
        self.name = name
        self.real_name = real_name
        self.home = home


def login_of(caller: Caller, context: Context) -> Login:
    """The caller's names, from the account database or the options for callers without an account.

    Raises ExpandError or Defer if those options cannot be expanded.
    """
    main = context.config.main
    try:
        account = pwd.getpwuid(caller.uid)
    except KeyError:
        name = main.unknown_login.expand(context) if main.unknown_login is not None else ""
        return Login(name or str(caller.uid), main.unknown_username or "", "/")
    gecos = octets_of(account.pw_gecos)
    return Login(octets_of(account.pw_name), full_name(gecos, account.pw_name, context), octets_of(account.pw_dir))
