"""Where an option belongs that was set in the wrong place: for the hint beside "unknown"."""

from __future__ import annotations

from eximious.config.drivers import CLASSES
from eximious.config.main import MainOptions

MOST_NAMED = 3  # drivers in one hint


def belongs_to(name: str) -> str:
    """``it is an option of the appendfile transport`` or the like; "" if nothing has an option of that name."""
    if name in MainOptions.by_any_name:
        return "it is a main option, which stands before the first begin"
    for kind, drivers in CLASSES.items():
        if name in drivers.base.by_any_name:
            return f"it is an option of {kind}s"
    for kind, drivers in CLASSES.items():
        owners = sorted(driver for driver, found in drivers.registry.load_all().items() if name in found.by_any_name)
        if 0 < len(owners) <= MOST_NAMED:
            return f"it is an option of the {' and '.join(owners)} {kind}{'s' if len(owners) > 1 else ''}"
        if owners:
            return f"it is an option of other {kind} drivers: {', '.join(owners)}"
    return ""
