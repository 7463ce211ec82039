"""One change that was made to a message after it was signed, or seems to have been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SHOWN: Final = 100  # characters of a value that are shown


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to one part of a message: `part` is ``body`` or the name of a header field.

    `text` is a sentence about it, `remedy` what would mend it; both are for people.
    """

    part: str
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return self.text


def shown(value: bytes) -> str:
    """A value on one line, in quotes, its end left out if it is long."""
    text = " ".join(value[: 10 * SHOWN].decode("utf-8", "replace").split())
    text = "".join(one if one.isprintable() else "?" for one in text)
    return f'"{text}"' if len(text) <= SHOWN else f'"{text[:SHOWN]}..."'


def counted(number: int, what: str) -> str:
    """``1 line``, ``2 lines``."""
    return f"{number} {what}{'' if number == 1 else 's'}"
