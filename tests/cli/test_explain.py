"""``eximious explain expand``."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from eximious.cli.explain import command, duration
from eximious.daemon import privilege

TIME = r"\d+ µs|[\d.]+ ms"
MESSAGE = b"From: a@b.example\nSubject: =?utf-8?q?h=C3=A4?=\n\nhello\n"


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration; the tests go on as whoever they are."""
    monkeypatch.setattr(privilege, "become", lambda *_: None)
    path = tmp_path / "exim.conf"
    path.write_text("primary_hostname = mail.example\nhostlist office = 192.0.2.0/24\n")
    path.chmod(0o644)
    return path


def run(configuration: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, ["expand", "-C", str(configuration), *arguments])
    return result.exit_code, result.output


def explained(configuration: Path, *arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(command, ["expand", "-C", str(configuration), "--json", *arguments])
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_text(configuration: Path) -> None:
    status, output = run(configuration, "${if eq{$primary_hostname}{${lc:X}}{a}{b}}")
    assert status == 0
    assert re.sub(TIME, "TIME", output) == (
        '${if eq{$primary_hostname}{${lc:X}}{a}{b}}  → "b"  TIME\n'
        "└── eq{$primary_hostname}{${lc:X}}  false  TIME\n"
        '    ├── $primary_hostname  → "mail.example"  TIME\n'
        '    └── ${lc:X}  → "x"  TIME\n'
    )
    _, output = run(configuration, "$primary_hostname!")
    assert re.sub(TIME, "TIME", output) == (
        '$primary_hostname!  → "mail.example!"  TIME\n└── $primary_hostname  → "mail.example"  TIME\n'
    )


def test_failure(configuration: Path) -> None:
    status, output = run(configuration, "${lcc:x}")
    assert status == 1
    assert 'failed: unknown expansion operator "lcc"' in output
    assert output.endswith('unknown expansion operator "lcc": did you mean lc?\n')


def test_json(configuration: Path) -> None:
    found = explained(configuration, "x${lc:Ä}")
    assert (found["text"], found["result"], found["complete"]) == ("x${lc:Ä}", "xÄ", True)
    assert [(step["kind"], step["text"]) for step in found["steps"]] == [("item", "${lc:Ä}")]
    failed = explained(configuration, "${if eq{a}{b}{c}fail}")
    assert (failed["result"], failed["error"]) == (None, 'forced failure: "if" failed and "fail" requested')


MOMENTS = [
    ((), "$sender_address", ""),
    (("--sender", "<a@b.example>"), "$sender_address_domain", "b.example"),
    (("--recipient", "Alice@B.example"), "$local_part@$domain $recipients", "alice@b.example Alice@B.example"),
    (("--client-ip", "192.0.2.7"), "${if match_ip{$sender_host_address}{+office}{in}{out}}", "in"),
    (("--client-ip", "2001:DB8::1"), "$sender_host_address", "2001:db8::1"),
    (("--set", "acl_m_x=1=2", "--set", "acl_c0=3"), "$acl_m_x $acl_c0", "1=2 3"),
    (("--set", "$local_part_data=x", "--set", "r_y=z"), "$local_part_data $r_y", "x z"),
    (("--set", "sender_helo_name=h", "--set", "item=i", "--set", "value=v"), "$sender_helo_name $item $value", "h i v"),
]


@pytest.mark.parametrize(("options", "text", "expected"), MOMENTS)
def test_moment(options: tuple[str, ...], text: str, expected: str, configuration: Path) -> None:
    assert explained(configuration, *options, text)["result"] == expected


def test_message(configuration: Path, tmp_path: Path) -> None:
    (tmp_path / "message").write_bytes(MESSAGE)
    found = explained(configuration, "--message", str(tmp_path / "message"), "$h_subject: $message_body $message_size")
    assert found["result"] == f"hä hello  {len(MESSAGE)}"
    assert found["tainted"] is True


def test_what_comes_from_strangers_is_tainted(configuration: Path) -> None:
    found = explained(configuration, "--recipient", "a@b", "${lookup{x}lsearch{/$local_part}}")
    assert found["error"] == "Tainted filename for search: '/a'"


USAGE = [
    (("--set", "acl_m_x", "a"), "--set acl_m_x: it must be NAME=VALUE"),
    (("--set", "domian=x", "a"), "$domian cannot be set; did you mean domain?"),
    (("--set", "foo=x", "a"), "$foo cannot be set; what can: acl_c..., acl_m..., r_..., address_data"),
    (("--client-ip", "x", "a"), "x is not an IP address"),
]


@pytest.mark.parametrize(("arguments", "complaint"), USAGE)
def test_usage(arguments: tuple[str, ...], complaint: str, configuration: Path) -> None:
    status, output = run(configuration, *arguments)
    assert status == 2
    assert complaint in output


def test_a_message_on_standard_input(configuration: Path, tmp_path: Path) -> None:
    (tmp_path / "message").write_bytes(MESSAGE)
    with open(tmp_path / "message", "rb") as file:
        saved = os.dup(0)
        os.dup2(file.fileno(), 0)
        try:
            found = explained(configuration, "--message", "-", "$h_subject:")
        finally:
            os.dup2(saved, 0)
            os.close(saved)
    assert found["result"] == "hä"


def test_failures_are_told_where_they_arose(configuration: Path) -> None:
    _, output = run(configuration, "${lc:${uc:${lookup{a}lsearch{/none}}}}")
    assert re.sub(TIME, "TIME", output) == (
        "${lc:${uc:${lookup{a}lsearch{/none}}}}  failed  TIME\n"
        "└── ${uc:${lookup{a}lsearch{/none}}}  failed  TIME\n"
        "    └── ${lookup{a}lsearch{/none}}  failed  TIME\n"
        "        └── lsearch of a in /none  failed: "
        "failed to open /none for linear search: No such file or directory  TIME\n"
    )


def test_deep_steps_are_there_in_narrow_terminals(configuration: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    _, output = run(configuration, "${lc:" * 40 + "X" + "}" * 40)
    assert output.count('"x"') == 40


def test_what_was_looked_up_before(configuration: Path, tmp_path: Path) -> None:
    (tmp_path / "names").write_text("a: b\n")
    lookup = f"${{lookup{{a}}lsearch{{{tmp_path}/names}}}}"
    _, output = run(configuration, lookup + lookup)
    lines = [line for line in output.splitlines() if "lsearch of a" in line]
    assert ["(remembered)" in line for line in lines] == [False, True]
    found = explained(configuration, lookup + lookup)
    assert [step["steps"][0].get("cached") for step in found["steps"]] == [None, "yes"]


def test_the_item_that_decides(configuration: Path) -> None:
    _, output = run(configuration, "--client-ip", "192.0.2.7", "${if match_ip{$sender_host_address}{+office}{y}{n}}")
    assert '192.0.2.7 in host list "192.0.2.0/24"? yes' in output
    _, output = run(configuration, "${if match_domain{b.c}{a : !b.c : *}{y}{n}}")
    assert 'b.c in domain list "a : !b.c : *"? no (matched "!b.c")' in output


def test_why_an_acl_fails(configuration: Path) -> None:
    with open(configuration, "a") as file:
        file.write("begin acl\na:\n  deny domains = b\n")
    _, output = run(configuration, "${acl{a}}")
    assert "deny: cannot test domains condition in unknown ACL" in output


HIDDEN = [
    ("hide mysql_servers = localhost/mail/user/topsecret", "x topsecret", "x <value not displayable>"),
    ("hide mysql_servers = localhost/mail/user/topsecret", "localhost user", "localhost user"),
    ("mysql_servers = localhost/mail/user/topsecret", "x topsecret", "x topsecret"),
    ("hide smtp_banner = topsecret", "${uc:x}topsecret", "X<value not displayable>"),
    ("hide domainlist known = topsecret", "topsecret.", "<value not displayable>."),
]


@pytest.mark.parametrize(("line", "text", "shown"), HIDDEN)
def test_what_the_configuration_hides(line: str, text: str, shown: str, configuration: Path) -> None:
    configuration.write_text(line + "\n")
    assert explained(configuration, text)["result"] == shown


def test_a_configuration_with_errors(configuration: Path) -> None:
    configuration.write_text("queue_onli\n")
    status, output = run(configuration, "a")
    assert status == 1
    assert "did you mean queue_only?" in output


def test_durations() -> None:
    assert list(map(duration, (0.0000004, 0.0005, 0.0123, 2.5))) == ["0 µs", "500 µs", "12.3 ms", "2.50 s"]
