"""Old names: one note each in ``eximious check``, one warning each from ``exim -bV``."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.cli.checks.everything import check
from eximious.config.load import load
from eximious.exim import bV

# A line, the old name, its column, and what is said of it.
NAMES = [
    ("daemon_smtp_port = 25", 'option "daemon_smtp_port"', 1, "now called daemon_smtp_ports"),
    ("return_size_limit = 12K", 'option "return_size_limit"', 1, "now called bounce_return_size_limit"),
    ("acl_data_smtp_prdr = accept", 'option "acl_data_smtp_prdr"', 1, "now called acl_smtp_data_prdr"),
    ("proxy_required_hosts =", 'option "proxy_required_hosts"', 1, "now called hosts_proxy"),
    ("smtp_banner = $tls_cipher", "$tls_cipher", 15, "now called $tls_in_cipher"),
    ("smtp_banner = a ${lc:$tls_sni} $tls_sni", "$tls_sni", 22, "now called $tls_in_sni (and once more)"),
    ("smtp_banner = $dmarc_ar_header", "$dmarc_ar_header", 15, "what it gave is ${authresults{$primary_hostname}}"),
    ("begin acl\na:\n  deny spf = fail : err_temp", "err_temp", 21, "now called temperror"),
    ("begin acl\na:\n  deny spf_guess = err_perm", "err_perm", 20, "now called permerror"),
    (
        "begin acl\na:\n  warn control = dmarc_forensic_enable",
        "dmarc_forensic_enable",
        18,
        "now called dmarc_enable_forensic",
    ),
    ("begin retry\n* timeout_DNS F,1h,5m", "timeout_DNS", 3, "now called timeout"),
]


@pytest.mark.parametrize(("text", "name", "column", "hint"), NAMES, ids=[name[1] for name in NAMES])
def test_old_name(
    text: str, name: str, column: int, hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "exim.conf"
    path.write_text(text + "\n")
    findings = check(str(path), {})
    notes = [note for note in findings.notes if note.message == f"{name} is an old name"]
    assert [(note.place.column if note.place else 0, note.hint) for note in notes] == [(column, hint)]
    assert not findings.errors
    bV._warn_of_old_names(load(str(path)))
    line = text.count("\n") + 1
    assert capsys.readouterr().err == f"Warning: {name} is an old name in line {line} of {path}: {hint}\n"


def test_new_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "exim.conf"
    path.write_text("smtp_banner = $tls_in_cipher\nbegin retry\n* timeout F,1h,5m\n")
    assert check(str(path), {}).notes == []
    bV._warn_of_old_names(load(str(path)))
    assert capsys.readouterr().err == ""
