"""``verify = recipient/quota``: full mailboxes, what is remembered of them, and what outsiders are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from eximious.acl.verify_options import VerifyOptions
from eximious.deliver.local import perform_here
from eximious.transports.job import Ended, Job
from eximious.verify.address import Result, Verified
from eximious.verify.request import verify
from tests.routers.place import Place

USER = f"user = {os.getuid()}\n group = {os.getgid()}"


class Here:
    """Does jobs in this process, whoever they are for."""

    def __init__(self) -> None:
        self.done = 0

    def run(self, job: Job) -> Ended:
        self.done += 1
        return perform_here(job)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for name in ("full", "free"):
        (tmp_path / name).mkdir()
    (tmp_path / "full" / "box").write_bytes(b"x" * 1000)
    users = tmp_path / "users"
    users.write_text("full: full\nfree: free\n")
    aliases = tmp_path / "aliases"
    aliases.write_text("one: full\ntwo: full, free\ngone: :blackhole:\n")
    (tmp_path / "transports").write_text(
        f"begin transports\nt:\n driver = appendfile\n file = {tmp_path}/$local_part_data/box\n quota = 1500\n {USER}\n"
    )
    made = Place(
        tmp_path,
        f"a:\n driver = redirect\n data = ${{lookup{{$local_part}}lsearch{{{aliases}}}}}\n"
        f"r:\n driver = accept\n local_parts = lsearch;{users}\n transport = t\n",
        transports=f".include {tmp_path}/transports",
    )
    made.services.local = Here()
    return made


def ask(place: Place, local_part: str, size: int, options: str = "") -> Verified:
    context = place.context()
    context.message.size = size
    address = f"{local_part}@test.ex"
    return verify(address, VerifyOptions(f"recipient/quota{options}"), context, is_recipient=True)


CASES = [
    ("full", 500, Result.OK, "", ""),
    ("full", 501, Result.FAIL, "quota", "Over quota"),
    ("free", 1500, Result.OK, "", ""),
    ("free", 1501, Result.FAIL, "quota", "Over quota"),
    ("full", -1, Result.OK, "", ""),
    ("one", 501, Result.FAIL, "quota", "Over quota"),
    ("two", 501, Result.OK, "", ""),  # which of the two counts is not known
    ("gone", 5000, Result.OK, "", ""),
    ("none", 1, Result.FAIL, "route", "Unrouteable address"),
]


@pytest.mark.parametrize(("local_part", "size", "result", "failure", "message"), CASES)
def test_room(place: Place, local_part: str, size: int, result: Result, failure: str, message: str) -> None:
    verified = ask(place, local_part, size)
    assert (verified.result, verified.failure, verified.message) == (result, failure, message)
    if failure == "quota":
        assert verified.user_message is None


CACHES = [
    ("", 0, 1),
    ("", 3500, 1),
    ("", 3700, 2),
    ("=cacheneg=1m", 70, 2),
    ("=no_cache", 0, 2),
]


@pytest.mark.parametrize(("options", "later", "looks"), CACHES)
def test_a_full_mailbox_is_remembered(place: Place, options: str, later: float, looks: int) -> None:
    assert ask(place, "full", 900, options).message == "Over quota"
    place.time += later
    again = ask(place, "full", 900, options)
    assert again.result is Result.FAIL
    assert again.failure == "quota"
    assert place.services.local.done == looks


def test_room_is_remembered_for_five_minutes(place: Place, tmp_path: Path) -> None:
    assert ask(place, "free", 900)
    (tmp_path / "free" / "box").write_bytes(b"x" * 1000)
    assert ask(place, "free", 900)
    assert not ask(place, "free", 900, "=cachepos=0s")


def test_a_check_that_fails_is_tried_again(place: Place) -> None:
    class Broken(Here):
        def run(self, _: Job) -> Ended:
            self.done += 1
            return Ended("deferred", "no such thing", 2)

    place.services.local = Broken()
    for _ in range(2):
        verified = ask(place, "free", 1)
        assert (verified.result, verified.failure, verified.message) == (Result.DEFER, "quota", "no such thing")
    assert place.services.local.done == 2
