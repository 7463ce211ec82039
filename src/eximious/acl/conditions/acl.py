"""The ACL condition ``acl``: another ACL decides."""

from __future__ import annotations

import re
from typing import Final

from eximious.acl.declare import RAW, condition
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE
from eximious.expand.template import Template
from eximious.expand.words import unescaped
from eximious.taint import Tainted

_WORD: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)(?:"|\Z)|(\S+))', re.DOTALL)


@condition("acl", RAW, EVERYWHERE)
def acl(called: Template, run: Run) -> bool:
    """True if the other ACL accepts. A name may be followed by up to nine arguments, ``$acl_arg1`` and so on."""
    text = called.expand(run.context)
    found = _WORD.match(text)
    if found is None or found[0] == text or found[2] not in run.context.config.acls:
        return run.nested(text, [])
    arguments = [_argument(word) for word in _WORD.finditer(text, found.end())]
    if text.__class__ is Tainted:
        arguments = [Tainted(argument) for argument in arguments]
    return run.nested(found[2], arguments)


def _argument(word: re.Match[str]) -> str:
    """A word, or a string in double quotes, without them."""
    return unescaped(word[1]) if word[1] is not None else word[2]
