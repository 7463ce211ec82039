"""JSON as Exim's expansions take it apart: by its text, so that what comes out is written as it went in."""

from __future__ import annotations

from typing import Final

from eximious.errors import ExpandError
from eximious.octets import SPACE

DEEPEST: Final = 200  # objects and arrays within each other


def array_items(text: str, *, strip_quotes: bool) -> list[str]:
    """The elements of a JSON array. Raises ExpandError if it is none."""
    body = text.strip(SPACE)
    if not body.startswith("[") or not body.endswith("]"):
        raise ExpandError("missing bracket for array")
    items = split_elements(body[1:-1])
    return [unquoted(item) for item in items] if strip_quotes else items


def object_members(text: str) -> list[tuple[str, str]]:
    """Names and values of a JSON object. Raises ExpandError if it is none."""
    body = text.strip(SPACE)
    if not body.startswith("{") or not body.endswith("}"):
        raise ExpandError("missing brace for object")
    members = []
    for element in split_elements(body[1:-1]):
        name, colon, value = _member(element)
        if not colon:
            raise ExpandError("missing object value-separator for extract json")
        members.append((name, value.strip(SPACE)))
    return members


def _member(element: str) -> tuple[str, str, str]:
    """Name and value of one member."""
    if not element.startswith('"'):
        raise ExpandError("missing object quoted key for extract json")
    end = _string_end(element, 0)
    rest = element[end:].lstrip(SPACE)
    return element[1 : end - 1], rest[:1] if rest[:1] == ":" else "", rest[1:]


def split_elements(text: str) -> list[str]:
    """What stands between commas, outside of strings, objects and arrays."""
    elements: list[str] = []
    depth = start = at = 0
    while at < len(text):
        character = text[at]
        if character == '"':
            at = _string_end(text, at)
            continue
        if character in "[{":
            depth += 1
            if depth > DEEPEST:
                raise ExpandError("JSON is nested too deeply")
        elif character in "]}":
            depth -= 1
        elif character == "," and depth == 0:
            elements.append(text[start:at].strip(SPACE))
            start = at + 1
        at += 1
    last = text[start:].strip(SPACE)
    if last or elements:
        elements.append(last)
    return elements


def _string_end(text: str, start: int) -> int:
    """The place after the string that begins at `start`."""
    at = start + 1
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == '"':
            return at + 1
        else:
            at += 1
    return len(text)


def unquoted(element: str) -> str:
    """The text of a JSON string, without its quotes. Raises ExpandError for anything else."""
    if len(element) >= 2 and element[0] == element[-1] == '"':
        return element[1:-1]
    raise ExpandError("missing quotes for string")
