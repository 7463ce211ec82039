"""``exinext``: when the next try is due for an address, a domain, a local part or a message."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final, NoReturn

from eximious.errors import ConfigError
from eximious.exim.utilities import complain, program, run
from eximious.exim.utilities.exim_dumpdb import local, open_hints
from eximious.hints.record import Retry
from eximious.hints.store import HintsError
from eximious.spool.message_id import is_message_id

USAGE: Final = "Usage: exinext <address>|<domain>|<local-part>"
HOST: Final = re.compile(r"^\s+host (\S+)\s+\[(.+?)\]", re.MULTILINE)
SENDER: Final = re.compile(r"(?<=.):<[^<>]*>$")  # of a message to which an address deferred
KINDS: Final = {"R": "Route: ", "T": "Transport: "}


def console() -> NoReturn:
    """The installed script."""
    run(main)


def main(arguments: list[str]) -> int:
    """-C and -D for exim, then what to look for."""
    from eximious.exim import start
    from eximious.exim.command_line import CommandLineError
    from eximious.exim.options import parse

    try:
        line = parse(["exinext", *arguments])
        if len(line.arguments) != 1:
            return complain(USAGE)
        config = start.load_configuration(line)
    except (CommandLineError, ConfigError) as error:
        return complain(str(error))
    wanted = line.arguments[0]
    options = arguments[:-1]
    hosts: list[str] = []
    if not is_message_id(wanted) and ("@" in wanted or "." in wanted):
        hosts = hosts_of(wanted, [program.find(usable(config.main.exim_path)), *options])
        if not hosts:
            print(f"No remote hosts found for {wanted}")
    try:
        records = open_hints(config.main.spool_directory, "retry").table("retry", Retry).items()
    except HintsError:
        records = iter(())
    found = [show(key, record) for key, record in records if concerns(key, wanted, hosts)]
    print("\n".join(found) if found else f"No retry data found for {wanted}")
    return 0


def usable(path: str) -> str:
    """The path if a program is there, else ""."""
    return path if os.access(path, os.X_OK) else ""


def hosts_of(wanted: str, exim: list[str]) -> list[str]:
    """The names and addresses of the hosts to which mail for the domain goes, as routing has it."""
    address = wanted if "@" in wanted else f"postmaster@{wanted}"
    text = program.output([*exim, "-bt", address])
    return [part for found in HOST.findall(text) for part in found]


def concerns(key: str, wanted: str, hosts: Iterable[str]) -> bool:
    """True if the retry record is about what is looked for, or about one of its hosts."""
    subject = SENDER.sub("", key[2:].lower())
    lower = wanted.lower()
    if is_message_id(wanted):
        return key.endswith(f":{wanted}")
    if "@" in lower:
        own = subject == lower or subject == lower.rpartition("@")[2]
    elif "." in lower:
        own = subject == lower or subject.endswith(f"@{lower}")
    else:
        own = subject.startswith(f"{lower}@")
    names = {part for host in (lower, *map(str.lower, hosts)) for part in (host, f"[{host}]")}
    return own or any(part in names for part in subject.split(":"))


def show(key: str, record: Retry) -> str:
    """One record in a few lines."""
    kind, _, subject = key.partition(":")
    host, colon, rest = subject.partition(":")
    name = f"{host} {rest}" if colon and "@" not in host else subject
    lines = [
        f"{KINDS.get(kind, kind)}{name} error {record.errno}: {record.text}",
        f"  first failed: {local(record.first_failed)}",
        f"  last tried:   {local(record.last_try)}",
        f"  next try at:  {local(record.next_try)}",
    ]
    if record.expired:
        lines.append("  past final cutoff time")
    return "\n".join(lines)
