"""What ``$acl_verify_message`` says of a callout: the whole story for the log, of which the client hears a part."""

from __future__ import annotations

from pathlib import Path

from tests.receive.place import Server
from tests.send.servers import ScriptedServer

CONFIGURATION = """
acl_smtp_rcpt = rcpt

begin acl
rcpt:
  warn !verify = sender/callout
       log_message = $acl_verify_message
  accept

begin routers
far:
  driver = manualroute
  domains = far.test
  route_data = 127.0.0.1::PORT
  self = send
  transport = smtp
here:
  driver = accept
  transport = smtp

begin transports
smtp:
  driver = smtp
"""
CALLOUT = "220 x\n? EHLO\n250 x\n? MAIL\n250 ok\n? RCPT\n550 Unknown\n? QUIT\n221 bye\n"


def test_a_refused_callout(tmp_path: Path) -> None:
    with ScriptedServer(CALLOUT) as far:
        server = Server(tmp_path, CONFIGURATION.replace("PORT", str(far.port)))
        server.talk(b"EHLO x\r\n", b"MAIL FROM:<x@far.test>\r\n", b"RCPT TO:<a@here.test>\r\n", b"QUIT\r\n")
    why = "127.0.0.1 [127.0.0.1] : SMTP error from remote mail server after RCPT TO:<x@far.test>: 550 Unknown"
    assert any(line.endswith(f"Warning: Sender verify failed: {why}") for line in server.logs.lines)
