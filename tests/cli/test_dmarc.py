"""``eximious dmarc``: what it lists, sends, writes and reads."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import time
from pathlib import Path

import pytest

from eximious.config.load import load
from eximious.deliver.dmarc import gathered
from eximious.mailauth.reports import aggregate
from eximious.mailauth.reports.aggregate import Published, Reason, Report, Row
from eximious.services import Services
from tests.cli.test_commands import Result
from tests.cli.test_commands import folder as folder  # a fixture

pytestmark = pytest.mark.slow  # each command is a process: as root, it gives up root for good

REPORT = Report(
    "far.test", "d@far.test", "1", 1_700_000_000, 1_700_086_399, Published("mail.test", "reject"),
    (Row("192.0.2.1", 3, "mail.test", "none", "pass", "fail", (Reason("local_policy", "a list"),)),),
)  # fmt: skip


@pytest.fixture
def counted(folder: Path) -> Path:
    """A server that has counted two messages two days ago, and one today."""
    path = folder / "exim.conf"
    path.write_text(path.read_text() + "dmarc_mode = rfc9989\ndmarc_report_sender = d@mail.test\nqueue_only\n")
    services = Services(load(str(path)))
    now = time.time()
    for moment, domain in ((now - 2 * gathered.DAY, "old.test"),) * 2 + ((now, "new.test"),):
        policy = f"v=DMARC1; p=reject; rua=mailto:r@{domain}"
        gathered.add(services.hints, moment, domain, policy, "treewalk", Row("192.0.2.1", 1, domain, "reject"))
    services.hints.close()
    if os.getuid() == 0:
        for found in (folder / "db").iterdir():
            shutil.chown(found, folder.owner(), folder.group())
        shutil.chown(folder / "db", folder.owner(), folder.group())
    return folder


def test_list(counted: Path) -> None:
    configuration = str(counted / "exim.conf")
    result = Result("dmarc", "list", "-C", configuration)
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == ["Domain", "old.test", "new.test"]
    found = [json.loads(line) for line in Result("dmarc", "list", "-C", configuration, "--json").output.splitlines()]
    assert [(one["domain"], one["messages"], one["failed"]) for one in found] == [
        ("old.test", 2, 2),
        ("new.test", 1, 1),
    ]


def test_report(counted: Path) -> None:
    configuration = str(counted / "exim.conf")
    dry = Result("dmarc", "report", "-C", configuration, "--now", "--dry-run")
    assert dry.output.count("would go to") == 2
    due = Result("dmarc", "report", "-C", configuration)
    assert "old.test: 2 messages from" in due.output
    assert "sent to r@old.test" in due.output
    assert Result("dmarc", "report", "-C", configuration).output == "No report is due.\n"
    now = Result("dmarc", "report", "-C", configuration, "--now", "--json")
    assert [json.loads(line)["outcome"] for line in now.output.splitlines()] == ["sent"]
    assert Result("dmarc", "report", "-C", configuration, "--now").output == "Nothing has been counted.\n"
    queue = Services(load(configuration)).spool
    assert len(queue.list_ids()) == 2


def test_reports_in_files(counted: Path) -> None:
    configuration, target = str(counted / "exim.conf"), counted / "reports"
    result = Result("dmarc", "report", "-C", configuration, "--now", "--domain", "OLD.test", "--output", str(target))
    assert "written to mail.test!old.test!" in result.output
    (path,) = target.iterdir()
    report = aggregate.read(path.read_bytes())
    assert [(row.source_ip, row.count) for row in report.rows] == [("192.0.2.1", 2)]
    assert "would go to" in Result("dmarc", "report", "-C", configuration, "--now", "--dry-run").output


def test_nothing_has_been_counted(folder: Path) -> None:
    result = Result("dmarc", "list", "-C", str(folder / "exim.conf"))
    assert result.output == "Nothing has been counted; dmarc_aggregate_reports is not set.\n"


@pytest.mark.parametrize("form", ["xml", "gzip", "mail"])
def test_read(form: str, tmp_path: Path) -> None:
    data = REPORT.to_xml()
    if form == "gzip":
        data = gzip.compress(data)
    if form == "mail":
        data = aggregate.to_mail(
            REPORT, receiver="far.test", sender="d@far.test", recipients=["x@y"], message_id="1", now=0
        )
    path = tmp_path / "report"
    path.write_bytes(data)
    shown = Result("dmarc", "read", str(path)).output
    assert "far.test about mail.test" in shown
    assert "local_policy a list" in shown
    assert json.loads(Result("dmarc", "read", str(path), "--json").output)["rows"][0]["count"] == 3


def test_what_is_no_report(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_text("From: x\n\nhello\n")
    result = Result("dmarc", "read", str(path))
    assert (result.exit_code, result.output) == (1, f"{path}: the mail has no report\n")
