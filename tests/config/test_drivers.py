"""Sections of driver instances, with drivers made for the purpose, and the options that may be set repeatedly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eximious.config import drivers
from eximious.config.drivers import DriverClass
from eximious.config.errors import Fault
from eximious.config.option import Options, option
from eximious.config.show import Show
from eximious.registry import Registry

from .files import complaint, faults, read

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.config.values import ExpandedBool, ExpandedUser
    from eximious.expand.template import Template

things: Registry[type[Thing]] = Registry("eximious.routers", "router")


class Thing(Options):
    """Generic options of the drivers of these tests."""

    condition: Template | None = option(None, repeat="bool_lax", doc="Conditions.")
    driver: str | None = option(None, doc="The driver.")
    group: ExpandedUser | None = option(None, doc="A group.")
    headers_add: Template | None = option(None, repeat="\n", doc="Lines.")
    headers_remove: Template | None = option(None, repeat=":", doc="Names.")
    more: ExpandedBool = option(True, doc="On or off.")
    set: Template | None = option(None, repeat=";", doc="Variables.")
    user: ExpandedUser | None = option(None, doc="A user.")
    verify: bool = option(True, sets=("verify_one", "verify_two"), doc="Both.")
    verify_one: bool = option(True, doc="One.")
    verify_two: bool = option(True, doc="The other.")

    def check(self, config: Configuration) -> None:
        if self.is_set("user") and not self.more:
            raise Fault("a user needs more", whose=f"{self.name} router")


@things.register("plain")
class Plain(Thing):
    """A driver with an option of its own."""

    file: Template | None = option(None, doc="A file.")
    limit: int = option(5, doc="A number.", later="limits")


@pytest.fixture(autouse=True)
def _test_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    test_class = DriverClass("router", __name__, "things", "Thing")
    monkeypatch.setattr(DriverClass, "registry", property(lambda self: things))
    monkeypatch.setattr(DriverClass, "base", property(lambda self: Thing))
    monkeypatch.setattr(drivers, "ROUTERS", test_class)


R = "begin routers\n"

FAULTS = [
    ("r1", " in line 2 of FILE:\n  router name missing"),
    ("1r:", " in line 2 of FILE:\n  router name missing"),
    ("r-a:", " in line 2 of FILE:\n  router name missing"),
    ("X foo", " in line 2 of FILE:\n  router name missing"),
    ("r:\nX = 3\n more", ':\n  no driver defined for router "r"'),
    ("r:\ndriver = plain\nX = 3\n more", " in line 5 of FILE:\n  router name missing"),
    ("r:", ':\n  no driver defined for router "r"'),
    (":", ':\n  no driver defined for router ""'),
    ("r: driver = plain", " in line 2 of FILE:\n  extra characters follow driver name r"),
    ("r: # x", " in line 2 of FILE:\n  extra characters follow driver name r (# is comment only at line start)"),
    ("r:\n driver = foo", ' in line 3 of FILE:\n  router r: cannot find router driver "foo"'),
    ("r:\n driver = plain\n foo = 1", ' in line 4 of FILE:\n  option "foo" unknown'),
    (
        "r:\n file = 1\n driver = plain",
        ' in line 3 of FILE:\n  option "file" unknown ("driver" must be specified before any private options)',
    ),
    ("r:\n driver = plain\n driver = plain", ' in line 4 of FILE:\n  "driver" option set for the second time'),
    ("r:\n driver = plain\nr:\n driver = plain", ':\n  there are two routers called "r"'),
    ("r:\n driver = plain\n more = 1", ' in line 4 of FILE:\n  "" is not a valid value for the "more" option'),
    ("r:\n driver = plain\n more = x", ' in line 4 of FILE:\n  "x" is not a valid value for the "more" option'),
    ("r:\n driver = plain\n no_condition", " in line 4 of FILE:\n  negation prefix applied to a non-boolean option"),
    ("r:\n driver = plain\n user = nosuchuser", " in line 4 of FILE:\n  user nosuchuser was not found"),
    ("r:\n driver = plain\n user = root\n no_more", " for r router:\n  a user needs more"),
    (
        "r:\n driver = plain\n limit = 6",
        ' in line 4 of FILE:\n  option "limit" needs limits, which this version does not have',
    ),
    (
        "r" + "x" * 64 + ":\n driver = plain",
        " in line 2 of FILE:\n  exim item name too long (>64), unable to use \"r" + "x" * 62 + '" (truncated)',
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FAULTS)
def test_fault(text: str, expected: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, R + text) == f"Exim configuration error{expected}"


def test_options_of_an_unknown_driver_are_not_complained_of(tmp_path: Path) -> None:
    text = R + "r:\n driver = plane\n file = x\n nonsense\ns:\n driver = plain\n nonsense"
    assert [(fault.message, fault.hint) for fault in faults(tmp_path, text)] == [
        ('router r: cannot find router driver "plane"', "did you mean plain?"),
        ('option "nonsense" unknown', ""),
    ]


VALUES = [
    ("more = no", "more", "no_more"),
    ("no_more", "more", "no_more"),
    ("more = $local_part", "more", "more = $local_part"),
    ('more = "$local_part"', "more", "more = $local_part"),
    ("more = x$local_part", "more", "more = x$local_part"),
    ("user = 0", "user", "user = root"),
    ("user = root", "group", "group = root"),
    ("user = $x", "group", "group = "),
    ("condition =", "condition", "condition = "),
    ("condition = a\ncondition = b", "condition", "condition = ${if and{{bool_lax{a}}{bool_lax{b}}}}"),
    (
        "condition = a\ncondition = b\ncondition = c",
        "condition",
        "condition = ${if and{{bool_lax{${if and{{bool_lax{a}}{bool_lax{b}}}}}}{bool_lax{c}}}}",
    ),
    ("headers_add = a: b\nheaders_add = c: d", "headers_add", r"headers_add = a: b\nc: d"),
    (
        "headers_remove = <; a;b\nheaders_remove = c:d\nheaders_remove = <, e,f",
        "headers_remove",
        "headers_remove = a:b:c:d:e:f",
    ),
    ("set = r_a = 1\nset = <, r_b = 2 , r_c = 4", "set", "set = r_a = 1;r_b = 2;r_c = 4"),
    ("no_verify", "verify_one", "no_verify_one"),
    ("verify = false\nverify_two", "verify_two", "verify_two"),
]


def line_for(config: Configuration, name: str) -> str:
    instance: Any = config.routers[0]
    return Show(config, is_admin=True).option(instance, instance.options[name])


@pytest.mark.parametrize(("text", "name", "expected"), VALUES)
def test_value(text: str, name: str, expected: str, tmp_path: Path) -> None:
    config = read(tmp_path, f"{R}r:\ndriver = plain\n{text}")
    assert line_for(config, name) == expected


def test_places_of_joined_values(tmp_path: Path) -> None:
    config = read(tmp_path, R + "r:\ndriver = plain\ncondition = ab\ncondition = cd\ncondition = ef")
    given = config.routers[0].given["condition"]
    places = [given.place.at(given.text.index(value) + 1) for value in ("ab", "cd", "ef")]
    assert [(place.line, place.column) for place in places] == [(4, 14), (5, 14), (6, 14)]


def test_generic_options_before_the_driver(tmp_path: Path) -> None:
    config = read(tmp_path, R + "r:\n headers_add = a: b\n no_verify\n driver = plain\n file = c")
    assert config.routers[0].headers_add.source == "a: b"
    assert config.routers[0].verify_one is False
    assert config.routers[0].file.source == "c"
    assert config.routers[0].limit == 5


def test_macros_between_instances(tmp_path: Path) -> None:
    text = R + "A = a\nr:\n driver = plain\n file = A\nA == b\ns:\n driver = plain\n file = A"
    assert [router.file.source for router in read(tmp_path, text).routers] == ["a", "b"]


def test_hiding_one_hides_all_of_the_driver(tmp_path: Path) -> None:
    config = read(tmp_path, R + "r:\n driver = plain\n file = a\ns:\n driver = plain\n hide file = b")
    show = Show(config, is_admin=False)
    first = config.routers[0]
    assert show.option(first, first.options["file"]) == "file = <value not displayable>"
    assert show.option(first, first.options["limit"]) == "limit = 5"


def test_order_of_options(tmp_path: Path) -> None:
    config = read(tmp_path, R + "r:\n driver = plain")
    assert list(Show(config, is_admin=True).drivers(drivers.ROUTERS)) == [
        "",
        "r router:",
        "condition = ",
        "driver = plain",
        "group = ",
        "headers_add = ",
        "headers_remove = ",
        "more",
        "set = ",
        "user = ",
        "verify_one",
        "verify_two",
        "file = ",
        "limit = 5",
    ]
