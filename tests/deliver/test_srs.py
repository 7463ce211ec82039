"""Deliveries with a sender that a redirect router rewrote: what transports show, what is logged, where bounces go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deliver.place import Place

ROUTERS = """
forward:
  driver = redirect
  srs = forward
  srs_condition = ${if eq{$local_part}{plain}{no}{yes}}
  domains = us.example : other.example
  data = $local_part@far.example
  allow_fail
  one_time
refused:
  driver = redirect
  local_parts = refused
  data = :fail: no
  allow_fail
later:
  driver = redirect
  local_parts = later
  data = ${if exists{FOLDER/now}{}{:defer: not now}}
  allow_defer
  pipe_transport = box
far:
  driver = accept
  no_log_as_local
  transport = box
"""
TRANSPORTS = """
box:
  driver = appendfile
  file = FOLDER/box
  return_path_add
  batch_max = 10
"""
MAIN = "srs_secrets = tops3cret\nsrs_hashlength = 4\nlog_selector = +sender_on_delivery +return_path_on_delivery"
NOW = 20_781 * 86_400 + 3600.0
AT_US = "SRS0=rZ7H=JN=example.com=user@us.example"  # as postsrsd makes it
SHOWN = f"F=<user@example.com> SRS=<{AT_US}> P=<{AT_US}>"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    routers, transports = ROUTERS.replace("FOLDER", str(tmp_path)), TRANSPORTS.replace("FOLDER", str(tmp_path))
    made = Place(tmp_path, main=MAIN, routers=routers, transports=transports, retry="* * F,1h,10m")
    made.time = NOW
    yield made
    made.close()


def return_paths(place: Place) -> list[str]:
    return re.findall("^Return-path: <(.*)>$", (place.folder / "box").read_text(), re.MULTILINE)


def test_the_sender_is_rewritten(place: Place) -> None:
    place.send("a@us.example", sender="user@example.com")
    assert return_paths(place) == [AT_US]
    assert place.log[0] == f"=> a@far.example <a@us.example> {SHOWN} R=far T=box"


def test_recipients_with_other_senders_have_their_own_delivery(place: Place) -> None:
    place.send("a@us.example", "b@us.example", "c@other.example", "plain@us.example", sender="user@example.com")
    assert len(return_paths(place)) == 3
    assert return_paths(place).count("user@example.com") == 1
    assert [line[:16] for line in place.log if SHOWN in line] == ["=> a@far.example", "-> b@far.example"]
    assert [line for line in place.log if "plain@" in line] == [
        "=> plain@far.example <plain@us.example> F=<user@example.com> P=<user@example.com> R=far T=box"
    ]


def test_bounces_go_straight_to_the_sender(place: Place) -> None:
    message_id = place.send("refused@us.example", sender="user@example.com")
    assert [bounce.recipients for bounce in place.submitted(message_id)] == [["user@example.com"]]
    assert "SRS=" not in place.log[0]


def test_bounces_have_no_sender_to_rewrite(place: Place) -> None:
    place.send("a@us.example", sender="")
    assert return_paths(place) == [""]
    assert "SRS=" not in place.log[0]


def test_one_time_keeps_the_sender(place: Place) -> None:
    message_id = place.send("later@us.example", sender="user@example.com")
    (place.folder / "now").touch()
    place.time += 86_400  # the router would make another now
    place.deliver(message_id, forced=True)
    assert return_paths(place) == [AT_US]


MODERN = """
box:
  driver = appendfile
  file = FOLDER/box
  return_path_add
  batch_max = 10
  return_path = ${srs_encode{tops3cret}{$return_path}{$original_domain}}
"""


def test_recipients_that_share_a_transaction_have_no_original_domain(tmp_path: Path) -> None:
    # As with Exim; this is why max_rcpt = 1 belongs to srs_encode.
    routers = "r:\n  driver = redirect\n  domains = us.example\n  data = $local_part@far.example\n"
    routers += "all:\n  driver = accept\n  transport = box\n"
    place = Place(tmp_path, routers=routers, transports=MODERN.replace("FOLDER", str(tmp_path)))
    try:
        place.send("a@us.example", sender="user@example.com")
        place.send("a@us.example", "b@us.example", sender="user@example.com")
    finally:
        place.close()
    alone, shared = return_paths(place)
    assert alone.endswith("=example.com=user@us.example")
    assert shared.endswith("=example.com=user@")
