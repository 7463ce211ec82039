"""``python -m eximious.mailauth FILE.eml``: the full verdict for a message, with its reasons, and what would mend it.

The file may be ``-`` for the standard input. ``--ip``, ``--helo`` and ``--from`` say who sent it; what is not given is
taken from the topmost Received and Return-Path fields. ``--dns FILE`` answers from a file instead of the network.

Exit status: 0 if DMARC passes, or no domain of From has a record; 1 if it fails; 2 for wrong arguments; 75 if a DNS
server failed, so that it cannot be told.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from eximious.mailauth import dmarc, zone
from eximious.mailauth.explain import explain

if TYPE_CHECKING:
    from eximious.mailauth.resolver import Resolver


def main(arguments: list[str] | None = None, resolver: Resolver | None = None) -> int:
    """Read the arguments, print the verdict."""
    parser = argparse.ArgumentParser(prog="python -m eximious.mailauth", description="The full verdict for a message.")
    parser.add_argument("file", help="the message; - for the standard input")
    parser.add_argument("--ip", default="", help="the address of the client that sent it")
    parser.add_argument("--helo", default="", help="the name that the client gave")
    parser.add_argument("--from", dest="mail_from", help="the envelope sender; empty for the null sender")
    parser.add_argument("--dns", help="answer from the records in this file")
    parser.add_argument("--rfc7489", action="store_true", help="DMARC with the public suffix list")
    options = parser.parse_args(arguments)
    try:
        message = sys.stdin.buffer.read() if options.file == "-" else Path(options.file).read_bytes()
        if options.dns is not None:
            resolver = zone.read(Path(options.dns).read_text(encoding="utf-8"))
    except OSError as error:
        parser.error(f"{error.filename}: {error.strerror}")
    except ValueError as error:
        parser.error(f"{options.dns}: {error}")
    if resolver is None:
        resolver = _system_resolver(parser)
    method = dmarc.Method.SUFFIX_LIST if options.rfc7489 else dmarc.Method.TREE_WALK
    sender = None if options.mail_from is None else options.mail_from.strip("<>")
    try:
        found = asyncio.run(explain(message, resolver, ip=options.ip, helo=options.helo, sender=sender, method=method))
    except ValueError as error:
        parser.error(str(error))
    sys.stdout.write(f"{found}\n")
    return found.status


def _system_resolver(parser: argparse.ArgumentParser) -> Resolver:
    import dns.resolver

    from eximious.mailauth.resolver import DnspythonResolver

    try:
        return DnspythonResolver()
    except dns.resolver.NoResolverConfiguration as error:
        parser.error(f"{error}: give --dns")


if __name__ == "__main__":
    sys.exit(main())
