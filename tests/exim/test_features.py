"""What -bV says that this installation can do."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

import pytest

from eximious.acl.declare import conditions
from eximious.authenticators.base import authenticators
from eximious.config.main import MainOptions
from eximious.exim import bV, features
from eximious.lookups.base import lookups
from eximious.registry import Registry
from eximious.routers.base import routers
from eximious.transports.base import transports


def working(registry: Registry[Any]) -> list[str]:
    """The names of what is more than declared."""
    return [name for name, thing in registry.load_all().items() if not getattr(thing, "later", "")]


def test_the_drivers_of_this_version() -> None:
    assert list(features.ROUTERS) == working(routers)
    assert [name.partition("/")[0] for name in features.TRANSPORTS] == working(transports)
    assert list(features.AUTHENTICATORS) == working(authenticators)
    assert {"lsearch", "dsearch", "wildlsearch", "nwildlsearch"} <= set(features.lookups())
    refused = {name for name, lookup in lookups.load_all().items() if lookup.instead}
    assert set(features.REFUSED_LOOKUPS) == refused
    assert not refused & set(features.lookups())


def test_a_lookup_without_its_library_is_not_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "LIBRARIES", {"lsearch": "no_such_library", "dsearch": "json"})
    assert "lsearch" not in features.lookups()
    assert "dsearch" in features.lookups()


DECLARED = [
    ("Content_Scanning", conditions.find("malware")),
    ("DKIM", conditions.find("dkim_signers")),
    ("DMARC", conditions.find("dmarc_status")),
    ("SPF", conditions.find("spf")),
    ("Experimental_BMI", conditions.find("bmi_optin")),
    ("Experimental_DCC", conditions.find("dcc")),
    ("Event", transports.find("smtp").by_any_name["event_action"]),  # type: ignore[union-attr]
    ("DANE", transports.find("smtp").by_any_name["hosts_require_dane"]),  # type: ignore[union-attr]
    ("OCSP", transports.find("smtp").by_any_name["hosts_require_ocsp"]),  # type: ignore[union-attr]
    ("SOCKS", transports.find("smtp").by_any_name["socks_proxy"]),  # type: ignore[union-attr]
    ("PRDR", MainOptions.by_any_name["prdr_enable"]),
    ("PROXY", MainOptions.by_any_name["hosts_proxy"]),
    ("I18N", MainOptions.by_any_name["smtputf8_advertise_hosts"]),
]


@pytest.mark.parametrize(("name", "declaration"), DECLARED)
def test_what_is_only_declared_is_not_claimed(name: str, declaration: Any) -> None:
    assert (name in features.SUPPORT) is not bool(declaration.later)


def test_the_form_of_the_output() -> None:
    output = io.StringIO()
    with redirect_stdout(output):
        bV.print_version()
    lines = output.getvalue().splitlines()
    assert lines[0].startswith("Exim version 4.99 ")
    for beginning in ("Support for: ", "Lookups (built-in): ", "Routers (built-in): ", "Fixed never_users: 0"):
        assert any(line.startswith(beginning) for line in lines)
