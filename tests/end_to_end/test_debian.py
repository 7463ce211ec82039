"""Debian's stock configuration, and the example that comes with Exim, run unchanged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
REFERENCE = HERE.parents[1] / "scripts" / "reference"

pytestmark = [pytest.mark.slow, pytest.mark.needs_root, pytest.mark.skipif(os.getuid() != 0, reason="needs root")]


@pytest.fixture(scope="module", params=["template", "split", "example"])
def seen(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What was seen on a machine with the configuration (see debian_machine.py)."""
    root = subprocess.run([REFERENCE, "exim"], capture_output=True, text=True, check=True).stdout.strip()
    exim = shutil.which("exim", path=os.path.dirname(sys.executable))
    assert exim is not None
    space = ["unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
    script = [sys.executable, str(HERE / "debian_machine.py"), root, exim, request.param]
    done = subprocess.run([*space, *script], capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_local_message_is_in_the_mailbox_of_its_user(seen: dict[str, Any]) -> None:
    assert seen["local"] == "accepted"
    assert "\nSubject: for alice@home.test\n" in seen["mailbox"], seen["log"] + seen["panic"]
    assert seen["mailbox"].count("\nHello.\n") >= 3
    assert seen["mailbox_owner"] == 7001


def test_an_alias_leads_to_its_user(seen: dict[str, Any]) -> None:
    assert seen["alias"] == "accepted"
    assert "Subject: for postmaster@home.test" in seen["mailbox"], seen["log"]


def test_a_message_by_command_is_delivered(seen: dict[str, Any]) -> None:
    assert "Subject: by command" in seen["mailbox"], seen["log"]


def test_a_message_for_nobody_here_comes_back(seen: dict[str, Any]) -> None:
    assert seen["unknown"] == "accepted"  # relay_from_hosts has this machine, whose messages are not verified
    assert "** stranger@home.test" in seen["log"]
    assert seen["received"].count("bob@elsewhere.test") == 2, seen["log"]


def test_a_message_for_elsewhere_is_relayed(seen: dict[str, Any]) -> None:
    assert seen["far"] == "accepted"
    assert "bob@elsewhere.test" in seen["received"], seen["log"]


def test_what_cannot_be_delivered_comes_back(seen: dict[str, Any]) -> None:
    assert seen["bouncing"] == "accepted"
    assert "\nContent-Type: multipart/report; report-type=delivery-status;" in seen["mailbox"], seen["log"]
    assert "nobody of that name" in seen["mailbox"]


def test_nothing_is_left_and_nothing_went_wrong(seen: dict[str, Any]) -> None:
    assert (seen["queue"], seen["panic"], seen["status"]) == ("0", "", 0), seen["log"]
