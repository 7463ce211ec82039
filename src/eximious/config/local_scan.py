"""The local_scan section: private options of a site's own scanning function."""

from __future__ import annotations

from eximious.config.configuration import Configuration
from eximious.config.sections import Section


def read(section: Section, config: Configuration) -> None:
    """Refuse the section if it sets anything: there is no local_scan function that could have options."""
    line = section.next()
    if line is None:
        return
    section.fault(
        "local_scan() options not supported: (LOCAL_SCAN_HAS_OPTIONS not defined in Local/Makefile)", line.place()
    )
    for _ in section:
        pass
