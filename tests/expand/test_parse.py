"""What must hold for any string, whatever is in it."""

from __future__ import annotations

import sqlite3
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.errors import Defer, ExpandError, ForcedFail, Place
from eximious.expand.parse import DEEPEST_NESTING
from eximious.expand.template import compile, expand
from eximious.expand.words import split_words
from eximious.taint import Tainted, is_tainted
from tests.expand.context import answer, make_context

PIECES = st.sampled_from(
    [
        *("${", "}", "{", "$", "\\", "\\N", ":", "${if ", "eq", "{a}", "{b}", "match", "and{", "or{", "fail", "${lc:"),
        *("${map{", "${extract{", "${lookup{", "lsearch", "$1", "$h_to:", "$value", "$item", "${sg{", "(", ")", "^"),
        *(
            "${substr_1_2:",
            "${eval:",
            "1",
            "+",
            "/",
            "0",
            "=",
            "<",
            ">",
            "!",
            " ",
            "\n",
            "x",
            "\xe9",
            "forany{",
            "def:",
        ),
        *(
            "${sort{",
            "${hash_",
            "${tr{",
            "${length{",
            "json",
            "${base64d:",
            "${mask:",
            "${rfc2047d:",
            "=?utf-8?q?",
            "?=",
        ),
    ]
)
OCTETS = st.text(st.characters(max_codepoint=255), max_size=60)


@given(st.one_of(OCTETS, st.lists(PIECES, max_size=30).map("".join)))
def test_any_string_expands_or_fails_with_words(text: str) -> None:
    template = compile(text, Place("exim.conf", 3, 5, text))
    assert all(0 <= fault.place.column - 5 <= len(text) for fault in template.faults if fault.place)
    try:
        result = template.expand(make_context())
    except (ExpandError, Defer):
        return
    assert result.__class__ in (str, Tainted)
    assert all(ord(character) < 256 for character in result)


@given(OCTETS.filter(lambda text: "$" not in text and "\\" not in text))
def test_plain_text_stands_for_itself(text: str) -> None:
    assert compile(text).constant == text


@given(OCTETS.filter(lambda text: "\\N" not in text and not text.endswith("\\")))
def test_text_between_marks_is_not_expanded(text: str) -> None:
    assert answer(f"\\N{text}\\N") == text


@given(OCTETS)
def test_base64_round_trips(text: str) -> None:
    context = make_context()
    context.message.acl_variables["m_x"] = text
    assert answer("${base64d:${base64:$acl_m_x}}", context) == text


@given(OCTETS)
def test_a_quoted_item_comes_back_from_a_list(text: str) -> None:
    context = make_context()
    context.message.acl_variables["m_x"] = text.strip(string.whitespace) or "x"
    wanted = context.message.acl_variables["m_x"]
    found = answer("${listextract{2}{first : ${listquote{:}{$acl_m_x}} : last}}", context)
    assert found == wanted


@given(OCTETS)
def test_rxquote_matches_itself(text: str) -> None:
    context = make_context()
    context.message.acl_variables["m_x"] = text.replace("\0", "")
    assert answer("${if match{$acl_m_x}{^${rxquote:$acl_m_x}\\$}{yes}{no}}", context) in ("yes", "no")
    if "\n" not in text:
        assert answer("${if match{$acl_m_x}{^${rxquote:$acl_m_x}\\$}{yes}{no}}", context) == "yes"


@given(OCTETS)
def test_encodings_come_back(text: str) -> None:
    context = make_context("primary_hostname = a.test\ncheck_rfc2047_length = false\n")
    context.message.acl_variables["m_x"] = text
    assert answer("${base64d:${str2b64:$acl_m_x}}", context) == text
    assert answer(f"${{base64d:${{hex2b64:{text.encode('latin-1').hex()}}}}}") == text
    if "\0" not in text:
        assert answer("${rfc2047d:${rfc2047:$acl_m_x}}", context) == text


@given(st.integers(0, 2**63 - 1))
def test_numbers_come_back(number: int) -> None:
    small = number % 62**6  # base62 gives six digits
    assert answer(f"${{base62d:${{base62:{small}}}}} ${{base32d:${{base32:{number}}}}}") == f"{small} {number}"


@given(OCTETS.filter(lambda text: text and not set(text) & set("\0\r\n")))
def test_a_quoted_local_part_is_one(text: str) -> None:
    context = make_context()
    context.message.acl_variables["m_x"] = text
    quoted = answer("${quote_local_part:$acl_m_x}", context)
    context.message.acl_variables["m_q"] = quoted
    assert answer("${local_part:$acl_m_q@a.test} ${domain:$acl_m_q@a.test}", context) == f"{quoted} a.test"


@given(OCTETS)
def test_quoted_words_come_back(text: str) -> None:
    context = make_context()
    context.message.acl_variables["m_x"] = text
    assert split_words(answer("${quote:$acl_m_x}", context) or '""') == [text]


@given(OCTETS)
def test_quoted_text_is_one_string_of_sql(text: str) -> None:
    context = make_context()
    context.message.acl_variables["m_x"] = text.replace("\0", "")
    quoted = answer("${quote_sqlite:$acl_m_x}", context)
    connection = sqlite3.connect(":memory:")
    (found,) = connection.execute(f"SELECT '{quoted}'").fetchone()
    connection.close()
    assert found == context.message.acl_variables["m_x"]


@given(OCTETS)
def test_hexquote_can_be_expanded_back(text: str) -> None:
    context = make_context()
    context.message.acl_variables["m_x"] = text.replace("\\", "").replace("$", "")
    quoted = answer("${hexquote:$acl_m_x}", context)
    assert expand(str(quoted), context) == context.message.acl_variables["m_x"]


def test_nesting_has_a_limit() -> None:
    deep = "${lc:" * (DEEPEST_NESTING + 2) + "x" + "}" * (DEEPEST_NESTING + 2)
    assert answer(deep) == "Failed: the string is nested too deeply"
    fine = "${if eq{a}{a}{" * (DEEPEST_NESTING - 1) + "x" + "}}" * (DEEPEST_NESTING - 1)
    assert answer(fine) == "x"


DEEP = [
    "${if " + "and{{" * 500 + "eq{a}{a}" + "}}" * 500 + "{y}{n}}",
    "${if " + "forany{a}{" * 500 + "eq{a}{a}" + "}" * 500 + "{y}{n}}",
    "${if and{{or{{eq{a}{" * 150 + "a" + "}}}}}{y}{n}}" * 150,
    "${map{${filter{a}{eq{a}{" * 150 + "a" + "}}}}{y}}" * 150,
    "${extract{$item}{b}{" * 150 + "x" + "}}" * 150,
]


@pytest.mark.parametrize("text", DEEP, ids=range(len(DEEP)))
def test_no_nesting_exhausts_the_interpreter(text: str) -> None:
    assert answer(text).startswith("Failed: the string is nested too deeply")
    assert compile(text).faults[0].message.startswith("the string is nested too deeply")


def test_expansions_of_expansions_do_not_exhaust_the_interpreter() -> None:
    context = make_context()
    context.message.acl_variables["m_x"] = "${if eq{${lc:" * 40 + "${expand:$acl_m_x}" + "}}{}{y}{n}}" * 40
    assert "nested too deeply" in answer("$acl_m_x${expand:$acl_m_x}", context)


def test_what_can_be_read_in_two_ways_is_read_once() -> None:
    context = make_context()
    context.message.acl_variables["m_k"] = "2"
    nested = "${extract{$acl_m_k}{:}{a:" * 60 + "x" + "}}" * 60
    assert answer(nested, context) == "x"
    with_fault = "${extract{$acl_m_k}{:}{a:" * 60 + "$bogus" + "}}" * 60
    assert answer(with_fault, context) == 'Failed: unknown variable name "bogus"'


def test_what_reduce_makes_in_turn_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eximious.expand.items.loop.MOST_WRITTEN", 1000)
    assert answer("${reduce{a:b:c}{}{$value$item}}") == "abc"
    items = ":".join("x" * 50)
    expected = 'Failed: the values of the expansion are too long inside "reduce" item'
    assert answer(f"${{reduce{{{items}}}{{}}{{$value$item}}}}") == expected


SHARED = [  # strings of variables are read once, however often they occur
    ("${if eq{a}{a}{$acl_m_x $acl_m_x}}${if eq{a}{a}{$acl_m_x $acl_m_x}}", "X XX X"),
    ("${if eq{a}{a}{$h_x}: }}${if eq{a}{a}{$h_x}}", "Failed: missing } at end of string"),
    ("${if eq{a}{a}{$1}}${if match{b}{(b)}{$1}}${if eq{a}{a}{$1}}", "b"),
]


@pytest.mark.parametrize(("text", "expected"), SHARED)
def test_repeated_strings(text: str, expected: str) -> None:
    context = make_context()
    context.message.acl_variables["m_x"] = "X"
    assert answer(text, context).startswith(expected)


def test_results_have_a_limit() -> None:
    context = make_context()
    context.message.acl_variables["m_x"] = "x" * 1_000_000
    ten = "$acl_m_x" * 10
    assert (
        answer("${map{a:b:c:d:e:f:g:h}{" + ten + "}}", context)
        == 'Failed: the expanded string is too long inside "map" item'
    )


FAULTS = [
    ("a $bogus", 3, ""),
    ("a ${lcc:x}", 3, "did you mean lc?"),
    ("${if equ{a}{b}}", 6, "did you mean eq?"),
    ("$sender_hlo_name", 1, "did you mean sender_helo_name?"),
    ("${lookup{x}lsaerch{/x}}", 12, "did you mean lsearch?"),
    ("${extrcat{a}{b}}", 1, "did you mean extract?"),
]


@pytest.mark.parametrize(("text", "column", "hint"), FAULTS)
def test_faults_have_places_and_suggestions(text: str, column: int, hint: str) -> None:
    (fault,) = compile(text, Place("exim.conf", 7, 1, text)).faults
    assert fault.place is not None
    assert (fault.place.line, fault.place.column, fault.hint) == (7, column, hint)


def test_what_stands_before_a_fault_is_evaluated_first() -> None:
    assert answer("${if eq{a}{b}{x}fail}$bogus") == 'Failed: "if" failed and "fail" requested'


TAINT = [
    ("$acl_m_t", True),
    ("x$acl_m_t", True),
    ("x", False),
    ("${lc:$acl_m_t}", True),
    ("${strlen:$acl_m_t}", False),
    ("${md5:$acl_m_t}", False),
    ("${map{$acl_m_t}{$item}}", True),
    ("${map{$acl_m_t}{x}}", False),
    ("${extract{1}{:}{$acl_m_t}}", True),
    ("${if match{$acl_m_t}{(.)}{$1}}", True),
    ("${if eq{$acl_m_t}{evil}{yes}}", False),
    ("${sg{abc}{b}{$acl_m_t}}", True),
    ("${sg{abc}{b}{x}}", False),
    ("${if inlist{$acl_m_t}{good:evil}{$value}}", False),
    ("${if match_local_part{$acl_m_t}{good:evil}{$value}}", False),
    ("${listextract{1}{$acl_m_t:b}}", True),
    ("${reduce{a:b}{$acl_m_t}{$value$item}}", True),
    ("${tr{abc}{b}{$acl_m_t}}", True),
]


@pytest.mark.parametrize(("text", "expected"), TAINT)
def test_taint_goes_where_the_text_goes(text: str, expected: bool) -> None:
    context = make_context()
    context.message.acl_variables["m_t"] = Tainted("evil")
    assert is_tainted(compile(text).expand(context)) is expected


REFUSED = [
    ("${readfile{/etc/$acl_m_t}}", "Tainted filename '/etc/evil'"),
    ("${run{/bin/$acl_m_t}}", "Attempt to exec tainted path: '/bin/evil'"),
    ("${lookup{x}lsearch{/etc/$acl_m_t}}", "Tainted filename for search: '/etc/evil'"),
    ("${run,preexpand{/bin/echo $acl_m_t}}", "Tainted '/bin/echo evil' (command for ${run} expansion) not permitted"),
]


@pytest.mark.parametrize(("text", "line"), REFUSED)
def test_tainted_names_are_refused_and_logged(text: str, line: str) -> None:
    context = make_context()
    context.message.acl_variables["m_t"] = Tainted("evil")
    assert answer(text, context) == "Failed: NULL"
    assert context.services.logs.lines == [line]  # type: ignore[attr-defined]


def test_tainted_text_is_never_expanded() -> None:
    context = make_context()
    context.message.acl_variables["m_t"] = Tainted("${run{/bin/id}}")
    assert "attempt to expand tainted string" in answer("${expand:$acl_m_t}", context)
    with pytest.raises(ExpandError, match="attempt to expand tainted string"):
        expand(Tainted("$tod_epoch"), context)
    assert answer("$acl_m_t", context) == "${run{/bin/id}}"
    assert "integer expected" in answer("${if >{$acl_m_t}{1}{y}{n}}", context)


def test_forced_failure_is_a_kind_of_its_own() -> None:
    with pytest.raises(ForcedFail):
        compile("${if eq{a}{b}{x}fail}").expand(make_context())
