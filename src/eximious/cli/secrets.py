"""What the configuration hides: passwords that must not stand in output which is shown to others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eximious.config.lists import split

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration

SHOWN_INSTEAD: Final = "<value not displayable>"  # as in exim -bP
SHORTEST: Final = 4  # shorter texts would also be found where they are no secrets
PASSWORD: Final = 3  # the field of a database server in which it is, from 0


def hider(config: Configuration) -> Callable[[str], str]:
    """A function that replaces in a text whatever is secret."""
    secrets = sorted({secret for secret in _secrets(config) if len(secret) >= SHORTEST}, key=len, reverse=True)

    def hide(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, SHOWN_INSTEAD)
        return text

    return hide if secrets else str


def _secrets(config: Configuration) -> list[str]:
    """The values of hidden options (of servers, the passwords only) and of hidden lists."""
    found: list[str] = []
    for options in (config.main, *config.routers, *config.transports.values(), *config.authenticators):
        for name, given in options.given.items():
            if not given.is_hidden:
                continue
            if name.endswith("_servers"):
                found += [
                    password for server in split(given.text) for password in server.split("/")[PASSWORD : PASSWORD + 1]
                ]
            else:
                found.append(given.text)
    for lists in config.named_lists.values():
        found += [named.text for named in lists.values() if named.is_hidden]
    return found
