"""What a client says is one value in the spool, and comes back as it was: nothing in it ends a line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eximious.spool.header_file import dump, load
from eximious.spool.message import Header, Message, Recipient
from eximious.taint import Tainted
from tests.deliver.place import Place
from tests.end_to_end.server import EXIM, Server
from tests.security.place import EHLO, server

ID = "1xW000-000000001Ab-2cde"
LINE_ENDS = ["\n", "\r", "\0", "\r\n", "\n1xW000-0-H\nmail 8 8\n", "\n-local\n"]


@pytest.mark.parametrize("end", LINE_ENDS)
def test_cve_2020_28015(end: str) -> None:
    """A line end in what a client says does not become one in the spool."""
    message = Message()
    message.id = ID
    message.sender = Tainted("a@b.test")
    message.authenticated_sender = Tainted(f"x{end}-manual_thaw")
    message.client.helo_name = Tainted(f"x{end}-manual_thaw")
    message.recipients = [Recipient(Tainted("c@d.test"))]
    message.headers = [Header("Subject: x\n")]
    again = load(dump(message), ID)
    assert again.sender == "a@b.test"
    assert not again.manual_thaw
    assert [recipient.address for recipient in again.recipients] == ["c@d.test"]


WORDS = [
    ["-f", "a@b.test\n-manual_thaw"],
    ["-f", '"a\n-manual_thaw"@b.test'],
    ["-oMs", "x\n-manual_thaw"],
    ["-oMt", "x\n-manual_thaw"],
    ["-oMai", "x\n-manual_thaw"],
    ["-oMas", "x@y\n-manual_thaw"],
    ["-oMr", "x\n-manual_thaw"],
    ["-F", "x\n-manual_thaw"],
    ["-p", "smtp\n-manual_thaw:x"],
    ["--", "e\n-manual_thaw@d.test"],
    ["--", '"e\n-manual_thaw"@d.test'],
]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_cve_2020_28015_command_line(words: list[str]) -> None:
    """The same for words of the command line, even of those who are trusted: refused, or part of the value."""
    place = Server("begin routers\nr:\n  driver = redirect\n  data = :defer:\n  allow_defer\n")
    try:
        command = [EXIM, "-C", str(place.config), "-odq", *words, "c@d.test"]
        subprocess.run(command, input="Subject: x\n\nx\n", text=True, capture_output=True, timeout=60, check=False)
        for path in (place.spool / "input").glob("*-H"):
            again = load(path.read_bytes(), path.name[:-2])
            assert not again.manual_thaw
            assert {str(one.address) for one in again.recipients} in ({"c@d.test"}, {"root@mail.test"})
            assert b"\n-manual_thaw\n" not in path.read_bytes().partition(b"\n\n")[0]
    finally:
        place.close()


@pytest.mark.parametrize("end", [b"\n", b"\0", b"+0A", b"+0D", b"+00", b"\r"])
@pytest.mark.parametrize("parameter", [b"AUTH=x", b"ENVID=x", b"ORCPT=rfc822;x"])
def test_cve_2020_28021(end: bytes, parameter: bytes, tmp_path: Path) -> None:
    """The same for the parameters of MAIL and RCPT, encoded or not."""
    there = server(tmp_path, "dsn_advertise_hosts = *\n")
    is_rcpt = parameter.startswith(b"ORCPT")
    injected = b" " + parameter + end + b"-manual_thaw"
    mail = b"MAIL FROM:<a@b.test>" + (b"" if is_rcpt else injected) + b"\r\n"
    rcpt = b"RCPT TO:<c@d.test>" + (injected if is_rcpt else b"") + b"\r\n"
    there.talk(EHLO, mail, rcpt, b"RCPT TO:<e@d.test>\r\n", b"DATA\r\n", b"Subject: x\r\n\r\nx\r\n.\r\n", b"QUIT\r\n")
    for message, _ in there.queue.messages:
        again = load(dump(message), message.id)
        assert not again.manual_thaw
        assert [one.address for one in again.recipients] == [one.address for one in message.recipients]


@settings(max_examples=50, deadline=1000)
@given(st.text(alphabet=st.characters(max_codepoint=255, blacklist_characters="\n\0"), min_size=1, max_size=200))
def test_cve_2020_28026(text: str) -> None:
    """Lines of any length and content survive the spool."""
    message = Message()
    message.id = ID
    message.sender = Tainted(text * 20)
    message.headers = [Header(f"X: {text * 20}\n")]
    message.recipients = [Recipient(Tainted(f"{text}@d.test"))]
    again = load(dump(message), ID)
    assert again.headers[0].text == message.headers[0].text
    assert again.sender == message.sender
    assert again.recipients[0].address == message.recipients[0].address


@pytest.mark.parametrize("end", LINE_ENDS)
def test_what_is_done_is_one_line(end: str, tmp_path: Path) -> None:
    """An address in the list of those that are done, and what is said of it in the message's log."""
    place = Place(tmp_path, routers="", transports="")
    message_id = place.queue("a@x.example", "b@x.example")
    claimed = place.services.spool.claim(message_id)
    assert claimed is not None
    claimed.record_done(f"x{end}b@x.example")
    claimed.log(f"x{end}forged")
    claimed.release()
    (journal,) = (tmp_path / "spool" / "input").glob("*-J")
    assert journal.read_bytes().count(b"\n") == 1
    (log,) = (tmp_path / "spool" / "msglog").iterdir()
    assert log.read_bytes().count(b"\n") == 1
    again = place.services.spool.claim(message_id)
    assert again is not None
    assert "b@x.example" not in again.message.nonrecipients
    again.release()
    place.close()
