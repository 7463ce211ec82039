"""The daemon sends reports about DMARC by itself: what was counted comes out in a mailbox."""

from __future__ import annotations

import os
import shutil
import time

import pytest

from eximious.config.load import load
from eximious.deliver.dmarc import gathered
from eximious.mailauth.reports.aggregate import Row, from_mail
from eximious.services import Services
from tests.end_to_end.configurations import MAILDIR
from tests.end_to_end.server import Server

pytestmark = pytest.mark.slow

OPTIONS = """\
dmarc_mode = rfc9989
dmarc_aggregate_reports
dmarc_report_sender = reports <bob@mail.test>
dns_retrans = 1s
dns_retry = 1
"""


def test_the_report_of_a_day_is_sent_once() -> None:
    server = Server(OPTIONS + MAILDIR.replace("{away}", "1"))
    try:
        (server.folder / "users").write_text("alice: alice\nbob: bob\n")
        count_message(server)
        server.start()
        server.wait_for_log("Completed")
        server.stop()
        server.start()
        server.wait_for_log("daemon started", 2)
        server.stop()
        (mail,) = server.mail("alice")
        report = from_mail(mail.encode())
        assert (report.published.domain, [row.count for row in report.rows]) == ("mail.test", [1])
        assert "DMARC: aggregate report about mail.test" in server.log()
    finally:
        server.close()


def count_message(server: Server) -> None:
    """A message of two days ago is in the hints."""
    hints = Services(load(str(server.config))).hints
    policy = "v=DMARC1; p=none; rua=mailto:alice@mail.test"
    moment = time.time() - 2 * gathered.DAY
    gathered.add(hints, moment, "mail.test", policy, "treewalk", Row("192.0.2.1", 1, "mail.test"))
    hints.close()
    if os.getuid() == 0:
        folder = server.spool / "db"
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, server.user, server.group)
