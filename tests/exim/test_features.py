"""What -bV says that this installation can do."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

from eximious.exim import bV, features


def test_what_is_only_declared_is_not_claimed() -> None:
    assert features.has_module("acl/conditions/hosts")
    assert not features.has_module("acl/conditions/no_such_thing")
    declared = "\n@condition('x', TEXT, EVERYWHERE, later=\"X\")\n"
    assert features._is_for_later(declared.replace("'", '"'))
    assert features._is_for_later('class X:\n    later = "X"\n')
    assert not features._is_for_later('    x: bool = option(False, doc="x", later="X")\n')


def test_the_drivers_of_this_version() -> None:
    assert {"accept", "dnslookup", "manualroute", "redirect"} <= set(features.drivers("routers"))
    assert {"pipe", "smtp"} <= set(features.transports())
    assert any(name.startswith("appendfile/maildir") for name in features.transports())
    assert {"lsearch", "dsearch", "wildlsearch", "nwildlsearch"} <= set(features.lookups())
    assert {"plaintext", "cram_md5"} <= set(features.drivers("authenticators"))


def test_the_form_of_the_output() -> None:
    output = io.StringIO()
    with redirect_stdout(output):
        bV.print_version()
    lines = output.getvalue().splitlines()
    assert lines[0].startswith("Exim version 4.99 ")
    for beginning in ("Support for: ", "Lookups (built-in): ", "Routers (built-in): ", "Fixed never_users: 0"):
        assert any(line.startswith(beginning) for line in lines)
