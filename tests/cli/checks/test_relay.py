"""Open relays, and what only looks like one."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.cli.checks.everything import check

MAIN = """\
domainlist ours = @ : a.example
domainlist outside = !+ours
domainlist everything = *
domainlist listed = lsearch;/etc/domains
domainlist computed = ${lookup{$domain}lsearch{/etc/domains}}
hostlist office = !192.0.2.1 : 192.0.2.0/24
hostlist ends_negated = 192.0.2.0/24 : !192.0.2.1
hostlist world = 192.0.2.0/24 : ::::/0
acl_smtp_rcpt = rcpt
begin acl
"""
ROUTERS = """
begin routers
out:
  driver = dnslookup
  {}
  transport = smtp
begin transports
smtp:
  driver = smtp
begin retry
* * F,1h,5m
"""

OPEN = [
    "accept",
    "accept hosts = *",
    "accept hosts = +world",
    "accept hosts = !+office",
    "accept hosts = +ends_negated",  # such a list has everybody else
    "accept domains = *",
    "accept domains = +everything",
    "accept domains = +outside",
    "accept senders = *",
    "accept condition = yes",
    "accept verify = recipient",
    "accept encrypted = *",
    "deny hosts = +office\n accept",
    "deny dnslists = x.example\n accept",
    "require verify = recipient/callout\n accept",
    "deny authenticated = *\n accept",
    "require domains = +everything\n accept",
    "accept acl = inner",
    "warn domains = +ours\n accept",
]


@pytest.mark.parametrize("statements", OPEN)
def test_open(statements: str, tmp_path: Path) -> None:
    said = said_of(statements, tmp_path)
    assert [message for message in said if message.startswith("open relay: ")] == [
        'open relay: the ACL "rcpt" accepts mail from any host to any domain here'
    ]


def test_why_a_list_has_strangers(tmp_path: Path) -> None:
    said_of("accept hosts = +ends_negated", tmp_path)
    (warning,) = check(str(tmp_path / "exim.conf"), {}, with_files=False).warnings
    assert warning.hint == "a list that ends with a negated item has everybody whom none of its items names"


CLOSED = [
    "deny",
    "accept hosts = :",
    "accept hosts = +office",
    "accept authenticated = *",
    "accept domains = +ours",
    "accept domains = +ours : +listed\n deny",
    "accept domains = +computed",
    "accept domains = !+outside",
    "accept hosts = +office\n deny !domains = +ours\n accept",
    "deny !domains = +ours : +listed\n accept",
    "deny domains = +outside\n accept",
    "require domains = +ours\n accept",
    "require domains = +computed\n accept",
    "deny !domains = +computed\n accept",
    "require hosts = +office\n accept",
    "deny !acl = own\n accept",
    "accept recipients = a@b.example",
    "accept local_parts = postmaster",
    "accept condition = ${if eq{$domain}{a}}",
    "deny condition = true\n accept",
    "accept hosts = *\n domains = +ours",
    "accept domains = +ours\n endpass\n verify = recipient",
    "discard",
]


@pytest.mark.parametrize("statements", CLOSED)
def test_closed(statements: str, tmp_path: Path) -> None:
    assert [message for message in said_of(statements, tmp_path) if "open relay" in message] == []


def test_in_doubt(tmp_path: Path) -> None:
    said = said_of("deny condition = ${if eq{$h_x:}{a}}\n accept", tmp_path)
    assert "if the condition in line 12 does not prevent it, this is an open relay" in said


@pytest.mark.parametrize("option", ["domains = +ours", "domains = !+everything", "domains = +listed"])
def test_nothing_is_sent_elsewhere(option: str, tmp_path: Path) -> None:
    assert [message for message in said_of("accept", tmp_path, option) if "open relay" in message] == []


def said_of(statements: str, folder: Path, option: str = "no_more") -> list[str]:
    """The messages of all warnings and notes."""
    inner = "\ninner:\n accept\nown:\n accept domains = +ours\n"
    path = folder / "exim.conf"
    path.write_text(f"{MAIN}rcpt:\n {statements}{inner}{ROUTERS.format(option)}")
    findings = check(str(path), {}, with_files=False)
    assert [*map(str, findings.errors)] == []
    return [fault.message for fault in (*findings.warnings, *findings.notes)]
