"""Refusing tainted text where it could do harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.errors import ExpandError

if TYPE_CHECKING:
    from eximious.context import Context


class TaintRefused(ExpandError):
    """Text from outside was about to be used as the name of a file or a command. `why` says what, and what text.

    The reason goes to the main and the panic log; as the message of the error there is only ``NULL``, as in Exim, so
    that it does not go to whoever sent the text.
    """

    def __init__(self, why: str) -> None:
        super().__init__("NULL")
        self.why = why


def refuse_tainted(context: Context, why: str) -> TaintRefused:
    """Log why, and give the exception to raise."""
    context.services.logs.write(("main", "panic"), why, context.message.id)
    return TaintRefused(why)
