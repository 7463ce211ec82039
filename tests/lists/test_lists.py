"""What all kinds of list have in common."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.errors import Defer
from eximious.lists import address, domain, host, local_part, string
from eximious.taint import Tainted, is_tainted
from tests.expand.context import make_context

CONFIGURATION = """primary_hostname = mail.example.test
domainlist loop = +loop : a
domainlist changing = $acl_m_x
domainlist_cache kept = $acl_m_x
domainlist steady = a.test : *.b.test
domainlist outer = +steady : c.test
domainlist nested = +changing
"""

ZONE = """
primary.test MX 10 here.test
primary.test MX 20 other.test
secondary.test MX 10 other.test
secondary.test MX 20 here.test
neither.test MX 10 other.test
here.test A 127.0.0.1
other.test A 192.0.2.9
broken.test AGAIN
"""


def test_a_list_is_expanded_each_time() -> None:
    context = make_context(CONFIGURATION)
    compiled = domain.compile("$acl_m_x : other.test")
    for text, expected in (("a.test", True), ("b.test", False), ("*.test", True)):
        context.message.acl_variables["m_x"] = text
        assert (compiled.match("a.test", context) is not None) is expected


def test_forced_failure_means_that_nothing_is_on_the_list() -> None:
    context = make_context(CONFIGURATION)
    assert domain.compile("${if eq{a}{b}{x}fail} : *").match("a.test", context) is None


def test_other_failures_defer_and_are_logged() -> None:
    context = make_context(CONFIGURATION)
    with pytest.raises(Defer, match="unknown variable"):
        domain.compile("$bogus : *").match("a.test", context)
    (line,) = context.services.logs.lines  # type: ignore[attr-defined]
    assert line == 'failed to expand "$bogus : *" while checking a list: unknown variable name "bogus"'


def test_a_list_that_refers_to_itself_defers() -> None:
    with pytest.raises(Defer, match="refers to itself"):
        domain.compile("+loop").match("b.test", make_context(CONFIGURATION))


STEADY = [("steady", True), ("outer", True), ("changing", False), ("kept", False), ("nested", False)]


@pytest.mark.parametrize(("name", "expected"), STEADY)
def test_what_cannot_change_is_known(name: str, expected: bool) -> None:
    context = make_context(CONFIGURATION)
    assert context.config.named_lists["domain"][name].list.is_steady(context) is expected


def test_only_what_cannot_change_is_kept() -> None:
    context = make_context(CONFIGURATION)
    for name, second in (("changing", False), ("nested", False), ("kept", True)):
        context.message.acl_variables["m_x"] = "a.test"
        assert domain.compile(f"+{name}").match("a.test", context) is not None
        context.message.acl_variables["m_x"] = "b.test"
        assert (domain.compile(f"+{name}").match("a.test", context) is not None) is second


MX = [
    ("primary.test", "@mx_any", True),
    ("primary.test", "@mx_primary", True),
    ("primary.test", "@mx_secondary", False),
    ("secondary.test", "@mx_any", True),
    ("secondary.test", "@mx_primary", False),
    ("secondary.test", "@mx_secondary", True),
    ("neither.test", "@mx_any", False),
    ("nowhere.test", "@mx_any", False),
    ("primary.test", "@mx_any/ignore=127.0.0.1", False),
    ("primary.test", "@mx_any/ignore=<;192.0.2.1;10.0.0.0/8", True),
    ("broken.test", "@mx_any", None),
]


@pytest.mark.parametrize(("name", "text", "expected"), MX)
def test_mail_exchangers(name: str, text: str, expected: bool | None) -> None:
    context = make_context(CONFIGURATION, ZONE)
    compiled = domain.compile(f"<? {text}")
    if expected is None:
        with pytest.raises(Defer):
            compiled.match(name, context)
        return
    found = compiled.match(name, context)
    assert (found.data if found else None) == (text if expected else None)


def test_the_postmasters_text_detaints() -> None:
    context = make_context(CONFIGURATION)
    subject = Tainted("a.test")
    for text in ("a.test", "+steady", "x.test : y.test : z.test : a.test : w.test"):
        found = domain.compile(text).match(subject, context)
        assert found is not None
        assert not is_tainted(found.data)
    context.message.acl_variables["m_x"] = Tainted("a.test")
    tainted = domain.compile("$acl_m_x").match(subject, context)
    assert tainted is not None
    assert is_tainted(tainted.data)


def test_a_tainted_file_name_is_refused() -> None:
    context = make_context(CONFIGURATION)
    context.message.acl_variables["m_x"] = Tainted("/etc/passwd")
    with pytest.raises(Defer, match="Tainted filename"):
        domain.compile("$acl_m_x").match("root", context)


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "list"
    context = make_context(CONFIGURATION)
    compiled = domain.compile(str(path))
    with pytest.raises(Defer, match="failed to open"):
        compiled.match("a.test", context)
    path.write_text("a.test\n")
    assert compiled.match("a.test", context) is not None
    path.write_text("# nothing\n")
    assert compiled.match("a.test", context) is None


CASE = [
    ("User", "user", False, True),
    ("User", "user", True, False),
    ("User", "User", True, True),
    ("User", "^us", True, False),
    ("User", "^Us", True, True),
    ("User", "*ER", False, True),
    ("User", "*ER", True, False),
]


@pytest.mark.parametrize(("subject", "text", "caseful", "expected"), CASE)
def test_case_of_local_parts(subject: str, text: str, caseful: bool, expected: bool) -> None:
    found = local_part.compile(text).match(subject, make_context(CONFIGURATION), caseful=caseful)
    assert (found is not None) is expected


STRINGS = [("a : b", ["a", "b"]), ("", []), ("<; a:b ; !c", ["a:b", "!c"]), ("${if eq{a}{a}{x : y}}", ["x", "y"])]


@pytest.mark.parametrize(("text", "items"), STRINGS)
def test_string_lists(text: str, items: list[str]) -> None:
    assert string.compile(text).items(make_context(CONFIGURATION)) == items


ITEMS = st.lists(
    st.sampled_from(
        [
            *(
                "a.b",
                "!a.b",
                "*",
                "!*",
                "*.b",
                "^a",
                "^(",
                "@",
                "@[]",
                "@mx_any",
                "+steady",
                "+none",
                "",
                "! ",
                "/none",
            ),
            *("lsearch;/none", "partial-lsearch;/none", "nonsense;x", "net-lsearch;/none", "net24-dbm;/x", "@@x;y"),
            *("+caseful", "+include_unknown", "+ignore_defer", "10.0.0.0/8", "1.2.3.4/99", "::1", "*@", "@@", "a@@"),
            *("a@b", "\xe9", "/none"),
        ]
    ),
    max_size=6,
)


@given(ITEMS, st.text(st.characters(max_codepoint=255), max_size=12))
def test_any_list_gives_a_verdict_or_defers(items: list[str], subject: str) -> None:
    context = make_context(CONFIGURATION)
    text = "<? " + " ? ".join(items)
    for kind in (domain, local_part, address, host):
        with suppress(Defer):
            kind.compile(text).match(subject, context)


def test_slow_dns_lookups_are_logged() -> None:
    from eximious.lists.dns_options import attach

    context = make_context(CONFIGURATION + "slow_lookup_log = 500\n", ZONE)
    resolver = context.services.dns
    attach(resolver, context.services)
    times = iter([0.0, 0.0, 0.0, 0.6, 10.0, 10.0, 10.0, 10.0, 10.4, 20.0])
    resolver._clock = lambda: next(times)
    resolver.query("other.test", "A")
    resolver.query("here.test", "A")
    (line,) = context.services.logs.lines  # type: ignore[attr-defined]
    assert line == "Long A lookup for 'other.test': 600 msec"
