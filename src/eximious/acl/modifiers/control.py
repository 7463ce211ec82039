"""The ACL modifier ``control``: settings for the connection or the message. Each lives in `eximious.acl.controls`."""

from __future__ import annotations

from eximious.acl.declare import Control, controls, modifier, parsed
from eximious.acl.run import Run
from eximious.acl.verdict import AclError
from eximious.acl.where import EVERYWHERE
from eximious.errors import did_you_mean


class Setting:
    """A control that was found, and the options that follow its name (with their slash)."""

    __slots__ = ("control", "options")

    def __init__(self, control: Control, options: str) -> None:
        self.control = control
        self.options = options


def setting(text: str) -> Setting:
    """Find the control that the text names. Raises AclError."""
    name, slash, options = text.strip().partition("/")
    found = controls.find(name)
    if found is None:
        raise AclError(f'syntax error in "control={text}"', did_you_mean(name, controls.load_all()))
    if slash and not found.has_options:
        raise AclError(f'syntax error in "control={text}"', f"{name} has no options")
    if found.later:
        raise AclError(f'"control={name}" is not possible: {found.later} is not part of this version')
    return Setting(found, options)


@modifier("control", parsed(setting), EVERYWHERE)
def control(wanted: Setting, run: Run) -> None:
    """Obey the control, where it is allowed."""
    found = wanted.control
    if run.where not in found.allowed:
        raise AclError(f'cannot use "control={found.shown_name}" in {run.where} ACL')
    found.function(wanted.options, run)
