"""A host that forwards: the far host sees a sender of ours, and its bounce comes back to the real one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.end_to_end.server import Server

pytestmark = pytest.mark.slow

OLDER = """
srs_secrets = tops3cret
begin routers
back:
  driver = redirect
  senders = :
  srs = reverse
  domains = mail.test
  data = $srs_recipient
forward:
  driver = redirect
  srs = forward
  local_parts = forwarded
  domains = mail.test
  data = gone@far.test
"""
NEWER = """
begin routers
back:
  driver = redirect
  senders = :
  domains = mail.test
  condition = ${if or{{inbound_srs{$local_part}{tops3cret}}{inbound_srs{$local_part}{0ld}}}}
  data = $srs_recipient
forward:
  driver = redirect
  local_parts = forwarded
  domains = mail.test
  data = gone@far.test
"""
REST = """
broken:
  driver = redirect
  local_parts = \\N^srs[01]=\\N
  allow_fail
  data = :fail: Invalid SRS address
senders:
  driver = accept
  domains = from.test
  local_parts = joe
  transport = maildir
away:
  driver = manualroute
  domains = far.test
  route_data = 127.0.0.1::{far}
  self = send
  transport = smtp

begin transports
maildir:
  driver = appendfile
  directory = {folder}/mail/joe
  maildir_format
  create_directory
  user = {user}
  group = {group}
smtp:
  driver = smtp
  hosts_try_fastopen =
  max_rcpt = 1
"""
ENCODED = "  return_path = ${srs_encode{tops3cret}{$return_path}{$original_domain}}\n"
FAR = """
begin routers
gone:
  driver = redirect
  domains = far.test
  allow_fail
  data = :fail: moved away
away:
  driver = manualroute
  domains = mail.test
  route_data = 127.0.0.1::{near}
  self = send
  transport = smtp
begin transports
smtp:
  driver = smtp
  hosts_try_fastopen =
"""
CHECKED = "begin acl\naccepted:\n  require verify = recipient\n  accept\n"


@pytest.fixture(params=["older", "newer"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Server, Server]]:
    near, far = Server(""), Server("")
    try:
        form = OLDER + REST if request.param == "older" else NEWER + REST + ENCODED
        main, _, sections = form.partition("begin routers")
        near.configure(f"{main}{CHECKED}begin routers{sections}".replace("{far}", str(far.port)))
        near.config.write_text(near.config.read_text().replace("acl_smtp_rcpt = accept", "acl_smtp_rcpt = accepted"))
        far.configure(FAR.replace("{near}", str(near.port)))
        far.start()
        near.start()
        yield near, far
    finally:
        near.close()
        far.close()


def test_a_bounce_finds_the_way_back(pair: tuple[Server, Server]) -> None:
    near, far = pair
    near.send("forwarded@mail.test", sender="joe@from.test")
    far.wait_for_log("<= SRS0=")
    rewritten = re.search(r"<= (SRS0=\S+=from\.test=joe@mail\.test) ", far.log())
    assert rewritten is not None, far.log()
    near.wait_for(lambda: near.mail("joe"), "bounce")
    assert "moved away" in near.mail("joe")[0]
    near.wait_for_log(f"<{rewritten[1]}> R=senders")
    if "srs_secrets" in near.config.read_text():
        near.wait_for_log(f" SRS=<{rewritten[1]}> R=away T=smtp")
    with near.client() as client:
        client.ehlo("far.test")
        client.mail("")
        forged = rewritten[1].replace("joe", "eve")
        code, answer = client.rcpt(forged)
        assert code == 550
        assert b"SRS" in answer
