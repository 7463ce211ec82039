"""The older interface to SRS: what checking a configuration says about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.cli.checks.srs import NEWER_FORM, misconfigured_srs, older_srs, shared_srs
from eximious.config.load import load

ROUTER = (
    "begin routers\nr:\n  driver = redirect\n  data = x\n  srs = forward\n"
    "s:\n  driver = redirect\n  data = x\n  srs = reverse\n"
)

NOTES = [
    ("", []),
    ("srs_secrets = s\n" + ROUTER, [(6, "the option srs is the older interface to SRS", NEWER_FORM)]),
    (
        "srs_secrets = s\nsrs_maxage = 9\n",
        [(2, 'the option "srs_maxage" has no effect here', "no redirect router has the option srs")],
    ),
]


@pytest.mark.parametrize(("text", "notes"), NOTES)
def test_notes(text: str, notes: list[tuple[int, str, str]], tmp_path: Path) -> None:
    path = tmp_path / "exim.conf"
    path.write_text(text)
    found = list(older_srs(load(str(path))))
    assert [(one.place.line if one.place else 0, one.message, one.hint) for one in found] == notes


WARNINGS = [
    ("srs_maxage = 400\n", []),  # nothing uses it
    ("srs_secrets = s\n" + ROUTER, []),
    (ROUTER, [(5, "SRS Configuration Error: No secret specified")]),
    (
        "srs_secrets = s\nsrs_usehash = no\n" + ROUTER,
        [(7, "SRS without a hash: strangers can have mail sent anywhere")],
    ),
    ("srs_config = s:9:6:1:0\n" + ROUTER, [(6, "SRS without a hash: strangers can have mail sent anywhere")]),
    ("srs_config = s:9:6:1:0\n" + ROUTER.partition("s:\n")[0], []),  # only forwards
    ("\nsrs_secrets = s\nsrs_maxage = 400\n" + ROUTER, [(2, "SRS Configuration Error: Invalid maximum timestamp age")]),
]


@pytest.mark.parametrize(("text", "warnings"), WARNINGS)
def test_warnings(text: str, warnings: list[tuple[int, str]], tmp_path: Path) -> None:
    path = tmp_path / "exim.conf"
    path.write_text(text)
    found = list(misconfigured_srs(load(str(path))))
    assert [(one.place.line if one.place else 0, one.message) for one in found] == warnings


ENCODED = "begin transports\nt:\n  driver = {}\n  return_path = ${{srs_encode{{s}}{{$return_path}}{{{}}}}}\n{}"
EMPTY = "$original_domain is empty for several recipients, who may share a transaction"

SHARED = [
    (ENCODED.format("smtp", "$original_domain", ""), [(4, EMPTY, "max_rcpt = 1 keeps them apart")]),
    (ENCODED.format("smtp", "$original_domain", "  max_rcpt = 1\n"), []),
    (ENCODED.format("smtp", "$original_domain", "  max_rcpt = 2\n"), [(4, EMPTY, "max_rcpt = 1 keeps them apart")]),
    (ENCODED.format("smtp", "srs.example", ""), []),
    (ENCODED.format("appendfile", "$original_domain", "  file = /x\n"), []),
    (
        ENCODED.format("pipe", "$original_domain", "  command = /x\n  batch_max = 9\n"),
        [(4, EMPTY, "batch_max = 1 keeps them apart")],
    ),
    (ENCODED.format("autoreply", "$original_domain", ""), []),
    ("begin transports\nt:\n  driver = smtp\n  return_path = x@$original_domain\n", []),
]


@pytest.mark.parametrize(("text", "warnings"), SHARED)
def test_shared_transactions(text: str, warnings: list[tuple[int, str, str]], tmp_path: Path) -> None:
    path = tmp_path / "exim.conf"
    path.write_text(text)
    found = list(shared_srs(load(str(path))))
    assert [(one.place.line if one.place else 0, one.message, one.hint) for one in found] == warnings
