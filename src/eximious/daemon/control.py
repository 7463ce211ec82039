"""The daemon's control socket, as commands use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration


def spill(config: Configuration) -> None:
    """Have a running daemon put everything that it holds in its journal into spool files, where all can see it."""
