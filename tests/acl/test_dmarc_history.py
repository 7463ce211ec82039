"""The file for opendmarc-import, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deliver.dmarc_place import Place

HEAD = """\
job <id>
reporter mail.test
received 1795521600
ipaddr 192.0.2.7
from test.ex
"""
TAIL = "arc 11\narc_policy 1 json[ ]\n"
FAILED = "align_dkim 5\nalign_spf 5\n"
POLICY = "pct 100\nadkim 114\naspf 114\np 114\nsp 0\n"
SPF = 'test.ex TXT "v=spf1 ip4:192.0.2.7 -all"\n'

CASES = [
    # the records, the sender, what follows the author's domain
    (
        "p=reject",
        "",
        "joe@test.ex",
        f"mfrom test.ex\nspf 6\npdomain test.ex\npolicy 16\nrua -\n{POLICY}{FAILED}action 0\n",
    ),
    (
        "p=quarantine; sp=none; adkim=s; aspf=s; pct=50; rua=mailto:a@test.ex!10240k,mailto:b@x.ex",
        "",
        "",
        "mfrom \nspf 6\npdomain test.ex\npolicy 17\nrua mailto:a@test.ex!10240k\nrua mailto:b@x.ex\n"
        f"pct 50\nadkim 115\naspf 115\np 113\nsp 110\n{FAILED}action 4\n",
    ),
    (
        "p=none",
        SPF,
        "joe@test.ex",
        "mfrom test.ex\nspf 0\npdomain test.ex\npolicy 15\nrua -\n"
        "pct 100\nadkim 114\naspf 114\np 110\nsp 0\nalign_dkim 5\nalign_spf 4\naction 2\n",
    ),
    (
        "p=none",
        SPF.replace(".7", ".8"),
        "joe@test.ex",
        "mfrom test.ex\nspf 7\npdomain test.ex\npolicy 18\nrua -\n"
        f"pct 100\nadkim 114\naspf 114\np 110\nsp 0\n{FAILED}action 2\n",
    ),
    (
        "",
        SPF.replace("-all", "~all").replace(".7", ".8"),
        "joe@test.ex",
        "mfrom test.ex\nspf 2\npdomain test.ex\npolicy 14\nrua -\n"
        f"pct 100\nadkim 114\naspf 114\np 0\nsp 0\n{FAILED}action 2\n",
    ),
]


def history(folder: Path, zone: str, sender: str, author: str = "joe@test.ex") -> str:
    place = Place(folder, f"dmarc_history_file = {folder}/history", "  accept dmarc_status = *\n", zone)
    place.services.random.seed(3)  # under mode rfc7489, pct=50 would hit
    place.receive(author, sender)
    path = folder / "history"
    text = path.read_text("latin-1") if path.exists() else ""
    job, _, rest = text.partition("\n")
    return f"job <id>\n{rest}" if job.startswith("job ") else text


@pytest.mark.parametrize(("tags", "zone", "sender", "expected"), CASES)
def test_lines(tags: str, zone: str, sender: str, expected: str, tmp_path: Path) -> None:
    policy = f'_dmarc.test.ex TXT "v=DMARC1; {tags}"\n' if tags else ""
    assert history(tmp_path, policy + zone, sender) == HEAD + expected + TAIL


SIGNATURE = (
    "DKIM-Signature: v=1; a=ed25519-sha256; d=test.ex; s=e; h=From;\r\n"
    " bh=gSZ5hcJQ1oVpzeAMzENCjXvVDhkCiCw7K7md+OwrlR8=;\r\n"
    " b=9hL/CHenSbVgxbVQrvmiJdAa3naBmlKlrt40mcTO8qEC6KtSSIcVdKKygnYwh0HDamw/ZgIQ0CemkOqLi6mDCA==\r\n"
)


@pytest.mark.parametrize(
    ("key", "number"),
    [
        ('TXT "v=DKIM1; k=ed25519; p=A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="', 7),  # of another message
        ("AGAIN", 4),
        ('TXT "v=DKIM1; k=ed25519; p="', 5),
        ('A "192.0.2.1"', 5),
    ],
)
def test_signatures(key: str, number: int, tmp_path: Path) -> None:
    zone = f"e._domainkey.test.ex {key}\n"
    place = Place(tmp_path, f"dmarc_history_file = {tmp_path}/history", "  accept dmarc_status = *\n", zone)
    place.receive(headers=SIGNATURE)
    assert f"\ndkim test.ex e {number}\n" in (tmp_path / "history").read_text("latin-1")


def test_a_message_without_an_author_is_not_in_it(tmp_path: Path) -> None:
    assert history(tmp_path, "", "joe@test.ex", author="nobody") == ""


def test_control_characters_make_no_lines(tmp_path: Path) -> None:
    text = history(tmp_path, "", "joe@test.ex", author="joe@test\x01\x0b.ex")
    assert "from test??.ex\n" in text or "from" not in text


def test_a_chain_that_an_acl_has_looked_at(tmp_path: Path) -> None:
    data = "  warn !verify = arc\n  accept dmarc_status = *\n"
    place = Place(tmp_path, f"dmarc_history_file = {tmp_path}/history", data, "")
    place.receive(headers="ARC-Seal: i=1; cv=fail\r\n")
    assert (tmp_path / "history").read_text("latin-1").endswith("action 2\narc 7\narc_policy 2 json[ ]\n")


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path, f"dmarc_history_file = {tmp_path}/history")
    text = b"HELO c.test\r\n", b"MAIL FROM:<a@test.ex>\r\n", b"RCPT TO:<a@mail.test>\r\n", b"DATA\r\n"
    place.session(*text, b"From: a@test.ex\r\n\r\n.\r\n", is_checking=True).run()
    assert not (tmp_path / "history").exists()
    assert place.sent() == []
    assert list(place.services.hints.dmarc_domains.items()) == []
