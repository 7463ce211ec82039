"""The text of a message on its way out: CRLF at the end of lines, dots doubled.

What goes in has LF line ends. A CR in it, alone or before LF, ends a line, too: nothing that a receiver might take for
the end of the message ever leaves (SMTP smuggling).
"""

from __future__ import annotations


class TextSender:
    """Text in pieces of any size; octets for the wire out.

    `stuffs_dots` for DATA, not for BDAT. Nothing is ever kept back but a CR at the end of a piece.
    """

    __slots__ = ("_after_cr", "_at_line_start", "_stuffs_dots")

    def __init__(self, *, stuffs_dots: bool = True) -> None:
        self._stuffs_dots = stuffs_dots
        self._at_line_start = True
        self._after_cr = False

    def send(self, text: bytes) -> bytes:
        """The octets for one piece."""
        if b"\r" in text or self._after_cr:
            text = self._without_cr(text)
        if not text:
            return b""
        if self._stuffs_dots:
            starts_with_dot = self._at_line_start and text[:1] == b"."
            text = text.replace(b"\n.", b"\n..")
            if starts_with_dot:
                text = b"." + text
        self._at_line_start = text[-1:] == b"\n"
        return text.replace(b"\n", b"\r\n")

    def _without_cr(self, text: bytes) -> bytes:
        if self._after_cr:
            text = b"\r" + text
        self._after_cr = text.endswith(b"\r")
        if self._after_cr:
            text = text[:-1]
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def finish(self) -> bytes:
        """The octets for the end: the last line's end, if it has none, and after DATA the dot."""
        rest = b""
        if self._after_cr:
            self._after_cr = False
            self._at_line_start = True
            rest = b"\r\n"
        if not self._at_line_start:
            self._at_line_start = True
            rest += b"\r\n"
        return rest + b".\r\n" if self._stuffs_dots else rest
