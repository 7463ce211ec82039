"""log_file_path."""

from __future__ import annotations

import pytest

from eximious.errors import ConfigError
from eximious.logs.destination import file_name, parse

DEFAULT = "/var/spool/exim/log/%slog"

PATHS = [
    ("", DEFAULT, False, False),
    ("syslog", None, True, False),
    (":syslog", DEFAULT, True, False),
    ("syslog : /usr/log/exim_%s", "/usr/log/exim_%s", True, False),
    ("/usr/log/exim_%s", "/usr/log/exim_%s", False, False),
    ("/a/%s : /b/%s : syslog", "/a/%s", True, True),
    ("/a/%s : syslog : syslog", "/a/%s", True, False),
    ("/a/%slog:", "/a/%slog", False, False),
    (":/a/%slog", DEFAULT, False, True),
]


@pytest.mark.parametrize(("text", "path", "syslog", "surplus"), PATHS)
def test_where(text: str, path: str | None, syslog: bool, surplus: bool) -> None:
    found = parse(text, DEFAULT)
    assert (found.path, found.syslog, found.has_surplus) == (path, syslog, surplus)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("log/%s", "does not begin with a slash"),
        ("/var/log/exim", 'does not contain "%s"'),
        ("/var/log/%s-%D-%M", 'contains unexpected "%" character'),
        ("/var/log/%s%s", 'contains unexpected "%" character'),
        ("/var/log/%s%x", 'contains unexpected "%" character'),
    ],
)
def test_faults(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(text, DEFAULT)


# The examples of Exim's manual.
NAMES = [
    ("/var/log/%slog", "main", "/var/log/mainlog"),
    ("/var/log/%slog", "panic", "/var/log/paniclog"),
    ("/var/spool/exim/log/%slog-%D", "main", "/var/spool/exim/log/mainlog-20021225"),
    ("/var/log/exim-%s-%D.log", "reject", "/var/log/exim-reject-20021225.log"),
    ("/var/spool/exim/log/%D-%slog", "main", "/var/spool/exim/log/20021225-mainlog"),
    ("/var/log/exim/%s.%M", "main", "/var/log/exim/main.200212"),
    ("/var/spool/exim/log/%slog-%D", "panic", "/var/spool/exim/log/paniclog"),
    ("/var/log/exim-%s-%D.log", "panic", "/var/log/exim-panic.log"),
    ("/var/spool/exim/log/%D-%slog", "panic", "/var/spool/exim/log/paniclog"),
    ("/var/log/exim/%s.%M", "panic", "/var/log/exim/panic"),
    ("/x/%D%slog", "main", "/x/20021225mainlog"),
]


@pytest.mark.parametrize(("path", "log", "expected"), NAMES)
def test_names(path: str, log: str, expected: str) -> None:
    assert file_name(path, log, "20021225") == expected
