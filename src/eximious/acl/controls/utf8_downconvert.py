"""The control ``utf8_downconvert``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.verdict import AclError
from eximious.acl.where import RCPT, VRFY


@control("utf8_downconvert", frozenset({RCPT, VRFY}), has_options=True)
def utf8_downconvert(options: str, run: Run) -> None:
    """Convert UTF-8 in envelope addresses to A-labels: ``/1`` (the default) always, ``/-1`` if need be, ``/0`` not."""
    if options not in ("", "0", "1", "-1"):
        raise AclError("bad option value for control=utf8_downconvert")
    run.reception.utf8_downconvert = int(options or "1")
