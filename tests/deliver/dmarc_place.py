"""A server that has received mail from domains with DMARC records."""

from __future__ import annotations

from pathlib import Path

from eximious.mailauth.reports import aggregate, failure
from tests.receive.place import Server

ZONE = """
_dmarc.test.ex TXT "v=DMARC1; p=reject; fo=1; ruf=mailto:fail@test.ex; RUA"
test.ex TXT "v=spf1 ip4:192.0.2.8 -all"
test.ex._report._dmarc.agreed.example TXT "v=DMARC1"
_dmarc.soft.ex TXT "v=DMARC1; p=quarantine; rua=mailto:agg@soft.ex"
_dmarc.watch.ex TXT "v=DMARC1; p=none; ruf=mailto:fail@watch.ex"
_dmarc.bank TXT "v=DMARC1; p=reject; psd=y; rua=mailto:agg@bank; ruf=mailto:fail@bank"
""".replace("RUA", "rua=mailto:agg@test.ex,mailto:far@agreed.example!1k,mailto:x@other.example")
MAIN = """
dmarc_mode = rfc9989
dmarc_aggregate_reports
dmarc_report_sender = DMARC reports <dmarc@mail.test>
acl_smtp_rcpt = rcpt
acl_smtp_data = data
"""
ACLS = "begin acl\nrcpt:\n  {rcpt}\ndata:\n  warn spf = *\n{data}"
FORENSIC = "accept control = dmarc_enable_forensic"
REJECTING = "  deny dmarc_status = reject\n  warn dmarc_status = quarantine\n  accept\n"


class Place(Server):
    """One of them. `data` is the rest of its DATA ACL, `rcpt` the ACL for recipients."""

    def __init__(
        self, folder: Path, main: str = "", data: str = REJECTING, zone: str = ZONE, rcpt: str = FORENSIC
    ) -> None:
        own = {line.split()[0] for line in main.split("\n") if line}
        usual = "".join(f"{line}\n" for line in MAIN.split("\n") if line and line.split()[0] not in own)
        super().__init__(folder, f"{usual}{main}\n{ACLS.format(rcpt=rcpt, data=data)}", zone=zone)

    def receive(
        self, author: str = "joe@test.ex", sender: str = "joe@test.ex", address: str = "192.0.2.7", headers: str = ""
    ) -> str:
        """A message from a client; the answer to it."""
        text = f"From: {author}\r\nSubject: lunch\r\nMessage-ID: <1@x>\r\nDate: now\r\n{headers}\r\nsecret\r\n.\r\n"
        said = self.talk(
            b"HELO client.test\r\n",
            f"MAIL FROM:<{sender}>\r\n".encode(),
            b"RCPT TO:<a@mail.test>\r\n",
            b"DATA\r\n",
            text.encode(),
            b"QUIT\r\n",
            address=address,
        )
        return said.partition("\r\n354 ")[2].split("\r\n")[1][:3]

    def sent(self) -> list[tuple[str, list[str], bytes]]:
        """Messages that the server has written itself: envelope and text."""
        found = []
        for message, body in self.queue.messages:
            if message.received_protocol == "local":
                head = "".join(header.text for header in message.headers if header.kind not in ("*", "P"))
                recipients = [str(one.address) for one in message.recipients]
                found.append((str(message.sender), recipients, head.encode("latin-1") + b"\n" + body))
        return found

    def failure_reports(self) -> list[failure.Failure]:
        """The failure reports among them."""
        return [failure.read(text) for _, _, text in self.sent() if b"feedback-report" in text]


def attached(text: bytes) -> aggregate.Report:
    """The aggregate report in a mail."""
    import email

    parts = [part for part in email.message_from_bytes(text).walk() if part.get_content_type() == "application/gzip"]
    payload = parts[0].get_payload(decode=True)
    assert isinstance(payload, bytes)
    return aggregate.read(payload)
