"""``exim -bP``."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from eximious.config.load import load
from eximious.exim import bP

TEXT = r"""
# comment
X = 5
hide timezone = "a\tb"
.include inner.conf

domainlist d = a :\
   b:\
   # comment
   c
begin acl
a:
  accept hosts = X
         message = foo \
            bar
  deny

begin routers
Y = 6
r1:
 driver = accept
 transport = t
   # comment

r2:
    driver = accept
    transport = t
begin transports
t:
 driver = smtp
 hosts = X
begin authenticators
p:
 driver = plaintext
 hide client_send = s
"""


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ask with these arguments; gives the lines and the exit status."""
    (tmp_path / "exim.conf").write_text(TEXT)
    (tmp_path / "inner.conf").write_text('gecos_name = "b\\\n  c"\n')
    config = load(str(tmp_path / "exim.conf"))
    monkeypatch.setenv("SOME_VARIABLE", "some value")

    def run(*arguments: str, is_admin: bool = True, is_terse: bool = False) -> tuple[list[str], int]:
        lines: list[str] = []
        invocation: Any = SimpleNamespace(
            line=SimpleNamespace(arguments=list(arguments), is_terse=is_terse),
            caller=SimpleNamespace(is_admin=is_admin),
            config=config,
            print=lines.append,
        )
        status = bP.run(invocation)
        return [line.replace(str(tmp_path), "DIR") for line in lines], status

    return run


ANSWERS = [
    (["timezone", "queue_only"], [r"timezone = a\tb", "no_queue_only"], 0),
    (["no_queue_only"], ["no_queue_only is not a known option"], 1),
    (["xx", "timezone"], ["xx is not a known option", r"timezone = a\tb"], 1),
    (["+d"], ["domainlist d = a :b:c"], 0),
    (["+e"], ['no address, domain, host, or local part list called "e" exists'], 1),
    (["macro", "X"], ["X=5"], 0),
    (["macro", "Z"], ["macro Z not found"], 1),
    (["macro", "_HAVE_IPV6"], ["_HAVE_IPV6=y"], 0),
    (["router_list", "transport_list", "authenticator_list"], ["r1", "r2", "t", "p"], 0),
    (["router", "xx"], ["router xx not found"], 1),
    (["router"], ["router is not a known option"], 1),
    (["macro"], ["macro is not a known option"], 1),
    (["config_file", "configure_file"], ["DIR/exim.conf", "DIR/exim.conf"], 0),
    (["environment", "SOME_VARIABLE"], ["SOME_VARIABLE=some value"], 0),
    (["environment", "OTHER_VARIABLE"], ["environment OTHER_VARIABLE not found"], 1),
    (["local_scan"], ["local_scan() options are not supported"], 1),
]


@pytest.mark.parametrize(("arguments", "lines", "status"), ANSWERS)
def test_answer(arguments: list[str], lines: list[str], status: int, ask: Any) -> None:
    assert ask(*arguments) == (lines, status)


TERSE = [
    (["timezone", "queue_only", "+d"], [r"a\tb", "no_queue_only", "a :b:c"]),
    (["macro", "X"], ["5"]),
    (["environment", "SOME_VARIABLE"], ["SOME_VARIABLE"]),
]


@pytest.mark.parametrize(("arguments", "lines"), TERSE)
def test_terse(arguments: list[str], lines: list[str], ask: Any) -> None:
    assert ask(*arguments, is_terse=True) == (lines, 0)


def test_what_others_may_not_see(ask: Any) -> None:
    lines, _ = ask("timezone", "authenticator", "p", is_admin=False)
    assert lines[0] == "timezone = <value not displayable>"
    assert "client_send = <value not displayable>" in lines


def test_everything(ask: Any) -> None:
    lines, status = ask()
    names = [line.partition(" ")[0].removeprefix("no_") for line in lines]
    assert status == 0
    assert names == sorted(names)
    assert {"acl_smtp_rcpt", "write_rejectlog"} <= set(names)
    assert ask("all") == (lines, status)


def test_instances(ask: Any) -> None:
    lines, _ = ask("routers")
    assert [line for line in lines if not line or line.endswith(":")] == ["", "r1 router:", "", "r2 router:"]
    assert ask("router", "r1")[0] == lines[2 : lines.index("", 1)]


def test_macros(ask: Any) -> None:
    lines, _ = ask("macros")
    assert lines[-2:] == ["X=5", "Y=6"]
    names, _ = ask("macro_list")
    assert all(line.startswith(f"{name}=") for name, line in zip(names, lines, strict=True))


def test_source(ask: Any) -> None:
    assert ask("config")[0] == [
        "# Exim Configuration (4.99)",
        '# 1 "DIR/exim.conf"',
        "X = 5",
        r'hide timezone = "a\tb"',
        '# 5 "DIR/exim.conf"',
        '# 1 "DIR/inner.conf"',
        'gecos_name = "bc"',
        '# 5 "DIR/exim.conf"',
        "domainlist d = a :b:c",
        "",
        "begin acl",
        "",
        "  a:",
        "    accept hosts = 5",
        "    message = foo bar",
        "    deny",
        "",
        "begin routers",
        "  Y = 6",
        "",
        "  r1:",
        "    driver = accept",
        "    transport = t",
        "",
        "  r2:",
        "    driver = accept",
        "    transport = t",
        "",
        "begin transports",
        "",
        "  t:",
        "    driver = smtp",
        "    hosts = 5",
        "",
        "begin authenticators",
        "",
        "  p:",
        "    driver = plaintext",
        "    hide client_send = s",
    ]


def test_source_for_others(ask: Any) -> None:
    lines, _ = ask("config", is_admin=False, is_terse=True)
    assert "hide timezone = <value not displayable>" in lines
    assert "hide client_send = <value not displayable>" in lines
    assert "begin acl" in lines
