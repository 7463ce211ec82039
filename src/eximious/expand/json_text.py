"""JSON as Exim's expansions take it apart: by its text, so that what comes out is written as it went in."""

from __future__ import annotations

from typing import Final

from eximious.errors import ExpandError
from eximious.octets import SPACE

DEEPEST: Final = 200  # objects and arrays within each other


def array_items(text: str) -> list[str]:
    """The elements of a JSON array; what follows it does not matter. Raises ExpandError if it is none."""
    body = text.lstrip(SPACE)
    if not body.startswith("["):
        raise ExpandError("missing '[' wrapping array for extract json")
    items, is_closed = split_elements(body, 1, "]")
    if not is_closed:
        raise ExpandError("missing ']' wrapping array for extract json")
    return items


def object_members(text: str) -> list[tuple[str, str]]:
    """Names and values of a JSON object; what follows it does not matter. Raises ExpandError if it is none."""
    body = text.lstrip(SPACE)
    if not body.startswith("{"):
        raise ExpandError("missing '{' wrapping object for extract json")
    elements, is_closed = split_elements(body, 1, "}")
    if not is_closed:
        raise ExpandError("missing '}' wrapping object for extract json")
    return [_member(element) for element in elements]


def _member(element: str) -> tuple[str, str]:
    """Name and value of one member."""
    if not element.startswith('"'):
        raise ExpandError("missing '\"' wrapping string key for extract json")
    end = _string_end(element, 0)
    rest = element[end:].lstrip(SPACE)
    if not rest.startswith(":"):
        raise ExpandError("missing object value-separator for extract json")
    return element[1 : end - 1], rest[1:].lstrip(SPACE)


def split_elements(text: str, start: int, close: str) -> tuple[list[str], bool]:
    """What stands between commas, outside of strings, objects and arrays, up to the closing bracket.

    White space is removed before each, not after. The second result is False if the bracket is missing.
    """
    elements: list[str] = []
    depth = 0
    at = start
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
            if depth == 0 and character == close:
                break
            depth = max(depth - 1, 0)
        elif character == "," and depth == 0:
            elements.append(text[start:at].lstrip(SPACE))
            start = at + 1
        at += 1
    last = text[start:at].lstrip(SPACE)
    if last or elements:
        elements.append(last)
    return elements, at < len(text)


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
    trimmed = element.rstrip(SPACE)
    if len(trimmed) >= 2 and trimmed[0] == trimmed[-1] == '"':
        return trimmed[1:-1]
    raise ExpandError("missing '\"' wrapping string result for extract jsons")
