"""The ACL modifier ``endpass``: from here on, a false condition denies. The statement remembers where it stands."""

from __future__ import annotations

from eximious.acl.declare import TEXT, modifier
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE


@modifier("endpass", TEXT, EVERYWHERE)
def endpass(text: str, run: Run) -> None:
    """Nothing happens when it is passed."""
