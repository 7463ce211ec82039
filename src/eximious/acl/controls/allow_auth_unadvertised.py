"""The control ``allow_auth_unadvertised``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import CONNECT, HELO


@control("allow_auth_unadvertised", frozenset({CONNECT, HELO}))
def allow_auth_unadvertised(options: str, run: Run) -> None:
    """Accept AUTH even where it was not advertised, and after HELO."""
    run.session.settings.auth_unadvertised = True
