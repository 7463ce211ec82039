"""The caller as a person: login name and full name. (Exim specification, gecos_pattern, unknown_login.)"""

from __future__ import annotations

import pwd
from typing import TYPE_CHECKING

from eximious.errors import Defer, ExpandError

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
    gecos = _octets(account.pw_gecos)
    return Login(_octets(account.pw_name), full_name(gecos, account.pw_name, context), _octets(account.pw_dir))


def full_name(gecos: str, login: str, context: Context) -> str:
    """The name in a gecos field: what comes before the first comma, or what the options make of it; & is the login."""
    main = context.config.main
    plain = gecos.replace("&", login[:1].upper() + login[1:])
    if main.gecos_pattern is not None and main.gecos_name is not None:
        import pcre2

        found = pcre2.compile(main.gecos_pattern).match(plain)
        if found is not None:
            before = context.captures
            context.captures = [found.group(0), *(text or "" for text in found.groups())]
            try:
                return str(main.gecos_name.expand(context))
            except (ExpandError, Defer):
                return plain
            finally:
                context.captures = before
    return plain.partition(",")[0]


def _octets(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")
