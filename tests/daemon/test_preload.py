"""What workers have imported before they are forked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import sys
from eximious.config.load import load
from eximious.daemon.processes import preload
preload(load(sys.argv[1]))
print(*sorted(name for name in sys.modules if name.startswith("eximious.mailauth.") and name.count(".") == 2))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "loaded"),
    [
        ("begin acl\na:\n  accept\n", []),
        ("acl_smtp_dkim = a\nbegin acl\na:\n  accept\n", ["dkim"]),
        ("begin acl\na:\n  deny spf = fail\n", ["dkim", "spf"]),
        ("begin acl\na:\n  deny dmarc_status = reject\n", ["dkim", "dmarc", "spf"]),
        ("begin acl\na:\n  require verify = arc\n", ["arc", "dkim"]),
    ],
)
def test_checks_that_acls_ask_for(tmp_path: Path, text: str, loaded: list[str]) -> None:
    path = tmp_path / "exim.conf"
    path.write_text(text)
    found = subprocess.run([sys.executable, "-c", CODE, path], stdout=subprocess.PIPE, text=True, check=True).stdout
    names = {name.removeprefix("eximious.mailauth.") for name in found.split()}
    assert sorted(names & {"arc", "dkim", "dmarc", "spf"}) == loaded
