"""Every option of the command line: how it takes its value, what it sets. (Exim specification, "Command line options".)

`parse` reads a whole command line. An option is looked up as it is written; if it is not in the table, as the longest
name in the table that it begins with and that may have its value glued to it (``-fuser@example.org``).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from typing import Final

from eximious.exim import debug
from eximious.exim.command_line import CommandLine, CommandLineError
from eximious.exim.message_options import message_option
from eximious.exim.queue_options import queue_option, selection_option
from eximious.exim.times import seconds

# How an option takes its value.
ALONE: Final = 0  # it has none
NEXT: Final = 1  # the following word
GLUED: Final = 2  # the rest of the word, which may be empty
EITHER: Final = 3  # the rest of the word, or if that is empty the following word
REST: Final = 4  # the action sees everything that follows, and says how much of it it used

MALFORMED: Final = "exim abandoned: unknown, malformed, or incomplete option {word}"
STRING: Final = "exim: string expected after {word}"
DATA: Final = "exim: data expected after {word}"

PROGRAM_NAMES: Final = {
    "mailq": ["-bp"],
    "rsmtp": ["-bS"],
    "rmail": ["-i", "-oee"],
    "runq": ["-q"],
    "newaliases": ["-bi"],
}
ARGUMENT_LIMIT: Final = 1 << 20  # octets that one word may have; more than anything legitimate
MACROS_LIMIT: Final = 10  # -D options; Exim's limit
MACRO_NAME_LIMIT: Final = 22

Action = Callable[[CommandLine, str], None]
RestAction = Callable[[CommandLine, str, deque[str]], int]


class Rule:
    """One option."""

    __slots__ = ("act", "missing", "takes", "use")

    def __init__(
        self, takes: int, act: Action | None = None, missing: str = MALFORMED, use: RestAction | None = None
    ) -> None:
        self.takes = takes
        self.act = act
        self.use = use  # for REST, in place of `act`
        self.missing = missing  # the complaint if there is no value


def parse(argv: list[str]) -> CommandLine:
    """Read a command line, program name and all. Raises CommandLineError."""
    line = CommandLine(os.path.basename(argv[0]) if argv else "")
    line.words = argv[1:]
    line.called_as = argv[0] if argv else ""
    words = deque(PROGRAM_NAMES.get(line.program, []) + line.words)
    if line.program == "rmail":
        line.error_reports = "e"
    while words:
        word = words[0]
        if len(word) > ARGUMENT_LIMIT:
            raise CommandLineError("exim: argument too long")
        if not word.startswith("-"):
            break
        words.popleft()
        if word == "--":
            line.has_options_end = True
            break
        for _ in range(_option(line, word, words)):
            words.popleft()
    line.arguments += words
    return line


def _option(line: CommandLine, word: str, following: deque[str]) -> int:
    """Obey one option; gives the number of following words that it took."""
    name, rule = _find(word)
    if rule.use is not None:
        return rule.use(line, word, following)
    assert rule.act is not None
    if rule.takes == ALONE:
        rule.act(line, word)
        return 0
    glued = word[len(name) :]
    if rule.takes == GLUED or glued:
        rule.act(line, glued)
        return 0
    if not following:
        raise CommandLineError(rule.missing.format(word=word))
    rule.act(line, following[0])
    return 1


def _find(word: str) -> tuple[str, Rule]:
    """The table's name and rule for an option as it is written. Raises CommandLineError."""
    rule = OPTIONS.get(word)
    if rule is not None:
        return word, rule
    for end in range(min(len(word) - 1, 16), 1, -1):
        rule = OPTIONS.get(word[:end])
        if rule is not None and rule.takes in (GLUED, EITHER, REST):
            return word[:end], rule
    raise CommandLineError(MALFORMED.format(word=word))


# What options do.


def _nothing(line: CommandLine, value: str) -> None:
    """The option is known, for Sendmail's sake, and has no effect."""


def _store(field: str) -> Action:
    def act(line: CommandLine, value: str) -> None:
        setattr(line, field, value)

    return act


def _turn_on(*fields: str) -> Action:
    def act(line: CommandLine, value: str) -> None:
        for field in fields:
            setattr(line, field, True)

    return act


def _mode(mode: str, *fields: str) -> Action:
    def act(line: CommandLine, value: str) -> None:
        line.modes.append(mode)
        for field in fields:
            setattr(line, field, True)

    return act


def _mode_with(mode: str, field: str, *flags: str) -> Action:
    """A mode that takes a value."""

    def act(line: CommandLine, value: str) -> None:
        line.modes.append(mode)
        setattr(line, field, value)
        for flag in flags:
            setattr(line, flag, True)

    return act


def _list_queue(letters: str) -> Action:
    def act(line: CommandLine, value: str) -> None:
        line.modes.append("bp")
        line.listing = letters

    return act


def _delivery(how: str) -> Action:
    def act(line: CommandLine, value: str) -> None:
        line.delivery = how

    return act


def _queue_smtp(line: CommandLine, value: str) -> None:
    line.queue_smtp = True


def _error_reports(letter: str) -> Action:
    def act(line: CommandLine, value: str) -> None:
        line.error_reports = letter

    return act


def _time(field: str) -> Action:
    def act(line: CommandLine, value: str) -> None:
        setattr(line, field, seconds(value))

    return act


def _inetd_wait(line: CommandLine, value: str) -> None:
    line.modes.append("bw")
    line.wait_timeout = seconds(value, "-bw" + value) if value else 0


def _config_files(line: CommandLine, value: str) -> None:
    line.config_files = value


def _macro(line: CommandLine, value: str) -> None:
    name, equals, text = value.partition("=")
    name, text = (name.strip(), text.lstrip()) if equals else (name.strip(), "")
    if not name or not ("A" <= name[0] <= "Z"):
        raise CommandLineError("exim: macro name set by -D must start with an upper case letter")
    word = "".join(c for c in name if c.isascii() and (c.isalnum() or c == "_"))
    if word != name:
        raise CommandLineError(MALFORMED.format(word="-D" + value))
    if len(name) > MACRO_NAME_LIMIT:
        raise CommandLineError("exim: macro name too long")
    if name in line.macros:
        raise CommandLineError(f"exim: duplicated -D option (only one definition of a macro is allowed): {name}")
    if len(line.macros) >= MACROS_LIMIT:
        raise CommandLineError("exim: too many -D options on command line")
    line.macros[name] = text


def _debug(line: CommandLine, value: str) -> None:
    daemon_only = value.startswith("d") and value[1:2] in ("", "+", "-")
    try:
        line.debug = debug.parse(value[1:] if daemon_only else value)
    except ValueError as error:
        raise CommandLineError(f"exim: {error}") from None
    line.debug_daemon_only = daemon_only
    line.verbose = True


def _protocol_and_host(line: CommandLine, value: str) -> None:
    if value in ("d", "s"):  # -pd and -ps are about an embedded Perl, of which there is none
        return
    if not value:
        raise CommandLineError("exim: bad item for: -p")
    protocol, colon, host = value.partition(":")
    line.protocol = protocol
    if colon:
        line.host_name = host


def _local_error(line: CommandLine, value: str) -> None:
    line.is_local_error = True
    line.bounced_id = value


def _optional_word(line: CommandLine, word: str, following: deque[str]) -> int:
    """``-B``: a type may be glued to it or follow."""
    return 1 if len(word) == 2 and following and not following[0].startswith("-") else 0


def _optional_number(line: CommandLine, word: str, following: deque[str]) -> int:
    """``-oB``: a number may be glued to it or follow; without one it is 1."""
    glued = word[3:]
    text = glued
    if not glued and following and not following[0].startswith("-"):
        text = following[0]
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise CommandLineError(f"exim: number expected after {word[:3]}")
    line.connection_max_messages = int(text) if text else 1
    return 0 if glued or not text else 1


def _information(line: CommandLine, value: str) -> None:
    line.modes.append("bI")
    line.information = value


def _syslog_name(line: CommandLine, value: str) -> None:
    if len(value) > 32:
        raise CommandLineError('exim: the -L syslog name is too long: "' + value[:64] + '"')
    line.syslog_name = value


OPTIONS: Final[dict[str, Rule]] = {
    "--help": Rule(ALONE, _mode("help")),
    "--version": Rule(ALONE, _mode("bV")),
    "-Ac": Rule(ALONE, _nothing),
    "-Am": Rule(ALONE, _nothing),
    "-B": Rule(REST, use=_optional_word),
    "-C": Rule(NEXT, _config_files),
    "-D": Rule(GLUED, _macro),
    "-E": Rule(GLUED, _local_error),
    "-F": Rule(EITHER, _store("sender_name")),
    "-G": Rule(ALONE, _turn_on("suppress_fixups")),
    "-L": Rule(EITHER, _syslog_name),
    "-M": Rule(REST, use=message_option),
    "-N": Rule(ALONE, _turn_on("dont_deliver", "verbose")),
    "-O": Rule(EITHER, _nothing, STRING),
    "-R": Rule(REST, use=selection_option),
    "-S": Rule(REST, use=selection_option),
    "-U": Rule(GLUED, _nothing),
    "-X": Rule(NEXT, _nothing, STRING),
    "-bF": Rule(NEXT, _mode_with("bf", "system_filter_file"), STRING),
    "-bI:": Rule(GLUED, _information),
    "-bP": Rule(ALONE, _mode("bP")),
    "-bS": Rule(ALONE, _mode("bS")),
    "-bV": Rule(ALONE, _mode("bV")),
    "-bd": Rule(ALONE, _mode("bd")),
    "-bdf": Rule(ALONE, _mode("bd", "is_foreground")),
    "-be": Rule(ALONE, _mode("be")),
    "-bem": Rule(NEXT, _mode_with("be", "test_message")),
    "-bf": Rule(NEXT, _mode_with("bf", "filter_file"), STRING),
    "-bfd": Rule(NEXT, _store("filter_domain"), STRING),
    "-bfl": Rule(NEXT, _store("filter_local_part"), STRING),
    "-bfp": Rule(NEXT, _store("filter_prefix"), STRING),
    "-bfs": Rule(NEXT, _store("filter_suffix"), STRING),
    "-bh": Rule(NEXT, _mode_with("bh", "test_address")),
    "-bhc": Rule(NEXT, _mode_with("bh", "test_address", "test_callouts")),
    "-bi": Rule(ALONE, _mode("bi")),
    "-bm": Rule(ALONE, _mode("bm")),
    "-bmalware": Rule(NEXT, _mode_with("bmalware", "scan_file")),
    "-bnq": Rule(ALONE, _turn_on("no_qualification")),
    "-bp": Rule(ALONE, _list_queue("")),
    "-bpa": Rule(ALONE, _list_queue("a")),
    "-bpc": Rule(ALONE, _list_queue("c")),
    "-bpi": Rule(ALONE, _list_queue("i")),
    "-bpr": Rule(ALONE, _list_queue("r")),
    "-bpra": Rule(ALONE, _list_queue("ra")),
    "-bpri": Rule(ALONE, _list_queue("ri")),
    "-bpru": Rule(ALONE, _list_queue("ru")),
    "-bpu": Rule(ALONE, _list_queue("u")),
    "-brt": Rule(ALONE, _mode("brt")),
    "-brw": Rule(ALONE, _mode("brw")),
    "-bs": Rule(ALONE, _mode("bs")),
    "-bt": Rule(ALONE, _mode("bt")),
    "-bv": Rule(ALONE, _mode("bv")),
    "-bvs": Rule(ALONE, _mode("bv", "verify_as_sender")),
    "-bw": Rule(GLUED, _inetd_wait),
    "-d": Rule(GLUED, _debug),
    "-dropcr": Rule(ALONE, _nothing),
    "-f": Rule(EITHER, _store("sender")),
    "-h": Rule(REST, use=_optional_word),
    "-i": Rule(ALONE, _turn_on("dot_is_data")),
    "-m": Rule(ALONE, _nothing),
    "-n": Rule(GLUED, _turn_on("is_terse")),
    "-oA": Rule(NEXT, _store("alias_file"), STRING),
    "-oB": Rule(REST, use=_optional_number),
    "-oMa": Rule(NEXT, _store("host_address"), DATA),
    "-oMaa": Rule(NEXT, _store("authenticator"), DATA),
    "-oMai": Rule(NEXT, _store("authenticated_id"), DATA),
    "-oMas": Rule(NEXT, _store("authenticated_sender"), DATA),
    "-oMi": Rule(NEXT, _store("interface"), DATA),
    "-oMm": Rule(NEXT, _store("message_reference"), DATA),
    "-oMr": Rule(NEXT, _store("protocol"), DATA),
    "-oMs": Rule(NEXT, _store("host_name"), DATA),
    "-oMt": Rule(NEXT, _store("ident"), DATA),
    "-oP": Rule(NEXT, _store("pid_file")),
    "-oPX": Rule(ALONE, _turn_on("remove_pid_file")),
    "-oX": Rule(NEXT, _store("listen_on")),
    "-oY": Rule(ALONE, _turn_on("no_notifier")),
    "-odb": Rule(ALONE, _delivery("b")),
    "-odd": Rule(ALONE, _nothing),
    "-odf": Rule(ALONE, _delivery("i")),
    "-odi": Rule(ALONE, _delivery("i")),
    "-odq": Rule(ALONE, _delivery("q")),
    "-odqs": Rule(ALONE, _queue_smtp),
    "-oi": Rule(ALONE, _turn_on("dot_is_data")),
    "-oitrue": Rule(ALONE, _turn_on("dot_is_data")),
    "-om": Rule(ALONE, _nothing),
    "-oo": Rule(ALONE, _nothing),
    "-or": Rule(EITHER, _time("receive_timeout"), "exim: bad time value {word}: abandoned"),
    "-os": Rule(EITHER, _time("smtp_receive_timeout"), "exim: bad time value {word}: abandoned"),
    "-ov": Rule(ALONE, _turn_on("verbose")),
    "-p": Rule(GLUED, _protocol_and_host),
    "-q": Rule(REST, use=queue_option),
    "-r": Rule(EITHER, _store("sender")),
    "-t": Rule(ALONE, _turn_on("recipients_from_header")),
    "-ti": Rule(ALONE, _turn_on("recipients_from_header", "dot_is_data")),
    "-tls-on-connect": Rule(ALONE, _turn_on("tls_on_connect")),
    "-v": Rule(ALONE, _turn_on("verbose")),
    "-x": Rule(ALONE, _nothing),
    "-z": Rule(NEXT, _store("log_line"), "exim: file name expected after {word}"),
}

for _letter in "empqw":
    OPTIONS["-oe" + _letter] = OPTIONS["-e" + _letter] = Rule(ALONE, _error_reports(_letter))
