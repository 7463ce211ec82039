"""exipick: criteria on messages."""

from __future__ import annotations

import pytest

from eximious.exim.utilities import exipick
from eximious.exim.utilities.exipick import Facts, Wish
from eximious.spool.message import Header, Message, Recipient


def message() -> Message:
    found = Message()
    found.id = "1xW0HJ-000000007bL-2uX1"
    found.sender = "alice@mail.test"
    found.received_at = 1000.0
    found.is_frozen = True
    found.recipients = [Recipient("bob@far.test"), Recipient("carol@other.test")]
    found.nonrecipients = {"carol@other.test"}
    found.headers = [Header("Subject: a  test\n"), Header("Subject: gone\n", "*")]
    found.acl_variables = {"_note": "x"}
    found.client.host_address = "192.0.2.1"
    return found


FACTS = Facts(message(), 1234, 4600.0)

CRITERIA = [
    ("frozen", True),
    ("!frozen", False),
    ("$frozen", True),
    ("warning_count", False),
    ("$sender_address = alice@mail.test", True),
    ("$sender_address eq ALICE@mail.test", True),
    ("sender_address ne alice@mail.test", False),
    ("sender_address != alice@mail.test", False),
    ("sender_address=~^alice", True),
    ("sender_address !~ ^alice", False),
    ("! sender_address =~ mallory", True),
    ("message_age > 3599", True),
    ("message_age < 3600", False),
    ("message_age >= 3600", True),
    ("message_age == 3600", True),
    ("message_size <= 1234", True),
    ("message_size != 1234", False),
    ("recipients =~ @other", True),
    ("recipients_undel =~ @other", False),
    ("recipients_count == 2", True),
    ("recipients_undel_count == 1", True),
    ("sender_host_address = 192.0.2.1", True),
    ("h_subject = a  test", True),
    ("header_subject =~ gone", False),
    ("acl_m_note = x", True),
    ("acl_c_note", False),
]


@pytest.mark.parametrize(("text", "expected"), CRITERIA)
def test_criterion(text: str, expected: bool) -> None:
    assert exipick.criterion(text)(FACTS) is expected


@pytest.mark.parametrize("text", ["nonsense", "message_age > old", "sender_address =~ (", "a b c", ""])
def test_what_is_no_criterion(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        exipick.criterion(text)


COMBINED = [
    ([], True),
    (["frozen", "message_age > 1"], True),
    (["frozen", "message_age < 1"], False),
    (["--or", "!frozen", "message_age > 1"], True),
    (["--not", "frozen"], False),
    (["--or"], True),
]


@pytest.mark.parametrize(("arguments", "expected"), COMBINED)
def test_combination(arguments: list[str], expected: bool) -> None:
    assert exipick.is_wanted(exipick.parse(arguments), FACTS) is expected


def test_forms() -> None:
    listing = ["first\n", "rest\n"]
    for words, expected in (
        (["-i"], ["1xW0HJ-000000007bL-2uX1\n"]),
        (["-b"], ["1xW0HJ-000000007bL-2uX1 From: <alice@mail.test> To: bob@far.test\n"]),
        (["-c"], []),
        ([], listing),
        (["--show-vars", "message_size,$frozen"], ["first\n", "  message_size='1234'\n", "  frozen='1'\n", "rest\n"]),
    ):
        assert exipick.show(exipick.parse(words), FACTS, lambda: listing) == expected


def test_every_variable_gives_text() -> None:
    assert all(isinstance(FACTS.value(name), str) for name in exipick.VARIABLES)


def test_help_and_complaints(capsys: pytest.CaptureFixture[str]) -> None:
    assert exipick.main(["--help"]) == 0
    assert exipick.main(["--vars"]) == 0
    assert exipick.main(["--nonsense"]) == 1
    assert exipick.main(["sender_adress"]) == 1
    assert "did you mean sender_address?" in capsys.readouterr().err


def test_options() -> None:
    wish: Wish = exipick.parse(["-C", "/c", "-DX=1", "--queue", "q", "--unsorted"])
    assert (wish.exim, wish.queue, wish.in_order) == (["-C", "/c", "-DX=1"], "q", False)
