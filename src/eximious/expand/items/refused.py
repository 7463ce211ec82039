"""Items that would run foreign machine code or another interpreter inside the server. They are refused."""

from __future__ import annotations

from eximious.errors import ExpandError
from eximious.expand.item import item


@item("dlfunc", 2, 10)
def dlfunc(path: str, function: str, *arguments: str) -> str:
    """C functions are not loaded: a fault in one could do anything to the server."""
    raise ExpandError(f'dlopen "{path}" failed: functions of other programs are not loaded; ${{run}} can call them')


@item("perl", 1, 9)
def perl(subroutine: str, *arguments: str) -> str:
    """There is no Perl in this program."""
    raise ExpandError(
        "A setting of perl_startup is needed when using the Perl interpreter, which this program does not have"
    )
