"""A queue written by one of Exim and Eximious is emptied by the other."""

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


@pytest.fixture(scope="module", params=[("exim", "false"), ("eximious", "false"), ("eximious", "true")], ids=str)
def exchanged(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What was seen when the one wrote and the other delivered."""
    root = subprocess.run([REFERENCE, "exim"], capture_output=True, text=True, check=True).stdout.strip()
    exim = shutil.which("exim", path=os.path.dirname(sys.executable))
    assert exim is not None
    space = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    script = [sys.executable, str(HERE / "spool_exchange_machine.py"), root, exim, *request.param]
    done = subprocess.run([*space, *script], capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_both_see_the_same_queue(exchanged: dict[str, Any]) -> None:
    assert exchanged["waiting"] == ["7", "7"]


def test_the_other_empties_it(exchanged: dict[str, Any]) -> None:
    assert (exchanged["left"], exchanged["files"]) == ("0", []), exchanged["log"]


def test_every_recipient_has_the_message(exchanged: dict[str, Any]) -> None:
    assert sorted(exchanged["boxes"]) == ["dots", "empty", "folded", "large", "octets", "one", "plain", "three", "two"]


@pytest.mark.parametrize(
    ("box", "text"),
    [
        ("plain", "\n\nA line.\n"),
        ("three", "Subject: three recipients\n"),
        ("folded", "Subject: a header\n that is folded\n\tand again\nX-Long: xxxx"),
        ("octets", "Eight bits: \xe4\xf6\xfc\xff.\n"),
        ("dots", "\n\n.\n..\n>From here on\n"),
        ("plain", "Return-path: <sender@exchange.test>\nEnvelope-to: plain@exchange.test\n"),
    ],
)
def test_the_message_is_unchanged(exchanged: dict[str, Any], box: str, text: str) -> None:
    assert text in exchanged["boxes"][box]


def test_a_large_message_is_whole(exchanged: dict[str, Any]) -> None:
    assert exchanged["boxes"]["large"].count("seventy octets a line") == 10000
