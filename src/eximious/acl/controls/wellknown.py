"""The control ``wellknown``: the file that answers a WELLKNOWN command."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import WELLKNOWN


@control("wellknown", frozenset({WELLKNOWN}), has_options=True)
def wellknown(options: str, run: Run) -> None:
    """Answer with the contents of this file."""
    run.context.facts["wellknown_file"] = options
