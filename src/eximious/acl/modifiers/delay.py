"""The ACL modifier ``delay``: let the client wait."""

from __future__ import annotations

from eximious.acl.declare import modifier, parsed
from eximious.acl.run import Run
from eximious.acl.verdict import AclError
from eximious.acl.where import EVERYWHERE, NOTQUIT
from eximious.config.numbers import seconds as read_seconds
from eximious.waiting import sleep


def seconds(text: str) -> float:
    """A time in Exim's notation, in seconds. Raises AclError."""
    try:
        return read_seconds(text)
    except ValueError:
        why = f'"{text}" is not a time value'
        raise AclError(f'syntax error in argument for "delay" modifier: {why}') from None


@modifier("delay", parsed(seconds), EVERYWHERE - {NOTQUIT})
def delay(time: float, run: Run) -> None:
    """Waiting replies are sent before, unless ``control = no_delay_flush`` was given; a test (``-bh``) only says so."""
    if run.trace is not None:
        run.trace.acl(f"delay modifier requests {time:g}-second delay")
    session = run.session
    if session is None or not session.is_checking:
        if session is None:
            sleep(time)
            return
        if session.settings.flush_before_delay:
            session.flush()
        session.stream.pause(time)
    elif run.trace is not None:
        run.trace.acl("delay skipped in -bh checking mode")
