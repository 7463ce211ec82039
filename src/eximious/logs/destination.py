"""Where logs go: what `log_file_path` means, and the names of files that it gives."""

from __future__ import annotations

import re
from typing import Final

from eximious.errors import ConfigError

SYSLOG: Final = "syslog"

_STAMP_ALONE: Final = re.compile("%[DM]")


class Destinations:
    """Files (a path with ``%s`` in it, or None), system log, or both."""

    __slots__ = ("has_surplus", "path", "syslog")

    def __init__(self, path: str | None, syslog: bool, has_surplus: bool = False) -> None:
        self.path = path
        self.syslog = syslog
        self.has_surplus = has_surplus  # several paths: the first one counts, and the panic log is told


def parse(log_file_path: str, default: str) -> Destinations:
    """What an expanded `log_file_path` says; `default` stands for an empty item.

    Raises ConfigError for a path that is not absolute, without ``%s``, or with a percent sign too many.
    """
    items = [item.strip() for item in log_file_path.split(":")]
    if len(items) > 1 and not items[-1]:
        items.pop()  # a list does not end with an empty item
    paths = [item or default for item in items if item != SYSLOG]
    for path in paths:
        if not path.startswith("/"):
            raise ConfigError(f'log_file_path "{path}" does not begin with a slash')
        if "%s" not in path:
            raise ConfigError(f'log_file_path "{path}" does not contain "%s"')
        if "%" in _STAMP_ALONE.sub("", path.replace("%s", "", 1), count=1):
            raise ConfigError(f'log_file_path "{path}" contains unexpected "%" character')
    return Destinations(paths[0] if paths else None, SYSLOG in items, len(paths) > 1)


_STAMP_AFTER_SLASH: Final = re.compile(r"(?<=/)%[DM][^0-9A-Za-z]?")
_STAMP: Final = re.compile(r"[^0-9A-Za-z/]?%[DM]")


def file_name(path: str, log: str, date: str) -> str:
    """The file of a log (``main``, ``reject``, ``panic``) on a day (``20261124``).

    ``%D`` and ``%M`` become the day and the month, but not for the panic log, which has one file for ever.
    """
    if log == "panic":
        path = _STAMP.sub("", _STAMP_AFTER_SLASH.sub("", path))
    else:
        path = path.replace("%D", date).replace("%M", date[:6])
    return path.replace("%s", log)
