"""Quoting, for addresses, regular expressions, headers and lookups."""

from __future__ import annotations

import re
from typing import Any

from eximious.errors import ExpandError
from eximious.expand.operator import operator
from eximious.lookups.quoting import family
from eximious.taint import Tainted, quoted_for

_PLAIN = re.compile(r"[A-Za-z0-9_.-]+\Z")
_BARE = re.compile(r"(?!\.)[^\x00-\x20\x7f-\xff()<>\[\]:;@\\,\"]+(?<!\.)\Z")
_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_QUOTED_CHARACTER = re.compile(r'["\\\n\r]')
_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]")


@operator("quote")
def quote(text: str) -> str:
    """In double quotes, unless it consists of letters, digits, underscores, dots and hyphens."""
    if _PLAIN.match(text):
        return text
    return '"' + _QUOTED_CHARACTER.sub(lambda found: _ESCAPED[found[0]], text) + '"'


@operator("quote_local_part")
def quote_local_part(text: str) -> str:
    """In double quotes, if a local part must be (RFC 5321, section 4.1.2)."""
    if _BARE.match(text):
        return text
    return '"' + _QUOTED_CHARACTER.sub(lambda found: _ESCAPED[found[0]], text) + '"'


@operator("rxquote")
def rxquote(text: str) -> str:
    """With a backslash before whatever is neither a letter nor a digit."""
    return _NOT_ALPHANUMERIC.sub(r"\\\g<0>", text)


def quote_for_lookup(lookup: Any, option: str, text: str) -> str:
    """As the lookup type's own rules say (``quote_mysql`` and its kin; ``quote_ldap_dn`` has an option)."""
    if option and option not in lookup.quote_options:
        raise ExpandError(f'"{option}" unrecognized after "${{quote_{lookup.name}"')
    quoted = lookup.quote(text, option)
    if quoted is None:
        raise ExpandError(f'"{lookup.name}" quoting failed')
    return quoted_for(family(lookup.name), Tainted(quoted) if isinstance(text, Tainted) else quoted)
