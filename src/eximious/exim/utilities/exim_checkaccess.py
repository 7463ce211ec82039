"""``exim_checkaccess``: would a host be allowed to send to an address?"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from eximious.exim.utilities import complain, program, run

USAGE: Final = "Usage: exim_checkaccess <IP address> <email address> [exim options]"
REPLY: Final = re.compile(r"^\d\d\d[ -]", re.MULTILINE)


def console() -> NoReturn:
    """The installed script."""
    run(main)


def main(arguments: list[str]) -> int:
    """A host, an address, and options for exim; -f gives the sender."""
    if len(arguments) < 2:
        return complain(USAGE)
    host, recipient, *options = arguments
    sender = "<>"
    if "-f" in options[:-1]:
        at = options.index("-f")
        sender = options[at + 1]
        del options[at : at + 2]
    sender = sender if sender.startswith("<") else f"<{sender}>"
    dialogue = f"HELO [{host}]\r\nMAIL FROM:{sender}\r\nRCPT TO:<{recipient}>\r\nQUIT\r\n"
    output = program.output([program.find(), *options, "-bh", host], dialogue)
    refusal = first_refusal(output)
    print("Accepted" if refusal is None else f"Rejected:\n  {refusal}")
    return 0


def first_refusal(output: str) -> str | None:
    """The first reply of the dialogue that is a refusal; lines of a reply are put on lines of their own."""
    replies = [line for line in output.splitlines() if REPLY.match(line)]
    refused = [line for line in replies if line[0] in "45"]
    return "\n  ".join(refused) if refused else None
