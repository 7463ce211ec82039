"""The example configurations, and Debian's and Exim's own, check clean."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from eximious.cli.checks.everything import check

TOP = Path(__file__).parents[2]
EXAMPLES = sorted((TOP / "examples" / "configurations").glob("*.conf"))

DEBCONF = """\
dc_eximconfig_configtype='{type}'
dc_other_hostnames='home.test'
dc_local_interfaces='127.0.0.1'
dc_readhost='home.test'
dc_relay_domains='relayed.test'
dc_minimaldns='false'
dc_relay_nets='192.0.2.0/24'
dc_smarthost='192.0.2.2::25'
CFILEMODE='644'
dc_use_split_config='{split}'
dc_hide_mailname='true'
dc_mailname_in_oh='true'
dc_localdelivery='{delivery}'
"""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path: Path) -> None:
    findings = check(str(path), {}, with_files=False)
    assert [str(error) for error in (*findings.errors, *findings.warnings, *findings.notes)] == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 6


@pytest.fixture(scope="module")
def debian() -> Iterator[Path]:
    """A folder with Debian's Exim in it, and an empty one inside it for us."""
    if os.getuid() != 0:
        pytest.skip("needs root")
    done = subprocess.run([TOP / "scripts" / "reference", "exim"], capture_output=True, text=True, check=True)
    root = Path(done.stdout.strip())
    folder = root / "tmp" / "eximious-check"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("conf.d", "exim4.conf.template"):
        source = root / "etc" / "exim4" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    yield root
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.needs_root
@pytest.mark.parametrize(
    ("type", "split", "delivery"),
    [
        ("smarthost", "true", "mail_spool"),
        ("internet", "false", "maildir_home"),
        ("satellite", "false", "maildrop_pipe"),
        ("local", "true", "procmail_pipe"),
    ],
)
def test_debian(type: str, split: str, delivery: str, debian: Path) -> None:
    folder = debian / "tmp" / "eximious-check"
    (folder / "update-exim4.conf.conf").write_text(DEBCONF.format(type=type, split=split, delivery=delivery))
    inside = "/tmp/eximious-check"
    made = folder / "made.conf"
    made.unlink(missing_ok=True)
    command = ["chroot", str(debian), "update-exim4.conf", "-d", inside, "-o", f"{inside}/made.conf"]
    subprocess.run(command, check=True, capture_output=True)
    findings = check(str(made), {}, with_files=False)
    assert [str(error) for error in (*findings.errors, *findings.warnings)] == []


@pytest.mark.slow
@pytest.mark.needs_root
def test_the_example_of_exim(debian: Path, tmp_path: Path) -> None:
    text = (debian / "usr/share/doc/exim4-base/examples/example.conf").read_text(encoding="latin-1")
    path = tmp_path / "example.conf"
    # A feature that is still to come, and whose absence is an error.
    kept = [line for line in text.splitlines() if "tls_resumption_hosts" not in line]
    path.write_text("\n".join(kept), encoding="latin-1")
    findings = check(str(path), {}, with_files=False)
    assert [str(error) for error in (*findings.errors, *findings.warnings)] == []
    assert 'the transport "smarthost_smtp"' in findings.notes[-1].message  # its router is commented out
