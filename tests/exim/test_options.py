"""The command line: what each option sets, and the complaints about those that are wrong."""

from __future__ import annotations

from typing import Any

import pytest

from eximious.exim import combinations, modes
from eximious.exim.command_line import CommandLine, CommandLineError
from eximious.exim.options import OPTIONS, parse

MESSAGE = "1rYxXx-000000001xy-0abc"
OTHER = "1rYxXy-000000001xz-0abc"


def read(*words: str, program: str = "exim") -> CommandLine:
    return parse([program, *words])


SETTINGS: list[tuple[list[str], dict[str, Any]]] = [
    (["-bd"], {"modes": ["bd"], "is_foreground": False}),
    (["-bdf"], {"modes": ["bd"], "is_foreground": True}),
    (["-bs"], {"modes": ["bs"]}),
    (["-bem", "/m", "$x"], {"modes": ["be"], "test_message": "/m", "arguments": ["$x"]}),
    (
        ["-bf", "/f", "-bfd", "d.example", "-bfl", "u", "-bfp", "p-", "-bfs", "-s"],
        {"filter_file": "/f", "filter_suffix": "-s"},
    ),
    (["-bF", "/s", "-bf", "/u"], {"modes": ["bf", "bf"], "system_filter_file": "/s", "filter_file": "/u"}),
    (["-bh", "192.0.2.1"], {"modes": ["bh"], "test_address": "192.0.2.1", "test_callouts": False}),
    (["-bhc", "192.0.2.1"], {"modes": ["bh"], "test_callouts": True}),
    (["-bI:help"], {"modes": ["bI"], "information": "help"}),
    (["-bp"], {"modes": ["bp"], "listing": ""}),
    (["-bpra"], {"modes": ["bp"], "listing": "ra"}),
    (["-bP", "spool_directory", "-bV"], {"modes": ["bP"], "arguments": ["spool_directory", "-bV"]}),
    (["-n", "-bP"], {"is_terse": True}),
    (["-bvs", "a@b"], {"modes": ["bv"], "verify_as_sender": True}),
    (["-bw"], {"modes": ["bw"], "wait_timeout": 0}),
    (["-bw5m"], {"modes": ["bw"], "wait_timeout": 300}),
    (["-C", "/a:/b"], {"config_files": "/a:/b"}),
    (["-DA=1", "-D B = two ", "-DC"], {"macros": {"A": "1", "B": "two ", "C": ""}}),
    (["-E"], {"is_local_error": True, "bounced_id": ""}),
    (["-E" + MESSAGE], {"is_local_error": True, "bounced_id": MESSAGE}),
    (["-F", "Full Name"], {"sender_name": "Full Name"}),
    (["-FName"], {"sender_name": "Name"}),
    (["-f", "a@b"], {"sender": "a@b"}),
    (["-fa@b"], {"sender": "a@b"}),
    (["-r", "a@b"], {"sender": "a@b"}),
    (["-f", ""], {"sender": ""}),
    (["-G"], {"suppress_fixups": True}),
    (["-h", "3", "x"], {"arguments": ["x"]}),
    (["-i"], {"dot_is_data": True}),
    (["-oitrue"], {"dot_is_data": True}),
    (["-ti"], {"recipients_from_header": True, "dot_is_data": True}),
    (["-L", "tag"], {"syslog_name": "tag"}),
    (["-M", MESSAGE, OTHER], {"message_action": "deliver", "message_ids": [MESSAGE, OTHER]}),
    (["-Mc", MESSAGE], {"message_action": "c", "message_ids": [MESSAGE]}),
    (["-Mar", MESSAGE, "a@b"], {"message_action": "ar", "message_ids": [MESSAGE], "arguments": ["a@b"]}),
    (["-MG", "q", MESSAGE], {"message_action": "G", "new_queue": "q", "message_ids": [MESSAGE]}),
    (["-Mset", MESSAGE, "-be", "x"], {"load_message": MESSAGE, "modes": ["be"], "arguments": ["x"]}),
    (["-N"], {"dont_deliver": True, "verbose": True}),
    (["-O", "x", "-X", "file", "-B8BITMIME", "-U", "-x", "-m", "-om", "-oo", "-Ac"], {"arguments": []}),
    (["-oB"], {"connection_max_messages": 1}),
    (["-oB", "5"], {"connection_max_messages": 5}),
    (["-oB7"], {"connection_max_messages": 7}),
    (["-odb"], {"delivery": "b"}),
    (["-odf"], {"delivery": "i"}),
    (["-odi"], {"delivery": "i"}),
    (["-odq"], {"delivery": "q"}),
    (["-odqs"], {"delivery": "", "queue_smtp": True}),
    (["-oep"], {"error_reports": "p"}),
    (["-eq"], {"error_reports": "q"}),
    (["-oMa", "192.0.2.1.25", "-oMs", "h", "-oMt", "i", "-oMr", "p"], {"host_address": "192.0.2.1.25", "ident": "i"}),
    (["-oMaa", "n", "-oMai", "id", "-oMas", "s@x"], {"authenticator": "n", "authenticated_sender": "s@x"}),
    (["-oP", "/pid", "-oX", "25:26", "-oY"], {"pid_file": "/pid", "listen_on": "25:26", "no_notifier": True}),
    (["-or", "5m"], {"receive_timeout": 300}),
    (["-os1h"], {"smtp_receive_timeout": 3600}),
    (["-pesmtp:host"], {"protocol": "esmtp", "host_name": "host"}),
    (["-pd"], {"protocol": ""}),
    (["-tls-on-connect"], {"tls_on_connect": True}),
    (["-v"], {"verbose": True}),
    (["-z", "words"], {"log_line": "words"}),
    (["--", "-bd"], {"modes": [], "arguments": ["-bd"]}),
    (["a@b", "-bd"], {"modes": [], "arguments": ["a@b", "-bd"]}),
]


@pytest.mark.parametrize(("words", "expected"), SETTINGS)
def test_setting(words: list[str], expected: dict[str, Any]) -> None:
    line = read(*words)
    assert {name: getattr(line, name) for name in expected} == expected


PROGRAMS = [
    ("mailq", [], ["bp"], ""),
    ("runq", [], [], ""),
    ("rsmtp", [], ["bS"], ""),
    ("newaliases", [], ["bi"], ""),
    ("rmail", ["a@b"], [], "e"),
    ("sendmail", ["-t"], [], ""),
]


@pytest.mark.parametrize(("program", "words", "expected", "reports"), PROGRAMS)
def test_program_names(program: str, words: list[str], expected: list[str], reports: str) -> None:
    line = read(*words, program=f"/usr/lib/{program}")
    assert (line.modes, line.error_reports) == (expected, reports)
    assert bool(line.queue_runs) == (program == "runq")


UNKNOWN = "exim abandoned: unknown, malformed, or incomplete option"
COMPLAINTS = [
    (["-zz"], f"{UNKNOWN} -zz"),
    (["-b"], f"{UNKNOWN} -b"),
    (["-bZ"], f"{UNKNOWN} -bZ"),
    (["-"], f"{UNKNOWN} -"),
    (["-C"], f"{UNKNOWN} -C"),
    (["-f"], f"{UNKNOWN} -f"),
    (["-T"], f"{UNKNOWN} -T"),
    (["-odz"], f"{UNKNOWN} -odz"),
    (["-vx"], f"{UNKNOWN} -vx"),
    (["-tls-on-connectx"], f"{UNKNOWN} -tls-on-connectx"),
    (["--foo"], f"{UNKNOWN} --foo"),
    (["-q", "foo"], f"{UNKNOWN} -q"),
    (["-Mvx", MESSAGE], f"{UNKNOWN} -Mvx"),
    (["-M"], "exim: no message ids given after -M option"),
    (["-M", "foo"], "exim: malformed message id foo after -M option"),
    (["-Mrm", MESSAGE, "-bd"], "exim: malformed message id -bd after -Mrm option"),
    (["-MG", "q"], "exim: no message ids given after -MG option"),
    (["-MG"], "exim: bad item for: -MG"),
    (["-Mset", "xx", "-be", "a"], "exim: malformed message id xx after -Mset option"),
    (["-bf"], "exim: string expected after -bf"),
    (["-X"], "exim: string expected after -X"),
    (["-O"], "exim: string expected after -O"),
    (["-oA"], "exim: string expected after -oA"),
    (["-oMs"], "exim: data expected after -oMs"),
    (["-oBx"], "exim: number expected after -oB"),
    (["-or", "xx"], "exim: bad time value xx: abandoned"),
    (["-os"], "exim: bad time value -os: abandoned"),
    (["-q5x"], "exim: bad time value -q5x: abandoned"),
    (["-qz"], "exim: bad time value -qz: abandoned"),
    (["-R"], "exim: string expected after -R"),
    (["-Rf"], "exim: string expected after -R"),
    (["-S"], "exim: string expected after -S"),
    (["-D1=2"], "exim: macro name set by -D must start with an upper case letter"),
    (["-D"], "exim: macro name set by -D must start with an upper case letter"),
    (["-DA", "-DA"], "exim: duplicated -D option (only one definition of a macro is allowed): A"),
    (["-d+nothing"], "exim: unknown debug_selector setting: +nothing"),
    (["-d-foo"], "exim: unknown debug_selector setting: -foo"),
    (["-doo"], 'exim: malformed debug_selector setting: + or - expected but found "oo"'),
    (["-p"], "exim: bad item for: -p"),
]


@pytest.mark.parametrize(("words", "message"), COMPLAINTS)
def test_complaint(words: list[str], message: str) -> None:
    with pytest.raises(CommandLineError) as caught:
        read(*words)
    assert (str(caught.value), caught.value.status) == (message, 1)


def test_macros_are_bounded() -> None:
    with pytest.raises(CommandLineError, match="too many -D options"):
        read(*(f"-DM{number}" for number in range(11)))


def test_every_option_has_a_way_to_act() -> None:
    assert all((rule.act is None) != (rule.use is None) for rule in OPTIONS.values())


INCOMPATIBLE = [
    ["-bd", "-bt"],
    ["-bd", "-q"],
    ["-bd", "-f", "x"],
    ["-bd", "x@y"],
    ["-bp", "-bd"],
    ["-bP", "-bs"],
    ["-bi", "x"],
    ["-bf", "/dev/null", "-bs"],
    ["-bf", "/dev/null", "x"],
    ["-bs", "-t"],
    ["-bs", "-f", "x@y"],
    ["-bt", "-bs"],
    ["-bv", "-bd"],
    ["-bw", "-q5m"],
    ["-q5m", "-bp"],
    ["-t", "-bt"],
    ["-Mset", MESSAGE],
]


@pytest.mark.parametrize("words", INCOMPATIBLE)
def test_incompatible(words: list[str]) -> None:
    with pytest.raises(CommandLineError, match="incompatible command-line options or arguments"):
        combinations.check(read(*words))


COMPATIBLE: list[tuple[list[str], str]] = [
    ([], "help"),
    (["--help"], "help"),
    (["-bV", "-bd"], "bV"),
    (["-bd", "-q15m"], "bd"),
    (["-q5m"], "bd"),
    (["-q"], "queue run"),
    (["-qff"], "queue run"),
    (["-R", "x"], "queue run"),
    (["-qGname", "-bp"], "bp"),
    (["-qGname", "-Mf", MESSAGE], "M"),
    (["-qGname"], "queue run"),
    (["-M", MESSAGE], "M"),
    (["-bs"], "bs"),
    (["-bS"], "bS"),
    (["-bh", "192.0.2.1"], "bh"),
    (["-bt", "x"], "bt"),
    (["-bm", "x"], "bm"),
    (["x"], "bm"),
    (["-t"], "bm"),
    (["-z", "text"], "z"),
    (["-be", "-Mset", MESSAGE, "x"], "be"),
    (["-odq"], "help"),
]


@pytest.mark.parametrize(("words", "mode"), COMPATIBLE)
def test_mode(words: list[str], mode: str) -> None:
    line = read(*words)
    combinations.check(line)
    assert modes.mode_of(line) == mode
