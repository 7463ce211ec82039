"""``${xtextd``: the encoding of parameters of MAIL and RCPT (RFC 3461, section 4)."""

from __future__ import annotations

import re

from eximious.expand.operator import operator

_ENCODED = re.compile(r"\+([0-9A-Fa-f]{2})")


@operator("xtextd")
def xtextd(text: str) -> str:
    """The text that is encoded so."""
    return _ENCODED.sub(lambda found: chr(int(found[1], 16)), text)
