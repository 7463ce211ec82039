"""Rewriting rules applied to addresses: patterns, flags, failures. Expected is what ``exim -brw`` answers."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.errors import ConfigError, ConfigErrors
from eximious.exim.brw import lines
from eximious.rewrite.engine import rewrite_recipient, rewrite_sender, rewrite_smtp
from eximious.rewrite.rules import parse_rule
from tests.routers.place import Place

MAIN = "qualify_recipient = rcpt.ex\n"


def place_with(folder: Path, rules: str) -> Place:
    return Place(folder, "", main=MAIN, more=f"begin rewrite\n{rules}\n")


# The same for all places.
EVERYWHERE = [
    ("*@old.ex new@y.ex", "a@old.ex", "new@y.ex"),
    ("*@old.ex $1@y.ex", "a.b@old.ex", "a.b@y.ex"),
    ("a*@old.ex $1@y.ex", "ab@old.ex", "ab@old.ex"),
    ("*@*.old.ex $1.$2@y.ex", "ab@c.d.old.ex", "ab.c.d@y.ex"),
    ("AB@old.ex c@y.ex", "ab@old.ex", "ab@old.ex"),
    ("*A@old.ex n@y.ex", "bA@old.ex", "n@y.ex"),
    ("*A@old.ex n@y.ex", "ba@old.ex", "ba@old.ex"),
    ("*@old.ex n@y.ex", "a@OLD.ex", "n@y.ex"),
    ("^(.)(.*)@old\\.ex $2$1@y.ex", "abc@old.ex", "bca@y.ex"),
    ("^(?i)A@OLD n@y.ex", "a@old.ex", "n@y.ex"),
    ("^a@old n@y.ex", "A@old.ex", "A@old.ex"),
    ("old.ex new@y.ex", "a@old.ex", "new@y.ex"),
    ("@old.ex new@y.ex", "a@old.ex", "a@old.ex"),
    ("*@old.ex $local_part@x.$domain", "A.b@OLD.ex", "A.b@x.OLD.ex"),
    ("*@old.ex ${lc:$local_part}@y.ex", "A.b@OLD.ex", "a.b@y.ex"),
    ("!*@old.ex new@y.ex", "a@other.ex", "new@y.ex"),
    ("*@old.ex $1@mid.ex\n*@mid.ex $1@new.ex", "a@old.ex", "a@new.ex"),
    ("*@old.ex $1@mid.ex q\n*@mid.ex $1@new.ex", "a@old.ex", "a@mid.ex"),
    ("*@old.ex *\n*@* x@y.z", "a@old.ex", "a@old.ex"),
    ("*@old.ex *\n*@* x@y.z", "a@other.ex", "x@y.z"),
    ("*@old.ex x$1@old.ex R", "a@old.ex", "xxxxxxxxxxxa@old.ex"),
    ("^x(.*)@old.ex $1@old.ex R", "xxxxxxxxxxa@old.ex", "a@old.ex"),
    ("^x(.*)@old.ex $1@old.ex Rq\n* z@z.z", "xxa@old.ex", "a@old.ex"),
    ("^x(.*)@old.ex $1@old.ex R\n* z@z.z", "xxa@old.ex", "z@z.z"),
    ('*@old.ex "${if eq{a}{b}{x}fail}"\n*@old.ex z@z.z', "a@old.ex", "z@z.z"),
    ('*@old.ex "${if eq{a}{b}{x}fail}" q\n*@old.ex z@z.z', "a@old.ex", "a@old.ex"),
    ("*@old.ex unq Q\n*@old.ex z@z.z", "a@old.ex", "unq@rcpt.ex"),
]


@pytest.mark.parametrize(("rules", "address", "expected"), EVERYWHERE)
def test_everywhere(rules: str, address: str, expected: str, tmp_path: Path) -> None:
    shown = lines(address, place_with(tmp_path, rules).context())
    assert {line.partition(": ")[2] for line in shown} == {expected}
    assert len(shown) == 8


NAMES = ["sender", "from", "to", "cc", "bcc", "reply-to", "env-from", "env-to"]
FLAGS = [
    ("", NAMES),
    ("E", ["env-from", "env-to"]),
    ("F", ["env-from"]),
    ("T", ["env-to"]),
    ("h", NAMES[:6]),
    ("s", ["sender"]),
    ("f", ["from"]),
    ("t", ["to"]),
    ("c", ["cc"]),
    ("b", ["bcc"]),
    ("r", ["reply-to"]),
    ("Frs", ["sender", "reply-to", "env-from"]),
    ("q Q R w", NAMES),
    ("Sh", NAMES[:6]),
]


@pytest.mark.parametrize(("flags", "names"), FLAGS)
def test_places(flags: str, names: list[str], tmp_path: Path) -> None:
    shown = lines("a@old.ex", place_with(tmp_path, f"^.*@old\\.ex z@z.z {flags}").context())
    changed = [line.partition(":")[0].strip() for line in shown if line.endswith("z@z.z")]
    assert [name for name in changed if name != "SMTP"] == names
    assert ("SMTP" in changed) is ("S" in flags)


WHOLE = [
    ('"Other <z@z.z>" w', "Some One <a@old.ex> (note)", "Other <z@z.z>"),
    ('"Other <z@z.z>"', "Some One <a@old.ex> (note)", "Some One <z@z.z> (note)"),
    ("z@z.z w", "Some One <a@old.ex> (note)", "z@z.z"),
    ('"Other J. <z@z.z> (c)" w', "a@old.ex", '"Other J." <z@z.z> (c)'),
    ('"B\\351 <z@z.z>" w', "a@old.ex", "=?UTF-8?Q?B=E9?= <z@z.z>"),
]


@pytest.mark.parametrize(("replacement", "item", "expected"), WHOLE)
def test_whole_items(replacement: str, item: str, expected: str, tmp_path: Path) -> None:
    shown = lines(item, place_with(tmp_path, f"*@old.ex {replacement}").context())
    assert {line.partition(": ")[2] for line in shown[:6]} == {expected}
    assert [line.partition(": ")[2] for line in shown[6:]] == ["z@z.z", "z@z.z"]


FAILURES = [
    ("${if", 'Expansion of ${if failed while rewriting: condition name expected, but found ""'),
    ("bad@@x", "Rewrite of a@old.ex yielded unparseable address: domain missing or malformed in address bad@@x"),
    ("unq", 'Rewrite of a@old.ex yielded unqualified address "unq"'),
    ("<>", "Rewrite of a@old.ex yielded unparseable address: missing or malformed local part in address <>"),
    ('""', "Rewrite of a@old.ex yielded unparseable address: empty address in address "),
]


@pytest.mark.parametrize(("replacement", "complaint"), FAILURES)
def test_failures(replacement: str, complaint: str, tmp_path: Path) -> None:
    place = place_with(tmp_path, f"*@old.ex {replacement}\n*@old.ex z@z.z")
    assert rewrite_recipient("a@old.ex", place.context()) == "a@old.ex"
    assert place.logs.lines == [f"main panic: {complaint}"]


def test_repeating_for_ever(tmp_path: Path) -> None:
    place = place_with(tmp_path, "*@old.ex x$1@old.ex R\n*@* y@z.z")
    assert rewrite_recipient("a@old.ex", place.context()) == "y@z.z"
    assert place.logs.lines == ["main panic: rewrite rule repeat ignored after 10 times"]


def test_the_null_sender(tmp_path: Path) -> None:
    context = place_with(tmp_path, "*@old.ex <>\n* z@z.z").context()
    assert rewrite_sender("a@old.ex", context) == ""
    assert rewrite_sender("", context) == ""


SMTP = [
    ("^(.*)!(.*) $2@$1 S", "old.ex!a", "a@old.ex"),
    ("^<x(.*)> $1 S", "<xa@old.ex>", "a@old.ex"),
    ("^x(.*) $1 S\n^y(.*) $1 Sq\n^z $1 S", "xyzxa@old.ex", "zxa@old.ex"),
    ("^x(.*) $1 SR", "xxxxyzxa@old.ex", "yzxa@old.ex"),
    ("^x.* <> S", "xa@old.ex", "<>"),
    ("^x(.*) * S", "xa@old.ex", "xa@old.ex"),
    ("^x(.*) $1 S", "ya@old.ex", "ya@old.ex"),
    ("\\N^x(.*)\\N $1 S", "xa@old.ex", "a@old.ex"),
    ("^x.*$ ${if S", "xa@old.ex", "xa@old.ex"),
    ("^(x a S", "xa@old.ex", "xa@old.ex"),
    ("^x.* y@z S", "", ""),
]


@pytest.mark.parametrize(("rules", "text", "expected"), SMTP)
def test_smtp_time(rules: str, text: str, expected: str, tmp_path: Path) -> None:
    assert rewrite_smtp(text, place_with(tmp_path, rules).context()) == expected


NO_LOCAL_PART = 'Missing or malformed local part (expected word or "<")'
BRW = [
    ("^x(.*) $1 S", "xa@old.ex", ["    SMTP: a@old.ex"]),
    ("^x(.*) $1 S", "ya@old.ex", []),
    (
        "*@old.ex z@z.z",
        "a b@old.ex",
        ["Syntax error in a b@old.ex", NO_LOCAL_PART],
    ),
    ("*@old.ex z@z.z", "<>", ["Syntax error in <>@rcpt.ex", "Missing or malformed local part"]),
]


@pytest.mark.parametrize(("rules", "text", "expected"), BRW)
def test_what_brw_shows(rules: str, text: str, expected: list[str], tmp_path: Path) -> None:
    assert lines(text, place_with(tmp_path, rules).context()) == expected


def test_brw_qualifies_as_for_recipients(tmp_path: Path) -> None:
    shown = lines("a", place_with(tmp_path, "*@test.ex z@z.z").context())
    assert shown[0] == "  sender: a@rcpt.ex"
    assert shown[-1] == "  env-to: a@rcpt.ex"


BAD_RULES = [
    ("*@x", "missing rewrite replacement string"),
    ("*@x y@z k", "unknown rewrite flag character 'k' (could be missing quotes round replacement item)"),
    ("*@x y@z S", "rewrite rule has the S flag but is not a regular expression"),
]


@pytest.mark.parametrize(("rule", "message"), BAD_RULES)
def test_bad_rules(rule: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        place_with(tmp_path, rule)
    assert [fault.message for fault in caught.value.faults] == [message]


@pytest.mark.parametrize("flag", ["E", "F", "T", "S"])
def test_transports_rewrite_headers_only(flag: str) -> None:
    with pytest.raises(ConfigError, match="non-header rewrite"):
        parse_rule(f"^x y@z {flag}", 1, None, is_for_transport=True)


@given(st.text(alphabet='ab@*^ "\\$1{}hqSR<>!\t', max_size=40))
def test_any_text_is_a_rule_or_an_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        parse_rule(text, 1, None)


@pytest.mark.parametrize("is_selected", [True, False])
def test_addresses_of_filters_are_rewritten_quietly(is_selected: bool, tmp_path: Path) -> None:
    place = place_with(tmp_path, "*@old.ex b@new.ex")
    place.logs.selected = frozenset({"address_rewrite"})
    context = place.context()
    context.facts["rewrites_quietly"] = is_selected
    assert rewrite_recipient("a@old.ex", context) == "b@new.ex"
    assert bool(place.logs.lines) is not is_selected


@pytest.mark.parametrize("is_selected", [True, False])
def test_logging(is_selected: bool, tmp_path: Path) -> None:
    place = place_with(tmp_path, "*@no.ex x@y\n*@old.ex b@new.ex")
    place.logs.selected = frozenset({"address_rewrite"} if is_selected else ())
    assert rewrite_recipient("a@old.ex", place.context()) == "b@new.ex"
    line = 'main: "a@old.ex" from env-to rewritten as "b@new.ex" by rule 2'
    assert place.logs.lines == ([line] if is_selected else [])
