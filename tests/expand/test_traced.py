"""The steps of an expansion."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.address.delivery import Address
from eximious.context import Context
from eximious.expand import traced
from eximious.expand.traced import Step, Steps, expand_with_steps
from eximious.taint import Tainted

from .context import answer, make_context


def steps_of(text: str, context: Context | None = None) -> Step:
    return expand_with_steps(text, context or make_context())[0].root


def flat(step: Step) -> list[tuple[str, str, object]]:
    """Kind, text and result of the step and of those below it."""
    return [(step.kind, step.source, step.error or step.result), *(line for one in step.children for line in flat(one))]


STEPS: list[tuple[str, list[tuple[str, str, object]]]] = [
    ("abc", []),
    ("${lc:ABC}x", [("item", "${lc:ABC}", "abc")]),
    ("$primary_hostname", [("variable", "$primary_hostname", "mail.example.test")]),
    ("${primary_hostname}", [("variable", "${primary_hostname}", "mail.example.test")]),
    (
        "${if eq{a}{${lc:A}}{yes}{${uc:b}}}",
        [
            ("item", "${if eq{a}{${lc:A}}{yes}{${uc:b}}}", "yes"),
            ("condition", "eq{a}{${lc:A}}", True),
            ("item", "${lc:A}", "a"),
        ],
    ),
    (
        "${if and{{! eq{a}{a}}{eq{b}{b}}}{yes}{no}}",
        [
            ("item", "${if and{{! eq{a}{a}}{eq{b}{b}}}{yes}{no}}", "no"),
            ("condition", "and{{! eq{a}{a}}{eq{b}{b}}}", False),
            ("condition", "! eq{a}{a}", False),
        ],
    ),
    (
        "${map{a:b}{$item$item}}",
        [
            ("item", "${map{a:b}{$item$item}}", "aa:bb"),
            *[("variable", "$item", "a")] * 2,
            *[("variable", "$item", "b")] * 2,
        ],
    ),
    ("${run{/bin/echo ${lc:$primary_hostname}}}", [
        ("item", "${run{/bin/echo ${lc:$primary_hostname}}}", "mail.example.test\n"),
        ("item", "${lc:$primary_hostname}", "mail.example.test"),
        ("variable", "$primary_hostname", "mail.example.test"),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), STEPS)
def test_steps(text: str, expected: list[tuple[str, str, object]]) -> None:
    assert flat(steps_of(text))[1:] == expected


def test_lookup(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a: b\n")
    root = steps_of(f"${{lookup{{a}}lsearch{{{tmp_path}/file}}{{<$value>}}}}")
    (item,) = root.children
    assert (root.result, item.result) == ("<b>", "<b>")
    lookup, value = item.children
    assert lookup.facts == {"type": "lsearch", "file": f"{tmp_path}/file", "key": "a"}
    assert (lookup.kind, lookup.result, value.result) == ("lookup", "b", "b")
    assert steps_of(f"${{lookup{{x}}lsearch{{{tmp_path}/file}}}}").children[0].children[0].result is None


def test_captures_are_noted_once() -> None:
    root = steps_of("${if and{{match{ab}{(.)(.)}}{eq{1}{1}}}{$2}}")
    both = root.children[0].children[0]
    assert both.notes == []
    assert both.children[0].notes == ["$0 = 'ab'", "$1 = 'a'", "$2 = 'b'"]


def test_lists_are_noted() -> None:
    context = make_context("domainlist d = a.example : b.example\n")
    condition = steps_of("${if match_domain{b.example}{+d}}", context).children[0].children[0]
    assert 'b.example in domain list "+d"? yes' in condition.notes


FAILURES = [
    ("${if eq{a}{b}{c}fail}", 'forced failure: "if" failed and "fail" requested'),
    ("a${lcc:x}", 'unknown expansion operator "lcc"'),
    ("${readfile{/etc/$local_part}}", "Tainted filename '/etc/passwd'"),
    ("${lookup{a}lsearch{/none}}", "failed to open /none for linear search: No such file or directory"),
]


@pytest.mark.parametrize(("text", "error"), FAILURES)
def test_failure(text: str, error: str) -> None:
    context = make_context()
    context.address = Address(Tainted("passwd@a.example"))
    context.address.local_part = Tainted("passwd")
    root = steps_of(text, context)
    assert root.error == error
    assert root.result is None
    assert context.trace is None


def test_taint() -> None:
    context = make_context()
    context.message.sender = Tainted("a@b")
    root = steps_of("${lc:$sender_address}", context)
    assert [step.is_tainted for step in (root, root.children[0], root.children[0].children[0])] == [True] * 3


def test_the_number_of_steps_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traced, "MOST_STEPS", 3)
    steps, _ = expand_with_steps("${map{a:b:c:d}{$item}}", make_context())
    assert steps.root.result == "a:b:c:d"
    assert steps.is_full
    assert len(flat(steps.root)) == 4


def test_faults_have_hints() -> None:
    _, faults = expand_with_steps("${lcc:x}", make_context())
    assert [(fault.message, fault.hint) for fault in faults] == [
        ('unknown expansion operator "lcc"', "did you mean lc?")
    ]


def test_no_private_attributes() -> None:
    with pytest.raises(AttributeError):
        _ = Steps().__nothing__


@pytest.mark.parametrize("name", ["items", "lists", "operators", "syntax"])
def test_the_result_is_that_of_the_ordinary_evaluator(name: str) -> None:
    """Every expression of the table gives the same with and without somebody looking."""
    folder = Path(__file__).parent / "expressions"
    for line in (folder / f"{name}.txt").read_text(encoding="latin-1").splitlines():
        if "$" not in line or any(word in line for word in ("randint", "tod_", "$pid", "${run")):
            continue
        plain, root = answer(line), steps_of(line)
        error = root.error.removeprefix("forced failure: ").replace(traced.NO_REASON, "")
        looked_at = f"Failed: {error}" if root.error else root.result
        assert looked_at == plain or plain == "Failed: NULL", line
