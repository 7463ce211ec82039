"""``${python``: functions of the postmaster's own, in Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eximious.errors import ExpandError, ForcedFail
from eximious.expand.item import item
from eximious.expand.refusal import refuse_tainted
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context

MOST_ARGUMENTS: Final = 8  # as many as ${perl takes

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)+")


@item("python", 1, MOST_ARGUMENTS + 1)
def python(context: Context, name: str, *arguments: str) -> str:
    """What ``module.function`` returns for the other texts. None forces the failure, an exception is a failure."""
    if context.facts.get("forbid_perl"):
        raise ExpandError("Python calls are not permitted")
    if name.__class__ is Tainted:
        raise refuse_tainted(context, f"Tainted '{name}' (function for ${{python}} expansion) not permitted")
    if not _NAME.fullmatch(name):
        raise ExpandError(f'"{name}" is not of the form module.function')
    answer = context.services.python.call(name, list(arguments))
    if answer.where:
        context.services.logs.main(f"${{python: {name}: {answer.where}: {answer.error}", context.message.id)
    if answer.error:
        raise ExpandError(f"{name}: {answer.error}")
    if answer.text is None:
        raise ForcedFail(f'Python function "{name}" returned None to force failure')
    return str(answer.text)
