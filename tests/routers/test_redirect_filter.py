"""Filters in redirect routers: what they want done becomes children of the address."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from eximious.address.delivery import Address
from eximious.context import Context
from eximious.filters.exim import obey_filter
from eximious.filters.parse import Rules
from eximious.filters.request import decode_outcome, encode
from eximious.routers.engine import route
from eximious.routers.outcome import Outcome, Routed
from eximious.spool.body import Body
from eximious.spool.message import Header
from eximious.taint import Tainted, is_tainted
from eximious.transports.job import Job, own_identity
from eximious.transports.jobs import user_filter

from .place import Place

REST = "rest:\n driver = accept\n transport = t2\n"


def prepared(folder: Path, text: str, options: str = "") -> Context:
    """A router that runs the filter for the user who runs the tests, and a message."""
    path = folder / "filter"
    path.write_text(f"# Exim filter\n{text}\n")
    path.chmod(0o644)
    router = f"""r:
 driver = redirect
 file = {path}
 allow_filter
 user = {os.getuid()}
 group = {os.getgid()}
 router_home_directory = /home/x
 pipe_transport = p1
 file_transport = t1
 directory_transport = t1
 reply_transport = t2
 {options}
"""
    context = Place(folder, router + REST).context()
    message = context.message
    message.headers = [Header("From: a@b.ex\n", "F"), Header("Subject: hello there\n", " ")]
    message.body = Body.of(b"some text\n")
    message.body_size = 10
    return context


def run(context: Context) -> Routed:
    return route(Address(Tainted("u@test.ex")), context)


def shown(child: Address) -> str:
    flags = ",".join(sorted(child.flags - {"unseen"}))
    transport = child.transport.name if child.transport is not None else ""
    return f"{child.address}|{flags}|{transport}|{child.errno or ''}{child.message}"


ACTIONS: list[tuple[str, str, list[str]]] = [
    ("deliver a@b.ex", "", ["a@b.ex|||"]),
    ("deliver a", "", ["a@test.ex|||"]),
    ("deliver a", "qualify_domain = q.ex", ["a@q.ex|||"]),
    ("deliver a@b.ex deliver c@d.ex", "", ["a@b.ex|||", "c@d.ex|||"]),
    ("unseen deliver a@b.ex", "", ["u@test.ex|||", "a@b.ex|||"]),
    ("noerror deliver a@b.ex", "", ["a@b.ex|ignore_error||"]),
    ("save mail/box", "", ["/home/x/mail/box|file|t1|"]),
    ("save mail/box/", "", ["/home/x/mail/box/|file|t1|"]),
    ("save mail/box", "no_filter_prepend_home", ["mail/box|file|t1|"]),
    ("save /var/x", "", ["/var/x|file|t1|"]),
    ("save /var/x", "forbid_file", ["/var/x|file|t1|-12delivery to file forbidden"]),
    ('pipe "/bin/x $1"', "", ["|/bin/x $1|pipe|p1|"]),
    ("pipe /bin/x", "forbid_pipe", ["|/bin/x|pipe|p1|-11delivery to pipe forbidden"]),
    ("mail to a@b.ex text x", "", ["u@test.ex|||", ">a@b.ex|autoreply|t2|"]),
    ("seen mail to a@b.ex text x", "", [">a@b.ex|autoreply|t2|"]),
    ("seen mail text x", "", [">a@b.ex|autoreply|t2|"]),
    ("seen mail to a@b.ex", "forbid_filter_reply", [">a@b.ex|autoreply|t2|-13autoreply forbidden"]),
    (
        "seen mail to bad@@",
        "",
        [">**bad-reply**|autoreply,ignore_error||-10filter autoreply generated syntactically invalid recipient"],
    ),
    ("seen finish", "", []),
    ("deliver a errors_to u@test.ex", "", ["a@test.ex|||"]),
]


@pytest.mark.parametrize(("text", "options", "expected"), ACTIONS)
def test_actions(text: str, options: str, expected: list[str], tmp_path: Path) -> None:
    routed = run(prepared(tmp_path, text, options))
    assert routed.outcome is Outcome.ROUTED
    assert [shown(child) for child in routed.generated] == expected


VERDICTS = [  # what else the filter wants is done when it fails or freezes, and waits when it defers
    ('unseen deliver a@b.ex fail "x"', "allow_fail", Outcome.FAILED, ["a@b.ex|||"]),
    ('unseen deliver a@b.ex freeze "x"', "allow_freeze", Outcome.DEFERRED, ["a@b.ex|||"]),
    ('unseen deliver a@b.ex defer "x"', "allow_defer", Outcome.DEFERRED, []),
]


@pytest.mark.parametrize(("text", "options", "outcome", "expected"), VERDICTS)
def test_verdicts(text: str, options: str, outcome: Outcome, expected: list[str], tmp_path: Path) -> None:
    routed = run(prepared(tmp_path, text, options))
    assert routed.outcome is outcome
    assert [shown(child) for child in routed.generated] == expected


def test_logs_are_not_written_while_an_address_is_tested(tmp_path: Path) -> None:
    context = prepared(tmp_path, "logwrite x deliver a@b.ex")
    assert route(Address("u@test.ex"), context, "T").outcome is Outcome.ROUTED
    if os.getuid():  # root does not write them at all
        assert route(Address("u@test.ex"), context).outcome is Outcome.DEFERRED  # there is no logfile


def test_nothing_done_means_the_next_router(tmp_path: Path) -> None:
    routed = run(prepared(tmp_path, "if 1 is 2 then deliver a endif"))
    assert [delivery.router.name for delivery in routed.deliveries] == ["rest"]


def test_details_of_children(tmp_path: Path) -> None:
    text = 'if $h_subject: matches "^(h.)" then pipe "/x $1" endif save /y 640 deliver a errors_to u@test.ex'
    pipe, save, deliver = run(prepared(tmp_path, text)).generated
    assert pipe.expand_again
    assert pipe.numeric[:2] == ["he", "he"]
    assert save.mode == 0o640
    assert deliver.errors_to == "u@test.ex"


ENDINGS = [
    ("fail text gone", "allow_fail", Outcome.FAILED, "gone", ""),
    (
        "fail",
        "",
        Outcome.DEFERRED,
        'error in filter file: filtering command "fail" is disabled: near line 3 of filter file',
        "",
    ),
    ("defer text wait", "allow_defer", Outcome.DEFERRED, "wait", ""),
    ("freeze text look", "allow_freeze", Outcome.DEFERRED, "look", "freeze"),
    (
        "foo",
        "",
        Outcome.DEFERRED,
        'error in filter file: unknown filtering command "foo" near line 3 of filter file',
        "",
    ),
    ("deliver a", "forbid_exim_filter", Outcome.DEFERRED, "error in filter file: Exim filtering not enabled", ""),
]


@pytest.mark.parametrize(("text", "options", "outcome", "message", "action"), ENDINGS)
def test_endings(text: str, options: str, outcome: Outcome, message: str, action: str, tmp_path: Path) -> None:
    routed = run(prepared(tmp_path, text, options))
    assert (routed.outcome, routed.address.message) == (outcome, message)
    assert routed.address.special_action == action


def test_faults_may_be_skipped(tmp_path: Path) -> None:
    context = prepared(tmp_path, "foo", "skip_syntax_errors")
    assert run(context).deliveries[0].router.name == "rest"
    assert context.services.logs.lines == [  # type: ignore[attr-defined]
        'main: r router: skipped error: unknown filtering command "foo" near line 3 of filter file'
    ]


FORBIDDEN = [
    ("lookup", 'testprint "${lookup{x}lsearch{/etc/passwd}}"'),
    ("readfile", 'testprint "${readfile{/etc/passwd}}"'),
    ("run", 'testprint "${run{/bin/true}}"'),
    ("existstest", 'testprint "${if exists{/etc/passwd}{y}}"'),
    ("readsocket", 'testprint "${readsocket{/x}{y}}"'),
]


@pytest.mark.parametrize(("name", "text"), FORBIDDEN)
def test_what_filters_may_not_expand(name: str, text: str, tmp_path: Path) -> None:
    context = prepared(tmp_path, text, f"forbid_filter_{name}")
    routed = run(context)
    assert routed.outcome is Outcome.DEFERRED
    assert "not permitted" in routed.address.message
    assert not [fact for fact in context.facts if fact.startswith("forbid_")]


# --- run elsewhere ----------------------------------------------------------------------------------------------------

TEXTS = [
    "deliver a@b.ex errors_to u@test.ex",
    'if $h_subject: matches "^(h.)" then pipe "/x $1" endif',
    "save box 600 noerror unseen deliver x",
    'mail to a@b.ex cc c from d reply_to e subject "$h_subject:" text "b\\n" file /x log /y once /z once_repeat 2d '
    "return message",
    "vacation",
    "seen finish",
    'fail text "no $message_body"',
    "add 3 to n1 if $n1 is 3 then deliver y endif",
    'if $sender_address is "sender@test.ex" and $local_part is u and $h_from: contains b.ex then deliver z endif',
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_user_s_process_comes_to_the_same(text: str, tmp_path: Path) -> None:
    context = prepared(tmp_path, "")
    context.address = Address(Tainted("u@test.ex"))
    rules = Rules(frozenset({"fail"}))
    text = f"# Exim filter\n{text}\n"
    here = obey_filter(text, context, rules, qualify_domain="q.ex")
    record = json.loads(json.dumps(encode(text, context, rules, "q.ex")))
    there = decode_outcome(user_filter.perform(Job("user_filter", own_identity(), record)).values)
    assert described(there) == described(here)


def described(outcome: object) -> object:
    """The outcome with all its parts, told apart by whether they are tainted."""
    if isinstance(outcome, list):
        return [described(part) for part in outcome]
    names = [name for cls in type(outcome).__mro__ for name in getattr(cls, "__slots__", ())]
    if not names or isinstance(outcome, str):
        return (outcome, is_tainted(outcome)) if isinstance(outcome, str) else outcome
    return type(outcome).__name__, {name: described(getattr(outcome, name)) for name in names}
