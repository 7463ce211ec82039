"""What -v shows of a conversation, and what it does not."""

from __future__ import annotations

from eximious.address.delivery import Host
from eximious.send.dialogue import Dialogue
from eximious.smtp.reply import Reply


def test_what_is_said_is_shown() -> None:
    shown: list[str] = []
    dialogue = Dialogue(shown.append)
    dialogue.connecting(Host("mx.test", "192.0.2.1", 25))
    dialogue.connected()
    dialogue.reply(Reply(220, ["hello"]))
    dialogue.command("EHLO me")
    dialogue.reply(Reply(250, ["mx", "SIZE"]))
    dialogue.closed()
    assert "".join(shown) == (
        "Connecting to mx.test [192.0.2.1]:25 ... connected\n"
        "  SMTP<< 220 hello\n"
        "  SMTP>> EHLO me\n"
        "  SMTP<< 250-mx\n"
        "         250 SIZE\n"
        "  SMTP(close)>>\n"
    )


def test_secrets_are_not_shown() -> None:
    shown: list[str] = []
    dialogue = Dialogue(shown.append)
    dialogue.command("AUTH PLAIN AGFsaWNlAHNlY3JldA==")
    dialogue.reply(Reply(535, ["no"]))
    dialogue.command("AUTH LOGIN")
    dialogue.reply(Reply(334, ["VXNlcm5hbWU6"]))
    dialogue.command("c2VjcmV0")
    dialogue.reply(Reply(235, ["yes"]))
    dialogue.command("MAIL FROM:<a@b.test>")
    text = "".join(shown)
    assert "AGFsaWNlAHNlY3JldA" not in text
    assert "c2VjcmV0" not in text
    assert "  SMTP>> AUTH PLAIN ****\n" in text
    assert "  SMTP>> MAIL FROM:<a@b.test>\n" in text


def test_a_connection_that_is_not_made() -> None:
    shown: list[str] = []
    dialogue = Dialogue(shown.append)
    dialogue.connecting(Host("mx.test", "192.0.2.1", 25))
    dialogue.not_connected("Connection refused")
    assert "".join(shown) == "Connecting to mx.test [192.0.2.1]:25 ... failed: Connection refused\n"
