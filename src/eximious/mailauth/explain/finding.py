"""What one check found, in words."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import Final

_LINE_END: Final = re.compile(r"[\r\n\t]+ *")


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one thing: ``str()`` is the whole of it as lines.

    `result` is a word of RFC 8601 (for SRS: ``pass``, ``fail``, ``none``); `text` a sentence; `details` how it came
    about, a line each, indented where one thing is part of another; `remedy` what would mend it, empty if nothing is
    wrong.
    """

    method: str
    result: str
    text: str
    details: tuple[str, ...] = ()
    remedy: str = ""

    @property
    def is_bad(self) -> bool:
        """Something failed, or could not be checked."""
        return self.result not in ("pass", "none")

    def __str__(self) -> str:
        return "\n".join(text for _, text in self.lines)

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The lines and what each is: ``text``, ``detail`` or ``remedy``. Nothing in them can upset a terminal."""
        lines = [("text", f"  {readable(self.text)}")]
        lines += [("detail", f"    {readable(line)}") for line in self.details]
        if self.remedy:
            lines.append(("remedy", f"    what would mend it: {readable(self.remedy)}"))
        return lines


def readable(text: str) -> str:
    """On one line, octets that are UTF-8 as characters, and nothing that cannot be printed."""
    if not text.isascii():
        with contextlib.suppress(UnicodeError):  # else they are characters already
            text = text.encode("latin-1").decode("utf-8")
    text = _LINE_END.sub(" ", text)
    return "".join(one if one.isprintable() else "?" for one in text)
