"""What happens to the octets of a message on their way out: line ends, and lines that must not begin as they do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

LINE_ENDS: Final = re.compile(rb"\r\n?|\n")


class Transform:
    """Escapes `check` at the start of lines as `escape`, and ends lines with CRLF if `crlf` is set.

    Text goes in with LF at the ends of lines, in pieces cut anywhere; how they are cut makes no difference. With
    `crlf`, a CR inside the text counts as the end of a line, so that no line end but CRLF leaves.
    """

    __slots__ = ("_at_start", "_held", "_pattern", "check", "crlf", "escape")

    def __init__(self, check: bytes = b"", escape: bytes = b"", crlf: bool = False) -> None:
        self.check = check
        self.escape = escape
        self.crlf = crlf
        self._held = b""  # the beginning of a line that may still turn out to match
        self._at_start = True
        # A check string with a line end inside needs the expression; others are faster by plain replacement.
        self._pattern = re.compile(b"(?m)^" + re.escape(check)) if b"\n" in check else None

    @property
    def is_identity(self) -> bool:
        """True if nothing changes."""
        return not self.check and not self.crlf

    def whole(self, text: bytes) -> bytes:
        """A text that is complete, beginning at the start of a line."""
        if self.crlf and b"\r" in text:
            text = LINE_ENDS.sub(b"\n", text)
        if self.check:
            if self._pattern is not None:
                text = self._pattern.sub(lambda match: self.escape, text)
            else:
                text = text.replace(b"\n" + self.check, b"\n" + self.escape)
                if text.startswith(self.check):
                    text = self.escape + text[len(self.check) :]
        return text.replace(b"\n", b"\r\n") if self.crlf else text

    def pieces(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same for a text in pieces."""
        if self.is_identity:
            yield from chunks
            return
        self._at_start = True
        self._held = b""
        for chunk in _with_lf(chunks) if self.crlf else chunks:
            text = self._held + chunk
            cut = len(text) - self._unsure(text)
            self._held = text[cut:]
            if cut:
                yield self._piece(text[:cut])
        if self._held:
            yield self._piece(self._held)
            self._held = b""

    def _unsure(self, text: bytes) -> int:
        """How many octets at the end may be the beginning of a check string, which the next piece completes."""
        if not self.check:
            return 0
        for length in range(min(len(self.check) - 1, len(text)), 0, -1):
            at = len(text) - length
            begins_line = text[at - 1 : at] == b"\n" if at else self._at_start
            if begins_line and self.check.startswith(text[at:]):
                return length
        return 0

    def _piece(self, text: bytes) -> bytes:
        if self._at_start:
            done = self.whole(text)
        else:
            # Anything that is not a line end in front keeps the start of this piece from being taken for one of a line.
            done = self.whole(b"x" + text)[1:]
        self._at_start = text.endswith(b"\n")
        return done

    def record(self) -> dict[str, Any]:
        """For another process."""
        return {"check": self.check.decode("latin-1"), "escape": self.escape.decode("latin-1"), "crlf": self.crlf}

    @classmethod
    def of(cls, record: dict[str, Any]) -> Transform:
        """What `record` described."""
        check, escape = str(record["check"]), str(record["escape"])
        return cls(check.encode("latin-1"), escape.encode("latin-1"), bool(record["crlf"]))


def _with_lf(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text with LF for every CRLF and every CR alone."""
    held = b""
    for chunk in chunks:
        text = held + chunk
        held = b"\r" if text.endswith(b"\r") else b""
        if held:
            text = text[:-1]
        yield LINE_ENDS.sub(b"\n", text) if b"\r" in text else text
    if held:
        yield b"\n"
