"""The eximious command: what it lists, shows and changes, for people and as JSON."""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from eximious.config.load import load
from eximious.services import Services
from eximious.spool.body import Body
from eximious.spool.message import Header, Message, Recipient
from eximious.spool.message_id import new_id

pytestmark = pytest.mark.slow  # each command is a process: as root, it gives up root for good

EXIMIOUS = shutil.which("eximious", path=os.path.dirname(sys.executable)) or "eximious"


class Result:
    """How a command ended, and everything that it said."""

    def __init__(self, *words: str) -> None:
        done = subprocess.run(
            [EXIMIOUS, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60
        )
        self.exit_code = done.returncode
        self.output = done.stdout


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="eximious-test-"))
    account = pwd.getpwuid(os.getuid() or pwd.getpwnam("mail").pw_uid)
    group = grp.getgrgid(account.pw_gid).gr_name
    if os.getuid() == 0:
        shutil.chown(path, account.pw_name, group)
    (path / "exim.conf").write_text(
        f"exim_user = {account.pw_name}\nexim_group = {group}\nprimary_hostname = mail.test\n"
        f"spool_directory = {path}\nkeep_environment =\n"
    )
    yield path
    shutil.rmtree(path)


def store(folder: Path, sender: str = "alice@mail.test", recipient: str = "bob@far.test") -> str:
    """Put a message into the queue; its id."""
    services = Services(load(str(folder / "exim.conf")))
    message = Message()
    message.id = new_id()
    message.sender = sender
    message.received_at = services.now()
    message.recipients = [Recipient(recipient)]
    message.headers = [Header("Subject: test\n")]
    services.spool.accept(message, Body.of(b"body\n"))
    return message.id


def run(folder: Path, *words: str) -> Result:
    return Result("queue", "-C", str(folder / "exim.conf"), *words)


def test_an_empty_queue(folder: Path) -> None:
    assert run(folder).output == "The queue is empty.\n"


def test_the_list_names_messages_and_recipients(folder: Path) -> None:
    message_id = store(folder)
    output = run(folder, "list").output
    assert message_id in output
    assert "bob@far.test" in output
    assert "1 message" in output


def test_json_has_an_object_a_message(folder: Path) -> None:
    message_id = store(folder)
    facts = json.loads(run(folder, "list", "--json").output)
    assert (facts["id"], facts["sender"], facts["frozen"]) == (message_id, "alice@mail.test", False)
    assert facts["recipients"] == [{"address": "bob@far.test", "delivered": False}]


def test_selections(folder: Path) -> None:
    ids = [store(folder), store(folder, sender="carol@mail.test", recipient="dave@far.test")]
    for words, expected in (
        (["--from", "carol"], ids[1:]),
        (["--to", "BOB"], ids[:1]),
        (["--frozen"], []),
    ):
        output = run(folder, "list", "--json", *words).output
        assert [json.loads(line)["id"] for line in output.splitlines()] == expected


def test_freezing_thawing_removing(folder: Path) -> None:
    message_id = store(folder)
    assert run(folder, "freeze", message_id).exit_code == 0
    assert json.loads(run(folder, "list", "--json").output)["frozen"] is True
    assert run(folder, "freeze", message_id).exit_code == 1
    assert run(folder, "thaw", message_id).exit_code == 0
    assert run(folder, "remove", message_id).exit_code == 0
    assert run(folder).output == "The queue is empty.\n"


def test_one_message(folder: Path) -> None:
    message_id = store(folder)
    assert "Subject: test" in run(folder, "show", message_id).output
    facts = json.loads(run(folder, "show", "--json", message_id).output)
    assert facts["headers"] == ["Subject: test\n"]
    assert run(folder, "show", "1rYxXx-000000001xy-0abc").exit_code == 1


def test_the_log(folder: Path) -> None:
    (folder / "log").mkdir()
    (folder / "log" / "mainlog").write_text("2026-11-24 23:18:08 one\n2026-11-24 23:18:09 two\n")
    config = str(folder / "exim.conf")
    assert Result("log", "-C", config, "-n", "1").output == "2026-11-24 23:18:09 two\n"
    assert Result("log", "-C", config, "-g", "ONE").output == "2026-11-24 23:18:08 one\n"
    assert Result("log", "-C", config, "-g", "(").exit_code == 2
    assert Result("log", "-C", config, "--which", "panic").exit_code == 1


def test_a_faulty_configuration_is_explained(folder: Path) -> None:
    (folder / "exim.conf").write_text("nonsense = 1\n")
    result = run(folder)
    assert result.exit_code == 1
    assert 'main option "nonsense" unknown' in result.output


def test_nobody_serves(folder: Path) -> None:
    assert "no server answers" in Result("status", "-C", str(folder / "exim.conf")).output
