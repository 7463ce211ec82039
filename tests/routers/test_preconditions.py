"""What keeps a router from running, and what makes that impossible to say. Expected values are what Exim answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from .place import Place

ACCEPTED = "router = r, transport = t1"
UNROUTEABLE = "a@test.ex is undeliverable: Unrouteable address"
LATER = "a@test.ex cannot be resolved at this time: "
CURLY = (
    "curly-bracket problem in conditional yes/no parsing: 'yes' part did not start with '{'\n remaining string is ''"
)
NO_CONDITION = 'condition name expected, but found ""'

OPTIONS = [
    ("domains = test.ex", ACCEPTED),
    ("domains = ! test.ex", UNROUTEABLE),
    ("local_parts = a", ACCEPTED),
    ("local_parts = b", UNROUTEABLE),
    ("check_local_user", UNROUTEABLE),
    ("condition = yes", ACCEPTED),
    ("condition = 0", UNROUTEABLE),
    ("condition = No", UNROUTEABLE),
    ("condition =", UNROUTEABLE),
    ("condition = true\n  condition = false", UNROUTEABLE),
    ("condition = ${if eq{a}{b}{}fail}", UNROUTEABLE),
    ("condition = ${if", UNROUTEABLE),
    ("senders = sender@test.ex", ACCEPTED),
    ("senders = :", UNROUTEABLE),
    (
        "router_home_directory = ${if eq{a}{a}",
        LATER + f'failed to expand "${{if eq{{a}}{{a}}" for router_home_directory: {CURLY}',
    ),
    ("require_files = /", ACCEPTED),
    ("require_files = !/", UNROUTEABLE),
    ("require_files = /nonexistent/file", UNROUTEABLE),
    ("require_files = ! /nonexistent/file", ACCEPTED),
    ("require_files = /etc/passwd/x", LATER + "require_files: error for /etc/passwd/x: Not a directory"),
    ("require_files = nosuchuser:/etc/passwd", LATER + 'user "nosuchuser" for require_files not found'),
    ("require_files = root, nosuchgroup:/etc", LATER + 'group "nosuchgroup" for require_files not found'),
    ("require_files = 1:/etc/passwd", LATER + "group missing after numerical uid 1 for require_files"),
    ("require_files = bin/foo", LATER + 'require_files: "bin/foo" is not absolute'),
    ("require_files = ${if eq{a}{b}{}fail}", ACCEPTED),
    ("require_files = ${if", LATER + f'failed to expand "${{if" for require_files: {NO_CONDITION}'),
    ("address_test = false", UNROUTEABLE),
    ("verify_only", UNROUTEABLE),
    ("address_data = ${lookup", LATER + 'expansion of "${lookup" failed in r router: missing lookup type'),
    ("address_data = ${if eq{a}{b}{}fail}", UNROUTEABLE),
    (
        "address_data = ${if eq{a}{b}{}fail}\n  no_more\n  cannot_route_message = no $local_part here",
        "a@test.ex is undeliverable: no a here",
    ),
    ("cannot_route_message = ${if\n  local_parts = b", UNROUTEABLE),
    ("set = r_x = ${if eq{a}{b}{}fail}", UNROUTEABLE),
    ("set = r_x = ${if", f'a@test.ex is undeliverable: expansion of "r_x = ${{if" failed in r router: {NO_CONDITION}'),
    (
        "set = r_x = yes; r_y = b\n  address_data = $r_x$r_y\n  unseen = ${if eq{$address_data}{yesb}{no}{maybe}}",
        ACCEPTED,
    ),
    ("unseen = ${lc:MAYBE}", LATER + '"maybe" is not a valid value for the "unseen" option in the r router'),
    ("unseen = ${if", LATER + f'failed to expand "unseen" in r router: {NO_CONDITION}'),
    ("errors_to = ${if", LATER + f'r router failed to expand "${{if": {NO_CONDITION}'),
    ("headers_add = foo: x${if", LATER + f'r router failed to expand add_headers item "foo: x${{if": {NO_CONDITION}'),
    ("headers_remove = foo:x${if", LATER + f'r router failed to expand remove_headers item "x${{if": {NO_CONDITION}'),
    ("user = ${if", LATER + f'Failed to expand user string "${{if" for the r router: {NO_CONDITION}'),
    (
        "user = ${lc:NOSUCH}",
        LATER + 'Failed to find user "nosuch" from expanded string "${lc:NOSUCH}" for the r router',
    ),
    (
        "group = ${lc:NOSUCH}",
        LATER + 'Failed to find group "nosuch" from expanded string "${lc:NOSUCH}" for the r router',
    ),
    ("user = 33", LATER + "user set without group for r router"),
    ("user = 33\n  group = 33", ACCEPTED),
]


@pytest.mark.parametrize(("options", "expected"), OPTIONS)
def test_option(options: str, expected: str, tmp_path: Path) -> None:
    place = Place(tmp_path, f"r:\n  driver = accept\n  transport = t1\n  {options}\n")
    shown = "\n".join(place.routed("a"))
    assert expected in shown if expected == ACCEPTED else shown == expected


TRANSPORTS = [
    ("t1", ACCEPTED),
    ("t${if", LATER + f'failed to expand transport "t${{if" in r router: {NO_CONDITION}'),
    ("t9", LATER + 'transport "t9" not found in r router'),
    ("${if eq{a}{a}{t1}}", ACCEPTED),
    ("${if eq{$local_part}{a}{t1}}", ACCEPTED),
    ("${if eq{a}{a}{${sg{$local_part}{a}{t1}}}}", LATER + "internal configuration error"),
]


@pytest.mark.parametrize(("transport", "expected"), TRANSPORTS)
def test_transport(transport: str, expected: str, tmp_path: Path) -> None:
    place = Place(tmp_path, f"r:\n  driver = accept\n  transport = {transport}\n")
    assert expected in "\n".join(place.routed("a"))


CASES = [
    ("UF2", "this"),
    ("uF2", "Unrouteable address"),
]


@pytest.mark.parametrize(("local_part", "message"), CASES)
def test_case_matters_under_caseful_local_part(local_part: str, message: str, tmp_path: Path) -> None:
    routers = "r:\n  driver = redirect\n  local_parts = UF2\n  caseful_local_part\n  allow_fail\n  data = :fail: this\n"
    place = Place(tmp_path, routers)
    assert place.routed(local_part) == [f"{local_part}@test.ex is undeliverable: {message}"]


AFFIXES = [
    ("a-b-bar+baz", "<a-b-|a-b|bar|+baz|baz>"),
    ("a-b-bar", "<a-b-|a-b|bar||>"),
    ("x-bar+", "<x-|x|bar|+|>"),
    ("a-b-bar-foo", ""),
    ("bar", ""),
]


@pytest.mark.parametrize(("local_part", "expected"), AFFIXES)
def test_affixes(local_part: str, expected: str, tmp_path: Path) -> None:
    place = Place(
        tmp_path,
        """
r:
  driver = accept
  local_part_prefix = *-
  local_part_suffix = +*
  local_part_suffix_optional
  local_parts = bar
  debug_print = <$local_part_prefix|$local_part_prefix_v|$local_part|$local_part_suffix|$local_part_suffix_v>
  transport = t1
""",
    )
    from eximious.address.delivery import Address
    from eximious.routers.engine import route

    context = place.context()
    printed: list[str] = []
    context.facts["debug_print"] = printed.append
    route(Address(f"{local_part}@test.ex"), context, "T")
    assert "".join(printed).strip() == expected


def test_files_are_judged_by_the_mode_bits_for_a_user(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "file").write_text("x")
    rule = f"require_files = nobody:{closed}/file"
    place = Place(tmp_path, f"r:\n  driver = accept\n  transport = t1\n  {rule}\n")
    assert place.routed("a") == [LATER + f"require_files: error for {closed}/file: Permission denied"]
    place = Place(tmp_path, f"r:\n  driver = accept\n  transport = t1\n  {rule.replace(':/', ':+/')}\n")
    assert place.routed("a") == [UNROUTEABLE]
