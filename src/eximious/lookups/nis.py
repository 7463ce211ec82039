"""nis and nis0: the maps of the Network Information Service, which is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.errors import ExpandError
from eximious.lookups.base import Options, SingleKeyLookup, lookups

if TYPE_CHECKING:
    from eximious.context import Context


class NisLookup(SingleKeyLookup):
    """Refused: the C library no longer has NIS, and its protocol neither checks nor hides anything."""

    instead = "use ldap or a file"

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, context: Context, path: str, key: str, options: Options) -> str | None:
        raise ExpandError(f'the lookup type "{self.name}" is not available: NIS is not supported; {self.instead}')


for _name in ("nis", "nis0"):
    lookups.register(_name)(NisLookup(_name))
