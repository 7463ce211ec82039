"""Owners of mailboxes that are getting full are told so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deliver.place import Place

ROUTERS = "box:\n  driver = accept\n  local_parts = bob\n  transport = box\n"
TRANSPORTS = "box:\n  driver = appendfile\n  file = {folder}/box\n  {settings}\n"


def warning_of(tmp_path: Path, settings: str) -> str:
    """The warning in the queue after a delivery to bob, or an empty string."""
    place = Place(tmp_path, routers=ROUTERS, transports=TRANSPORTS.format(folder=tmp_path, settings=settings))
    place.send("bob@mx.example")
    assert "=> bob <bob@mx.example> R=box T=box" in place.log
    ids = place.services.spool.list_ids()
    text = ""
    for message_id in ids:
        message = place.services.spool.read(message_id)
        assert message is not None
        assert (message.sender, [recipient.address for recipient in message.recipients]) == ("", ["bob@mx.example"])
        text = "".join(header.text for header in message.headers if header.kind != "*")
    place.close()
    return text


@pytest.mark.parametrize("settings", ["quota = 10M", "quota = 10M\n  quota_warn_threshold = 75%"])
def test_no_warning_below_the_threshold(tmp_path: Path, settings: str) -> None:
    assert warning_of(tmp_path, settings) == ""


def test_a_warning(tmp_path: Path) -> None:
    text = warning_of(tmp_path, "quota = 10M\n  quota_warn_threshold = 10")
    assert "Auto-Submitted: auto-replied\nFrom: Mail Delivery System <Mailer-Daemon@mx.example>\n" in text
    assert "To: bob@mx.example\nSubject: Your mailbox\n" in text


def test_a_message_of_the_postmasters(tmp_path: Path) -> None:
    message = "From: postmaster@mx.example\\nTo: $local_part_data@$domain\\nSubject: full\\n\\nClean up.\\n"
    text = warning_of(tmp_path, f'quota_warn_threshold = 10\n  quota_warn_message = "{message}"')
    assert "Mail Delivery System" not in text
    assert "From: postmaster@mx.example\nTo: bob@mx.example\nSubject: full\n" in text
