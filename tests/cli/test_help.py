"""The help of the eximious command, and what it says to a word it does not know."""

from __future__ import annotations

import json

from click.testing import CliRunner

from eximious.cli.main import Lazy, command


def test_help_names_every_command() -> None:
    output = CliRunner().invoke(command, ["--help"]).output
    assert all(name in output for name in Lazy.COMMANDS)


def test_every_command_has_help_of_its_own() -> None:
    for name in Lazy.COMMANDS:
        result = CliRunner().invoke(command, [name, "--help"])
        assert result.exit_code == 0, name
        assert "Usage: eximious" in result.output


def test_a_misspelt_command() -> None:
    result = CliRunner().invoke(command, ["quue"])
    assert result.exit_code == 2
    assert "did you mean queue?" in result.output


def test_version() -> None:
    facts = json.loads(CliRunner().invoke(command, ["version", "--json"]).output)
    assert facts["follows_exim"] == "4.99"
    assert "redirect" in facts["routers"]
    assert "Eximious" in CliRunner().invoke(command, ["version"]).output
