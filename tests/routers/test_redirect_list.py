"""Redirection lists: items, special items, quotes, comments, included files, and what is wrong with them.

What is expected is what Exim makes of the same lists.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.address.parse import AddressError, parse
from eximious.routers.redirect_list import BadAddress, RedirectError, Redirection, Rules, parse_list
from eximious.routers.redirect_rules import read_include

NO_LOCAL_PART = 'missing or malformed local part (expected word or "<")'


def working_part(text: str) -> tuple[str, bool]:
    try:
        parsed = parse(text)
    except AddressError as error:
        if str(error) == "empty address":
            return "", False
        raise BadAddress(str(error)) from error
    return parsed.address, parsed.at >= 0


def taken_apart(text: str, *, forbidden: frozenset[str] = frozenset(), skips_errors: bool = False) -> Redirection:
    rules = Rules(working_part, lambda path: read_include(path, None), forbidden, skips_errors=skips_errors)
    return parse_list(text, rules)


def shown(redirection: Redirection) -> list[str]:
    items = [f"{'local' if item.is_local else item.kind.value} {item.text}" for item in redirection.items]
    if redirection.special:
        items.append(f"{redirection.special}: {redirection.message}")
    return items


LISTS: list[tuple[str, list[str]]] = [
    ("", []),
    ("a@b.c", ["address a@b.c"]),
    ("a, b@c.d ,, e", ["address a", "address b@c.d", "address e"]),
    ("a\nb\n", ["address a", "address b"]),
    ("a\n# b, c\nd\n", ["address a", "address d"]),
    ("Name <a@b.c>, (comment) d@e.f (more)", ["address a@b.c", "address d@e.f"]),
    ("(only a comment)", []),
    ("\\a, \\b@c.d", ["local a", "address \\b@c.d"]),
    ("|/bin/x y", ["pipe |/bin/x y"]),
    ('"|/bin/x y, z"', ["pipe |/bin/x y, z"]),
    ('"|/bin/x \\"y\\""', ['pipe |/bin/x "y"']),
    ('|"/bin/x" y, z', ['pipe |"/bin/x" y', "address z"]),
    ("|", ["pipe |"]),
    ("/var/mail/x, /home/x/", ["file /var/mail/x", "file /home/x/"]),
    ('"/a b/c"', ["file /a b/c"]),
    ("/a\\,b/c", ["file /a\\,b/c"]),
    ("/CN=John Doe/@x.y", ["file /CN=John Doe/@x.y"]),
    ("/name@x.y", ["address /name@x.y"]),
    ('"a b"@c.d', ['address "a b"@c.d']),
    ("a@[1.2.3.4]", ["address a@[1.2.3.4]"]),
    ("@a,@b:c@d", ["address c@d"]),
    ("<@a,@b:c@d>", ["address c@d"]),
    (":unknown: whatever, a", []),
    ("a, :unknown:, b", ["address a"]),
    (":blackhole:", ["blackhole: "]),
    ("a, :blackhole: b, c", ["address a", "blackhole: b, c"]),
    ("a, :fail: gone away\nb", ["address a", "fail: gone away"]),
    (":defer:", ["defer: "]),
    ("  :fail:text", ["fail: text"]),
]


@pytest.mark.parametrize(("text", "expected"), LISTS)
def test_lists(text: str, expected: list[str]) -> None:
    assert shown(taken_apart(text)) == expected


FAULTS = [
    ("group: a@b.c, d@e.f;", NO_LOCAL_PART + ' in "group: a@b.c"'),
    ("a, d # e", NO_LOCAL_PART + ' in "d # e"'),
    (":nothing: a", NO_LOCAL_PART + ' in ":nothing: a"'),
    ('"a b"', NO_LOCAL_PART + ' in "a b"'),
    ("a,b c, d", NO_LOCAL_PART + ' in "b c"'),
    (":fail", NO_LOCAL_PART + ' in ":fail"'),
    ('"|/bin/x', 'unmatched doublequote in local part in ""|/bin/x"'),
    ("<a@b.c", "'>' missing at end of address in \"<a@b.c\""),
    ("a@b.c>", 'malformed address: > may not follow a@b.c in "a@b.c>"'),
    ("a;b", 'malformed address: ;b may not follow a in "a;b"'),
    (":include:", "file name missing after :include:"),
    (":include:rel", 'included file "rel" is not an absolute path'),
    (":include:/nonexistent/x", "failed to open included file /nonexistent/x: No such file or directory"),
    (":include:/", "error while reading included file /: Is a directory"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_faults(text: str, message: str) -> None:
    with pytest.raises(RedirectError) as caught:
        taken_apart(text)
    assert str(caught.value) == message


FORBIDDEN = [
    (":fail: no", "fail", '":fail: no" is not permitted'),
    (":defer:", "defer", '":defer:" is not permitted'),
    (":blackhole:", "blackhole", '":blackhole:" is not permitted'),
    ("a, :include:/x", "include", "included files not permitted"),
]


@pytest.mark.parametrize(("text", "name", "message"), FORBIDDEN)
def test_forbidden_items(text: str, name: str, message: str) -> None:
    with pytest.raises(RedirectError) as caught:
        taken_apart(text, forbidden=frozenset({name}))
    assert str(caught.value) == message


def test_bad_addresses_may_be_skipped() -> None:
    redirection = taken_apart("a, b c, d@@e, f", skips_errors=True)
    assert shown(redirection) == ["address a", "address f"]
    assert redirection.errors == [("b c", NO_LOCAL_PART), ("d@@e", "domain missing or malformed")]


INCLUDED: list[tuple[str, list[str]]] = [
    ("b, c\n", ["address a", "address b", "address c", "address d"]),
    ("# nothing\n", ["address a", "address d"]),
    ("b, :fail: no\n", ["address a", "fail: no"]),
    ("b, :unknown:\n", ["address a"]),
]


@pytest.mark.parametrize(("content", "expected"), INCLUDED)
def test_included_files(content: str, expected: list[str], tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(content)
    assert shown(taken_apart(f"a, :include:{path}, d")) == expected
    assert shown(taken_apart(f'a, ":include:{path}", d')) == expected


def test_a_file_that_includes_itself(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(f"a, :include:{path}")
    with pytest.raises(RedirectError, match="too many nested :include: items"):
        taken_apart(f":include:{path}")


def test_items_are_counted() -> None:
    with pytest.raises(RedirectError, match="too many items"):
        taken_apart("|x," * 100_001)


COMPONENT = "failed to open {{}}{} (component of included file); could be symbolic link"
BELOW: list[tuple[str, str]] = [
    ("lists/one", ""),
    ("lists/sub/two", ""),
    ("lists//one", ""),
    ("elsewhere", "included file {}/elsewhere is not in directory {}/lists"),
    ("listsandmore", "included file {}/listsandmore is not in directory {}/lists"),
    ("lists/../elsewhere", COMPONENT.format("/lists/../elsewhere")),
    ("lists/link", COMPONENT.format("/lists/link")),
    (
        "lists/out/elsewhere",
        COMPONENT.format("/lists/out/elsewhere"),
    ),
]


@pytest.mark.parametrize(("name", "message"), BELOW)
def test_include_directory(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "lists" / "sub").mkdir(parents=True)
    for file in ("lists/one", "lists/sub/two", "elsewhere", "listsandmore"):
        (tmp_path / file).write_text("a")
    (tmp_path / "lists" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "lists" / "out").symlink_to(tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    if not message:
        assert read_include(f"{tmp_path}/{name}", f"{tmp_path}/lists") == "a"
    else:
        with pytest.raises(RedirectError) as caught:
            read_include(f"{tmp_path}/{name}", f"{tmp_path}/lists")
        assert str(caught.value) == message.format(tmp_path, tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


@given(st.text(alphabet="ab@.,:;|/\\\"'()<># \n\t\r\0\xe9[]", max_size=60), st.booleans())
def test_any_text_is_a_list_or_has_a_fault(text: str, skips: bool) -> None:
    try:
        redirection = taken_apart(text, forbidden=frozenset({"include"}), skips_errors=skips)
    except RedirectError:
        return
    assert all(item.text for item in redirection.items)
