"""What loads but will fail later."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.config.errors import with_caret
from eximious.config.review import review

from .files import faults, read

WARNINGS = [
    ("acl_smtp_rcpt = chek\nbegin acl\ncheck:\n accept", [(1, 17, 'there is no ACL "chek"', "did you mean check?")]),
    ("acl_smtp_rcpt = accept\nacl_smtp_mail = ${a}", [(2, 17, "*", "*")]),
    ("smtp_banner = ${lcc:a}", [(1, 15, 'unknown expansion operator "lcc"', "did you mean lc?")]),
    (
        "domainlist a = b\nhold_domains = +a : \\\n  +b",
        [(3, 3, 'there is no domain list "+b"', "")],
    ),
    ("hostlist local = +locl", [(1, 18, 'there is no host list "+locl"', "did you mean local?")]),
    ("host_lookup = +ignore_unknown : *", []),
    ("hold_domains = $domain : +$local_part", []),
    (
        "begin routers\nr:\n driver = accept\n transport = tt\nbegin transports\nt:\n driver = smtp",
        [(4, 14, 'there is no transport "tt"', "did you mean t?")],
    ),
    ("begin routers\nr:\n driver = accept\n transport = $domain\nbegin transports\nt:\n driver = smtp", []),
]


@pytest.mark.parametrize(("text", "expected"), WARNINGS)
def test_warning(text: str, expected: list[tuple[int, int, str, str]], tmp_path: Path) -> None:
    found = review(read(tmp_path, text))
    assert len(found) == len(expected)
    for warning, (line, column, message, hint) in zip(found, expected, strict=True):
        assert warning.place is not None
        assert (warning.place.line, warning.place.column) == (line, column)
        if message != "*":
            assert (warning.message, warning.hint) == (message, hint)


CARETS = [
    (
        "  primary_hostnam\t= x",
        'exim.conf:1:3: main option "primary_hostnam" unknown\n'
        "    primary_hostnam = x\n"
        "    ^ did you mean primary_hostname?",
    ),
    (
        "queue_only\t= maybe",
        'exim.conf:1:14: "maybe" is not a valid value for the "queue_only" option\n'
        "    queue_only = maybe\n"
        "                 ^",
    ),
    (
        "begin routers\nr:\n driver = accept",
        "exim.conf:2:1: r router: a transport is required for this router\n    r:\n    ^",
    ),
    ("log_selector = +foo", "exim.conf:1:16: unknown log_selector setting: +foo\n    log_selector = +foo\n"
     "                   ^"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CARETS)
def test_caret(text: str, expected: str, tmp_path: Path) -> None:
    assert with_caret(faults(tmp_path, text)[0]) == f"{tmp_path}/{expected}"
