"""json: an element of a JSON file, picked by a list of names and numbers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import Defer
from eximious.lists.split import split
from eximious.lookups.base import Options, SingleKeyLookup, lookups
from eximious.lookups.lsearch import read_octets

if TYPE_CHECKING:
    from eximious.context import Context

PURPOSE: Final = "for json search"


class JsonLookup(SingleKeyLookup):
    """``name:3:other``: a member of an object, an element (counted from 0) of an array, and so on."""

    name = "json"

    def find(self, context: Context, path: str, key: str, options: Options) -> str | None:
        element: Any = context.services.lookups.files.get(path, self.name, PURPOSE, _read)
        for step in split(_characters(key)):
            if isinstance(element, dict):
                if step not in element:
                    return None
                element = element[step]
            elif isinstance(element, list) and step.isdecimal() and step.isascii():
                if int(step[:10]) >= len(element):
                    return None
                element = element[int(step[:10])]
            else:
                return None
        return _shown(element)


def _characters(octets: str) -> str:
    return octets.encode("latin-1").decode("utf-8", "surrogateescape")


def _octets(characters: str) -> str:
    return characters.encode("utf-8", "surrogatepass").decode("latin-1")


def _shown(element: Any) -> str | None:
    """Strings as they are, other things as JSON writes them; null is absent."""
    import json

    if isinstance(element, str):
        return _octets(element)
    if element is None:
        return None
    return _octets(json.dumps(element, ensure_ascii=False))


def _read(fd: int, status: os.stat_result) -> tuple[Any, int]:
    import json

    try:
        return json.loads(read_octets(fd, status)), status.st_size * 8
    except (ValueError, RecursionError) as error:
        raise Defer(f"json: {error}") from None


lookups.register("json")(JsonLookup())
