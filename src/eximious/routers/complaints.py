"""What routing writes to the logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.context import Context


def log_main(context: Context, text: str) -> None:
    """Write a line to the main log."""
    context.services.logs.main(text, context.message.id)


def log_main_and_panic(context: Context, text: str) -> None:
    """Write a line to the main log and to the panic log."""
    context.services.logs.panic(text, context.message.id)


def log_panic(context: Context, text: str) -> None:
    """Write a line to the panic log alone."""
    context.services.logs.write(("panic",), text, context.message.id)
