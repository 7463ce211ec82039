"""The ACL condition ``dmarc_status``."""

from __future__ import annotations

from eximious.acl import dmarc
from eximious.acl.declare import condition, parsed
from eximious.acl.run import Run
from eximious.acl.verdict import AclError
from eximious.acl.where import DATA
from eximious.config.lists import split


def _wanted(text: str) -> list[tuple[str, bool]]:
    found = []
    for item in split(text):
        name = item.strip().lower()
        is_negated = name.startswith("!")
        name = name.removeprefix("!").strip()
        if name not in dmarc.STATUSES:
            raise AclError(f'"{item}" is not a status of DMARC')
        found.append((name, is_negated))
    return found


@condition("dmarc_status", parsed(_wanted), frozenset({DATA}))
def dmarc_status(statuses: list[tuple[str, bool]], run: Run) -> bool:
    """True if what DMARC recommends for the message is one of those listed."""
    return dmarc.matches(statuses, run.context)
