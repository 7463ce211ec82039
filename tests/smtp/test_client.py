from __future__ import annotations

import pytest

from eximious.smtp.client import PIPELINE_LIMIT, ClientProtocol, Unexpected
from eximious.smtp.reply import Reply


def test_replies_belong_to_commands() -> None:
    protocol = ClientProtocol()
    protocol.expect("banner")
    protocol.receive(b"220 hello\r\n")
    assert protocol.next_reply() == ("banner", Reply(220, ["hello"]))
    assert protocol.command("MAIL FROM:<>") == b"MAIL FROM:<>\r\n"
    assert protocol.command("RCPT TO:<a@b>") == b"RCPT TO:<a@b>\r\n"
    assert protocol.waiting == 2
    protocol.receive(b"250 one\r\n550 tw")
    assert protocol.next_reply() == ("MAIL FROM:<>", Reply(250, ["one"]))
    assert protocol.next_reply() is None
    assert protocol.pending == b"550 tw"
    protocol.receive(b"o\r\n")
    assert protocol.next_reply() == ("RCPT TO:<a@b>", Reply(550, ["two"]))
    assert protocol.waiting == 0


def test_reply_to_nothing() -> None:
    protocol = ClientProtocol()
    protocol.receive(b"421 closing\r\n")
    with pytest.raises(Unexpected) as caught:
        protocol.next_reply()
    assert caught.value.received == b"421 closing"


@pytest.mark.parametrize("address", ["a\r\nDATA\r\n@b", "a\n@b", "a\0@b", "a\r@b"])
def test_one_line_is_one_command(address: str) -> None:
    octets = ClientProtocol().command(f"RCPT TO:<{address}>")
    assert octets.endswith(b"\r\n")
    assert not set(octets[:-2]) & set(b"\r\n\0")


def test_cve_2021_38371_nothing_from_before_tls_counts() -> None:
    protocol = ClientProtocol()
    protocol.command("STARTTLS")
    protocol.receive(b"220 go\r\n250-evil\r\n250 AUTH")
    assert protocol.next_reply() == ("STARTTLS", Reply(220, ["go"]))
    protocol.start_tls()
    assert protocol.pending == b""


def test_limit_of_commands_under_way() -> None:
    protocol = ClientProtocol()
    for _ in range(PIPELINE_LIMIT):
        assert not protocol.is_full
        protocol.command("NOOP")
    assert protocol.is_full
    protocol.forget()
    assert protocol.waiting == 0
