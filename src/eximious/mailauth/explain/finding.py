"""What one check found, in words."""

from __future__ import annotations

from dataclasses import dataclass


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
        lines = [f"  {self.text}", *(f"    {line}" for line in self.details)]
        if self.remedy:
            lines.append(f"    what would mend it: {self.remedy}")
        return "\n".join(lines)
