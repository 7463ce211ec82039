"""The control ``cutthrough_delivery``: deliver while receiving."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE


@control("cutthrough_delivery", EVERYWHERE, has_options=True, later="cut-through delivery")
def cutthrough_delivery(options: str, run: Run) -> None:
    """Try to deliver while the message comes in."""
