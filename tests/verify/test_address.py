"""Verifying addresses by routing them; VRFY and EXPN; what -bv shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.verify.address import Request, Result, verified_errors_address, verify_address
from eximious.verify.recipient import expand_for_expn, verify_for_vrfy
from tests.routers.place import Place

ROUTERS = """
aliases:
 driver = redirect
 data = ${lookup{$local_part}lsearch{FOLDER/aliases}}
 allow_fail
 allow_defer
 pipe_transport = p1
 file_transport = t1
never:
 driver = accept
 local_parts = never
 fail_verify
 transport = t1
only_senders:
 driver = accept
 local_parts = snd
 no_verify_recipient
 transport = t1
only_recipients:
 driver = accept
 local_parts = rcp
 no_verify_sender
 transport = t1
null:
 driver = accept
 senders = :
 local_parts = bounces
 transport = t1
copied:
 driver = accept
 local_parts = copied : ok+copied
 unseen
 transport = t1
plus:
 driver = accept
 local_parts = ok+copied
 transport = t1
data:
 driver = accept
 local_parts = ok : one
 address_data = data of $local_part
 transport = t1
"""
ALIASES = """
one: ok
two: ok, nobody
bad: nobody
deep: one
pipe: |/bin/x
file: /x/y
gone: :blackhole:
fail: :fail: moved
later: :defer: come again
loop: loop2
loop2: loop
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "aliases").write_text(ALIASES)
    return Place(tmp_path, ROUTERS.replace("FOLDER", str(tmp_path)), more="begin rewrite\nold@test.ex ok@test.ex T\n")


CASES = [
    ("ok@test.ex", "R", Result.OK, "", "data of ok"),
    ("one@test.ex", "R", Result.OK, "", "data of ok"),
    ("deep@test.ex", "R", Result.OK, "", "data of ok"),
    ("old@test.ex", "R", Result.OK, "", "data of ok"),
    ("old@test.ex", "S", Result.FAIL, "Unrouteable address", None),
    ("two@test.ex", "R", Result.OK, "", None),
    ("bad@test.ex", "R", Result.FAIL, "Unrouteable address", None),
    ("pipe@test.ex", "R", Result.OK, "", None),
    ("file@test.ex", "R", Result.OK, "", None),
    ("gone@test.ex", "R", Result.OK, "", None),
    ("fail@test.ex", "R", Result.FAIL, "moved", None),
    ("later@test.ex", "R", Result.DEFER, "come again", None),
    ("never@test.ex", "R", Result.FAIL, "never router forced verify failure", None),
    ("never@test.ex", "S", Result.FAIL, "never router forced verify failure", None),
    ("snd@test.ex", "R", Result.FAIL, "Unrouteable address", None),
    ("snd@test.ex", "S", Result.OK, "", None),
    ("rcp@test.ex", "R", Result.OK, "", None),
    ("rcp@test.ex", "S", Result.FAIL, "Unrouteable address", None),
    ("copied@test.ex", "R", Result.FAIL, "Unrouteable address", None),  # the copy goes to nobody
    ("ok+copied@test.ex", "R", Result.OK, "", None),
    ("loop@test.ex", "R", Result.FAIL, "Unrouteable address", None),
    ("ok", "R", Result.OK, "", "data of ok"),
]


@pytest.mark.parametrize(("address", "mode", "result", "message", "data"), CASES)
def test_verification(place: Place, address: str, mode: str, result: Result, message: str, data: str | None) -> None:
    verified = verify_address(address, place.context(), Request(is_recipient=mode == "R", qualifies=True))
    assert (verified.result, verified.message, verified.address_data) == (result, message, data)
    assert verified.failure == ("" if result is Result.OK else "route")


def test_an_address_without_a_domain(place: Place) -> None:
    verified = verify_address("ok", place.context(), Request(is_recipient=True))
    assert (verified.result, verified.failure) == (Result.FAIL, "qualify")
    assert verified.message == 'a domain is required for "ok"'


@pytest.mark.parametrize(("success", "result"), [(True, Result.OK), (False, Result.FAIL)])
def test_success_on_redirect(place: Place, success: bool, result: Result) -> None:
    request = Request(is_recipient=True, success_on_redirect=success)
    assert verify_address("bad@test.ex", place.context(), request).result is result


def test_the_sender_that_routers_see(place: Place) -> None:
    context = place.context()
    assert not verify_address("bounces@test.ex", context, Request(is_recipient=True))
    assert verify_address("bounces@test.ex", context, Request(is_recipient=True, has_fake_sender=True))
    assert context.message.sender == "sender@test.ex"


ERRORS_TO = [
    ("ok@test.ex", "ok@test.ex"),
    ("Name <ok@test.ex>", "ok@test.ex"),
    ("bounces", "bounces@test.ex"),
    ("nobody@test.ex", None),
    ("later@test.ex", None),
    ("not an address", None),
]


@pytest.mark.parametrize(("text", "expected"), ERRORS_TO)
def test_errors_to(place: Place, text: str, expected: str | None) -> None:
    assert verified_errors_address(text, place.context()) == expected


SHOWN = [
    ("ok@test.ex", True, "ok@test.ex verified"),
    ("ok", True, "ok@test.ex verified"),
    ("old", True, "Address rewritten as: ok@test.ex\nok@test.ex verified"),
    ("nobody@test.ex", True, "nobody@test.ex failed to verify: Unrouteable address"),
    ("later@test.ex", True, "later@test.ex cannot be resolved at this time: come again"),
    ("rcp@test.ex", False, "rcp@test.ex failed to verify: Unrouteable address"),
]


@pytest.mark.parametrize(("text", "is_recipient", "expected"), SHOWN)
def test_what_bv_shows(place: Place, text: str, is_recipient: bool, expected: str) -> None:
    assert place.verified(text, is_recipient=is_recipient) == expected


VRFY = [
    ("ok@test.ex", (250, "<ok@test.ex> is deliverable")),
    ("nobody@test.ex", (550, "<nobody@test.ex> Unrouteable address")),
    ("later@test.ex", (451, "<later@test.ex> come again")),
    ("fail@test.ex", (550, "<fail@test.ex> moved")),
]


@pytest.mark.parametrize(("text", "expected"), VRFY)
def test_vrfy(place: Place, text: str, expected: tuple[int, str]) -> None:
    assert verify_for_vrfy(text, place.context()) == expected


EXPN = [
    ("two@test.ex", [(250, "<ok@test.ex>"), (250, "<nobody@test.ex>")]),
    ("<two@test.ex>", [(250, "<ok@test.ex>"), (250, "<nobody@test.ex>")]),
    ("two", [(250, "<ok@test.ex>"), (250, "<nobody@test.ex>")]),
    ("pipe@test.ex", [(250, "pipe@test.ex -> |/bin/x")]),
    ("ok@test.ex", [(250, "<ok@test.ex>")]),
    ("gone@test.ex", [(250, "mail to <gone@test.ex> is discarded")]),
    ("nobody@test.ex", [(553, "nobody@test.ex is undeliverable")]),
    ("later@test.ex", [(553, "later@test.ex cannot be resolved at this time")]),
]


@pytest.mark.parametrize(("text", "expected"), EXPN)
def test_expn(place: Place, text: str, expected: list[tuple[int, str]]) -> None:
    assert expand_for_expn(text, place.context()) == expected
