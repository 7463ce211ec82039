"""The redirect router: what becomes of the data, of the files that hold them, and of the addresses that they give."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from eximious.address.delivery import Address
from eximious.routers.engine import route
from eximious.routers.outcome import Outcome, Routed
from eximious.taint import Tainted

from .place import Place

REST = """
rest:
 driver = accept
 transport = t1
"""


def redirecting(folder: Path, options: str, *, rest: str = REST, main: str = "", more: str = "") -> Place:
    return Place(folder, f"r:\n driver = redirect\n {options}\n{rest}", main=main, more=more)


def route_in(place: Place, text: str, verify: str = "") -> Routed:
    return route(Address(Tainted(text)), place.context(), verify)


ONLY_A = "local_parts = a\n "
SETUP = "*** Error in setting up pipe, file, or autoreply:"
LATER = "a@test.ex cannot be resolved at this time: "

SHOWN: list[tuple[str, list[str]]] = [
    ("data = b", ["b@test.ex", "    <-- a@test.ex", "  router = rest, transport = t1"]),
    ("data =", ["a@test.ex", "  router = rest, transport = t1"]),
    ("data = ${if eq{a}{b}{}fail}", ["a@test.ex", "  router = rest, transport = t1"]),
    ("data = ${if", [LATER + 'failed to expand "${if": condition name expected, but found ""']),
    ("data = #no\n", ["a@test.ex", "  router = rest, transport = t1"]),
    (
        "data = b, c@d.e",
        [
            "c@d.e",
            "    <-- a@test.ex",
            "  router = rest, transport = t1",
            "b@test.ex",
            "    <-- a@test.ex",
            "  router = rest, transport = t1",
        ],
    ),
    ("data = \\\\x", ["x@test.ex", "    <-- a@test.ex", "  router = rest, transport = t1"]),
    ("data = b\n qualify_domain = other.ex", ["b@other.ex", "    <-- a@test.ex", "  router = rest, transport = t1"]),
    (
        "data = b\n qualify_domain = ${if",
        [
            LATER + 'failed to expand "${if": condition name expected, but found ""',
        ],
    ),
    ("data = :blackhole:", ["mail to a@test.ex is discarded"]),
    (
        "data = :blackhole:\n forbid_blackhole",
        [
            LATER + 'error in redirect data: ":blackhole:" is not permitted',
        ],
    ),
    ("data = :fail: go away\n allow_fail", ["a@test.ex is undeliverable: go away"]),
    ("data = :fail:\n allow_fail", ["a@test.ex is undeliverable: "]),
    ("data = :fail: go away", [LATER + 'error in redirect data: ":fail: go away" is not permitted']),
    ("data = :defer: later\n allow_defer", [LATER + "later"]),
    ("data = b\\, :defer: later\n allow_defer", [LATER + "later"]),  # nothing is delivered before
    ("data = :unknown:", ["a@test.ex", "  router = rest, transport = t1"]),
    ("data = :unknown:\n no_more", ["a@test.ex is undeliverable: Unrouteable address"]),
    ("data = |/bin/x\n pipe_transport = p1", ["a@test.ex -> |/bin/x", "  transport = p1"]),
    ("data = |/bin/x", ["a@test.ex -> |/bin/x", SETUP, "pipe_transport unset in r router"]),
    ("data = |/bin/x\n pipe_transport = p1\n forbid_pipe", ["a@test.ex -> |/bin/x *** forbidden ***"]),
    ("data = /x/y\n file_transport = t2", ["a@test.ex -> /x/y", "  transport = t2"]),
    ("data = /x/y/\n directory_transport = t2", ["a@test.ex -> /x/y/", "  transport = t2"]),
    ("data = /x/y/\n file_transport = t2", ["a@test.ex -> /x/y/", SETUP, "directory_transport unset in r router"]),
    ("data = /x/y\n file_transport = t2\n forbid_file", ["a@test.ex -> /x/y *** forbidden ***"]),
    ("data = /x/y\n forbid_file", ["a@test.ex -> /x/y", SETUP, "file_transport unset in r router"]),
    ("data = /x/\n forbid_file", ["a@test.ex -> /x/", SETUP, "directory_transport unset in r router"]),
    ("data = |/x\n forbid_pipe", ["a@test.ex -> |/x", SETUP, "pipe_transport unset in r router"]),
    ("data = /x/y\n file_transport = nosuch", ["a@test.ex -> /x/y", SETUP, 'transport "nosuch" not found in r router']),
    (
        "data = b c",
        [
            LATER + 'error in redirect data: missing or malformed local part (expected word or "<") in "b c"',
        ],
    ),
    ("data = b c\n skip_syntax_errors", ["a@test.ex", "  router = rest, transport = t1"]),
    ("data = b c, d\n skip_syntax_errors", ["d@test.ex", "    <-- a@test.ex", "  router = rest, transport = t1"]),
    ("data = b\n redirect_router = last", ["b@test.ex", "    <-- a@test.ex", "  router = last, transport = t2"]),
    ("data = b@c@d", [LATER + 'error in redirect data: malformed address: @d may not follow b@c in "b@c@d"']),
    ("data = b\n qualify_domain = ${if eq{a}{b}{x}fail}", ["a@test.ex", "  router = rest, transport = t1"]),
    ("data = #Exim filter\\nfail", [LATER + "error in filter data: filtering not enabled"]),
]


@pytest.mark.parametrize(("options", "expected"), SHOWN)
def test_what_bt_shows(options: str, expected: list[str], tmp_path: Path) -> None:
    rest = REST + "last:\n driver = accept\n transport = t2\n"
    assert redirecting(tmp_path, ONLY_A + options, rest=rest).routed("a@test.ex") == expected


# --- files ------------------------------------------------------------------------------------------------------------

ME = f"{os.getuid()}"


def regular(path: Path) -> None:
    path.write_text("b\n")
    path.chmod(0o644)


def writable(path: Path) -> None:
    path.write_text("b\n")
    path.chmod(0o666)


def directory(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)
    path.chmod(0o644)


def comments(path: Path) -> None:
    path.write_text("# nothing\n\n")


def too_large(path: Path) -> None:
    path.write_bytes(b"")
    os.truncate(path, 1024 * 1024 + 1)


def nothing(path: Path) -> None:
    assert not path.exists()


B = ["b@test.ex", "    <-- a@test.ex", "  router = rest, transport = t1"]
PASSED_ON = ["a@test.ex", "  router = rest, transport = t1"]
FILES = [
    (regular, "{}", "", B),
    (regular, "{}", f"owners = {ME}", B),
    (regular, "{}", "owners = 54321", [LATER + "bad owner for {}"]),
    (regular, "{}", "owners = 54321\n no_check_owner", B),
    (regular, "{}", f"owngroups = {os.getgid()}", B),
    (regular, "{}", "owngroups = 54321", [LATER + "bad group for {}"]),
    (regular, "{}", "owngroups = 54321\n no_check_group", B),
    (regular, "{}/more", "", [LATER + "failed to open {}/more: Not a directory"]),
    (regular, "{}/more", "ignore_enotdir", PASSED_ON),
    (regular, "${{if eq{{a}}{{b}}{{}}fail}}", "", PASSED_ON),
    (regular, "rel", "", [LATER + '"rel" is not an absolute path']),
    (regular, "${{if", "", [LATER + 'failed to expand "${{if": condition name expected, but found ""']),
    (writable, "{}", "", [LATER + "bad mode (0100666) for {}: 022 bit(s) unexpected"]),
    (writable, "{}", "modemask = 002", [LATER + "bad mode (0100666) for {}: 02 bit(s) unexpected"]),
    (writable, "{}", "modemask = 0", B),
    (directory, "{}", "", [LATER + "{} is not a regular file"]),
    (pipe, "{}", "", [LATER + "{} is not a regular file"]),
    (comments, "{}", "", PASSED_ON),
    (too_large, "{}", "", [LATER + "{} is too big (max 1048576)"]),
    (nothing, "{}", "", PASSED_ON),
    (nothing, "{}/x/y", "", [LATER + "failed to stat {}/x/. (No such file or directory)"]),
    (nothing, "{}/x/y", "ignore_enotdir", PASSED_ON),
]


@pytest.mark.parametrize(("make", "file", "options", "expected"), FILES)
def test_files(make: object, file: str, options: str, expected: list[str], tmp_path: Path) -> None:
    path = tmp_path / "forward"
    make(path)  # type: ignore[operator]
    place = redirecting(tmp_path, f"{ONLY_A}file = {file.format(path)}\n {options}")
    assert place.routed("a@test.ex") == [line.format(path) for line in expected]


def test_a_file_whose_name_came_from_outside_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("b\n")
    place = redirecting(tmp_path, f"{ONLY_A}file = {tmp_path}/$local_part")
    message = f"Tainted name '{tmp_path}/a' for file read not permitted\n"
    assert place.routed("a@test.ex") == [LATER + message]


# --- what children inherit --------------------------------------------------------------------------------------------


def test_children(tmp_path: Path) -> None:
    place = redirecting(
        tmp_path,
        f"""{ONLY_A}data = b, "|/bin/x", /y
 address_data = data of $local_part
 set = r_v = 1
 errors_to = list@test.ex
 headers_add = X-A: 1
 headers_remove = X-B
 hide_child_in_errmsg
 user = 7
 group = 8
 pipe_transport = p1
 file_transport = t1
 transport_home_directory = /unused
 router_home_directory = /home/x
""",
    )
    routed = route_in(place, "a@test.ex")
    assert routed.outcome is Outcome.ROUTED
    assert routed.deliveries == []
    assert routed.address.child_count == 3
    assert routed.address.extra_headers == []
    names = []
    for child in routed.generated:
        assert child.parent is routed.address
        assert child.address_data == "data of a"
        assert child.router_variables == {"r_v": "1"}
        assert child.errors_to == "list@test.ex"
        assert child.extra_headers == ["X-A: 1\n"]
        assert child.remove_headers == ["X-B"]
        assert "hide_child" in child.flags
        names.append((child.address, child.local_part, child.uid, child.gid, sorted(child.flags)))
    assert names == [
        ("b@test.ex", "b", None, None, ["hide_child"]),
        ("|/bin/x", "a", 7, 8, ["hide_child", "pipe"]),
        ("/y", "a", 7, 8, ["file", "hide_child"]),
    ]
    assert routed.generated[2].home_directory == "/home/x"


def test_one_time_children_remember_their_origin(tmp_path: Path) -> None:
    place = redirecting(tmp_path, f"{ONLY_A}data = b, /y\n one_time\n file_transport = t1")
    routed = route_in(place, "a@test.ex")
    assert [child.onetime_parent for child in routed.generated] == ["a@test.ex", "a@test.ex"]
    assert routed.generated[1].message == "delivery to file forbidden"
    assert routed.generated[1].errno == -12


def test_refusals_with_other_items(tmp_path: Path) -> None:
    place = redirecting(tmp_path, f"{ONLY_A}data = b, :fail: gone\n allow_fail")
    routed = route_in(place, "a@test.ex")
    assert routed.outcome is Outcome.FAILED
    assert [child.address for child in routed.generated] == ["b@test.ex"]
    assert (routed.address.message, routed.address.user_message) == ("gone", "gone")


# --- loops ------------------------------------------------------------------------------------------------------------


def test_a_router_does_not_see_its_own_child_again(tmp_path: Path) -> None:
    place = redirecting(tmp_path, "data = $local_part@$domain, copy", rest=REST)
    first = route_in(place, "a@test.ex")
    assert [child.address for child in first.generated] == ["a@test.ex", "copy@test.ex"]
    same = route(first.generated[0], place.context())
    assert same.deliveries[0].router.name == "rest"
    copy = route(first.generated[1], place.context())
    assert [child.address for child in copy.generated] == ["copy@test.ex", "copy@test.ex"]


def test_no_repeat_use(tmp_path: Path) -> None:
    place = redirecting(tmp_path, "data = x$local_part\n no_repeat_use")
    first = route_in(place, "a@test.ex")
    assert [child.address for child in first.generated] == ["xa@test.ex"]
    assert route(first.generated[0], place.context()).deliveries[0].router.name == "rest"


def test_check_ancestor(tmp_path: Path) -> None:
    place = redirecting(tmp_path, "data = ${if eq{$local_part}{a}{b}{a}}\n check_ancestor")
    first = route_in(place, "a@test.ex")
    second = route(first.generated[0], place.context())
    assert [child.address for child in second.generated] == ["b@test.ex"]
    assert route(second.generated[0], place.context()).deliveries[0].router.name == "rest"


# --- skipped errors ---------------------------------------------------------------------------------------------------


def test_skipped_errors_are_logged(tmp_path: Path) -> None:
    place = redirecting(tmp_path, f"{ONLY_A}data = b c, d, e@@f\n skip_syntax_errors")
    routed = route_in(place, "a@test.ex")
    assert [child.address for child in routed.generated] == ["d@test.ex"]
    assert place.logs.lines == [
        'main: r router: skipped error: missing or malformed local part (expected word or "<") in "b c"',
        'main: r router: skipped error: domain missing or malformed in "e@@f"',
    ]


# --- rewriting, percent hack, unseen ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("option", "child"), [("", "new@b.ex"), ("no_rewrite", "b@old.ex")])
def test_children_are_rewritten(option: str, child: str, tmp_path: Path) -> None:
    place = redirecting(tmp_path, f"{ONLY_A}data = b@old.ex\n {option}", more="begin rewrite\n*@old.ex new@b.ex\n")
    assert route_in(place, "a@test.ex").generated[0].address == child


HACKS = [
    ("a%b.c@hack.ex", "a@b.c"),
    ("a%b%c.d@hack.ex", "a%b@c.d"),
    ("a%b.c@test.ex", None),
    ("%b.c@hack.ex", "@b.c"),
]


@pytest.mark.parametrize(("text", "child"), HACKS)
def test_percent_hack(text: str, child: str | None, tmp_path: Path) -> None:
    place = Place(tmp_path, REST, main="percent_hack_domains = hack.ex")
    routed = route_in(place, text)
    if child is None:
        assert routed.outcome is Outcome.ROUTED
    else:
        assert routed.outcome is Outcome.REROUTED
        assert [one.address for one in routed.generated] == [child]
