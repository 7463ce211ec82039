"""``exim -be``: what strings expand to; ``-bem FILE``: the same with a message at hand."""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from eximious.errors import Defer, ExpandError
from eximious.expand.template import compile, expand
from eximious.octets import SPACE
from eximious.taint import taint, untainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.exim.invocation import Invocation

_SETTING = re.compile(r"set(,t)? (.*)\Z", re.DOTALL)
_VARIABLE = re.compile(r"\s*(acl_[cm](?:_[A-Za-z0-9_]*|[0-9][A-Za-z0-9_]*))\s*=\s*(.*)\Z", re.DOTALL)
_MACRO = re.compile(r"([A-Z][A-Za-z0-9_]*)\s*(==?)\s*(.*)\Z", re.DOTALL)


def run(call: Invocation) -> int:
    """Expand the arguments, or the lines of standard input if there are none. The exit status is always 0."""
    context = call.context()
    if call.line.test_message:
        from eximious.exim.test_message import read_test_message

        read_test_message(call, context, call.line.test_message)
    elif call.line.load_message:
        if not load_message(context, call.line.load_message):
            call.complain(f"exim: failed to read message {call.line.load_message} for -Mset")
            return 1
    else:
        context.message.sender = sender_of(call)
        describe_caller(call, context)
    macros = Macros(call.config.macros if call.services.admin else {})
    if call.line.debug and call.services.admin:
        show_macros(call)
    if call.line.arguments:
        for argument in call.line.arguments:
            sys.stdout.write(answer(context, macros, argument) + "\n")
            sys.stdout.flush()
        return 0
    gc.freeze()  # strings make no cycles: looking for some after every few of them would only take time
    gc.set_threshold(100_000)
    for line in prompted_lines():
        sys.stdout.write(answer(context, macros, line) + "\n")  # flushed before the next line is read
    sys.stdout.write("\n")
    return 0


def show_macros(call: Invocation) -> None:
    """With debugging: the macros, those of the file and then those of the command line, as given and as in effect."""
    given = call.line.macros
    for name, value in call.config.macros.items():
        if not name.startswith("_") and name not in given:
            call.print(f"macro '{name}' -> '{value}'")
    for name, value in given.items():
        call.print(f"macro '{name}' -> '{value}'")
        call.print(f"macro '{name}' -> '{call.config.macros.get(name, value)}'")


def sender_of(call: Invocation) -> str:
    """Who would be the sender of a message submitted now: the address of ``-f``, or the caller's."""
    if call.line.sender is not None:
        return call.line.sender
    import pwd

    main = call.config.main
    try:
        login = pwd.getpwuid(call.caller.uid).pw_name
    except KeyError:
        login = str(call.caller.uid)
    return f"{login}@{main.qualify_domain or main.primary_hostname}"


def describe_caller(call: Invocation, context: Context) -> None:
    """What variables say of who runs this, as if a message came from there."""
    from eximious.exim.submission import describe_client, submitter_of

    submitter = submitter_of(call, context)
    context.client.authenticated_id = submitter.login
    context.message.authenticated_sender = submitter.address
    describe_client(call, context, submitter)


def load_message(context: Context, message_id: str) -> bool:
    """Make a message of the queue the one that variables are about (``-Mset``); False if there is no such message."""
    claimed = context.services.spool.claim(message_id)
    if claimed is None:
        return False
    context.message = claimed.message
    context.message.body = claimed.body
    context.client = claimed.message.client
    context.facts["recipients_visible"] = True
    return True


def physical_lines() -> Iterator[str]:
    """The lines of standard input, without their ends. What was written is seen before input is waited for."""
    read = sys.stdin.buffer.read1  # type: ignore[union-attr]
    rest = ""
    while True:
        sys.stdout.flush()  # a person may be typing
        data = read(65536)
        if not data:
            break
        lines = (rest + data.decode("latin-1")).split("\n")
        rest = lines.pop()
        yield from lines
    if rest:
        yield rest


def prompted_lines() -> Iterator[str]:
    """The lines of standard input. A backslash at the end continues one; the next part loses its white space before."""
    line = ""
    continued = False
    write = sys.stdout.write
    write("> ")
    for physical in physical_lines():
        part = physical.rstrip(" \t\r")
        if continued:
            part = part.lstrip(" \t")
        continued = part.endswith("\\")
        if continued:
            line += part[:-1]
            continue
        yield line + part
        line = ""
        write("> ")
    if continued:
        yield line


def answer(context: Context, macros: Macros, line: str) -> str:
    """What to show for a line: an expansion, or that a macro or variable was set."""
    if line[:1] != "$":  # nothing that begins so is a definition
        defined = macros.define(line)
        if defined:
            return defined
    line = macros.replace(line)
    setting = _SETTING.match(line) if line.startswith("set") else None
    if setting is not None:
        return set_variable(context, setting[2], is_tainted=setting[1] is not None)
    try:
        return compile(line).expand(context)  # hardly any line comes twice, so none is kept
    except (ExpandError, Defer) as error:
        return f"Failed: {error}"


def set_variable(context: Context, text: str, *, is_tainted: bool) -> str:
    """``set acl_m_name = value``."""
    found = _VARIABLE.match(text)
    if found is None:
        return "Failed: malformed ACL variable setting"
    name = found[1][4:]
    try:
        value = expand(found[2], context)
    except (ExpandError, Defer) as error:
        return f"Failed: {error}"
    variables = context.client.acl_variables if name.startswith("c") else context.message.acl_variables
    variables[name] = taint(value) if is_tainted else untainted(value)
    return f"variable {name} set"


class Macros:
    """The macros known to this run: the configuration's, for those who may see them, and those typed in."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = dict(known)
        self._pattern: re.Pattern[str] | None = None

    def define(self, line: str) -> str:
        """Take ``NAME=text`` or ``NAME==text`` and say so; an empty string if the line is something else."""
        found = _MACRO.match(line)
        if found is None:
            return ""
        name = found[1]
        self._known[name] = self.replace(found[3].rstrip(SPACE))
        self._pattern = None
        return f"Defined macro '{name}'"

    def replace(self, line: str) -> str:
        """The line with the names of macros replaced."""
        if not self._known:
            return line
        if self._pattern is None:
            names = sorted(map(re.escape, self._known), key=len, reverse=True)
            self._pattern = re.compile("|".join(names))
        return self._pattern.sub(lambda match: self._known[match[0]], line)
