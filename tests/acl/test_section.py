"""The section of ACLs as it is read: what is wrong with it is said with the reference's words, all of it, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.config.load import load
from eximious.errors import ConfigErrors

FAULTS = {
    "a:\n  hosts = *\n": 'error in ACL: unknown ACL verb "hosts" in "hosts = *"',
    "a:\n  allow hosts = *\n": 'error in ACL: unknown ACL verb "allow" in "allow hosts = *"',
    "a:\n  accept hostz = *\n": 'error in ACL: unknown ACL condition/modifier in "accept hostz = *"',
    "a:\n  accept foo\n": 'error in ACL: unknown ACL condition/modifier in "accept foo"',
    "a:\n  accept hosts *\n": 'error in ACL: "=" missing after ACL "hosts" condition',
    "a:\n  deny endpass\n": 'error in ACL: ACL error: "endpass" is not allowed with "deny"',
    "a:\n  accept\na:\n  deny\n": 'there are two ACLs called "a"',
    "  accept\n": "missing or malformed ACL name",
    "a b:\n  accept\n": "missing or malformed ACL name",
    "a:\n  accept set foo = bar\n": (
        'error in ACL: invalid variable name after "set" in ACL modifier "set foo = bar" '
        '(must start "acl_c" or "acl_m")'
    ),
    "a:\n  accept set acl_m_x\n": 'error in ACL: "=" missing after ACL "set" modifier',
    "a:\n  accept !logwrite = x\n": 'error in ACL: ACL error: negation is not allowed with "logwrite"',
    "a:\n  accept malware = *\n": None,
}


def read(folder: Path, text: str) -> None:
    """Load a configuration with this section."""
    path = folder / "exim.conf"
    path.write_text(f"primary_hostname = mail.test\nspool_directory = {folder}\nbegin acl\n{text}", encoding="latin-1")
    load(str(path))


@pytest.mark.parametrize("text", FAULTS)
def test_faults(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as raised:
        read(tmp_path, text)
    expected = FAULTS[text]
    if expected is None:
        assert "is not part of this version" in raised.value.message
    else:
        assert raised.value.message == expected


def test_all_faults_at_once_with_their_places(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as raised:
        read(tmp_path, "a:\n  allow\n  accept\n  nonsense = x\nb:\n  deny endpass\n")
    places = [(fault.place.line if fault.place else 0) for fault in raised.value.faults]
    assert places == [5, 7, 9]


@pytest.mark.parametrize(
    "text",
    [
        "a:\n",
        "a:\n  accept\n  deny\n",
        "a:\n\n  # nothing\n  accept hosts = *\n         # between\n         condition = yes\n",
        "a:\n  accept \\\n    hosts = *\n",
        "a_1:\n  accept ! hosts = *\n",
        "a:\n  accept set acl_c0 = 1\n         set acl_m_long_name = 2\n",
    ],
)
def test_good_sections(text: str, tmp_path: Path) -> None:
    read(tmp_path, text)


@pytest.mark.parametrize(
    "statement",
    [
        "deny message = ${nonsense",
        "deny condition = ${if nonsense}",
        "deny verify = nonsense",
        "deny delay = 1x",
        "deny control = nonsense",
    ],
)
def test_what_fails_when_it_is_used_is_a_warning(statement: str, tmp_path: Path) -> None:
    """As Exim, the configuration loads; `eximious check` tells."""
    path = tmp_path / "exim.conf"
    path.write_text(f"spool_directory = {tmp_path}\nbegin acl\na:\n  {statement}\n", encoding="latin-1")
    config = load(str(path))
    assert [warning.place.line for warning in config.warnings if warning.place] == [4]
