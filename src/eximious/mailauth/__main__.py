"""``python -m eximious.mailauth FILE.eml --ip ADDRESS --helo NAME --from SENDER``: the full verdict for a message.

The file may be ``-`` for the standard input. Without ``--ip`` SPF is left out, and DMARC rests on DKIM alone.
The exit status is 0 if DMARC passes (or nothing asks for it), 1 if it fails, 2 for wrong arguments, and 75 if the DNS
fails.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from eximious.mailauth import arc, dkim, dmarc, spf
from eximious.mailauth.canonical import BodyHashes
from eximious.mailauth.message import split

if TYPE_CHECKING:
    from eximious.mailauth.resolver import Resolver

STATUS: Final = {dmarc.Result.FAIL: 1, dmarc.Result.TEMPERROR: 75}


async def explain(
    message: bytes,
    resolver: Resolver,
    *,
    ip: str = "",
    helo: str = "",
    mail_from: str = "",
    method: dmarc.Method = dmarc.Method.TREE_WALK,
    now: float | None = None,
) -> tuple[str, int]:
    """The verdict as text, and the exit status."""
    headers, body = split(message)
    lines: list[str] = []
    spf_found: tuple[str, str] | None = None
    if ip:
        checked = await spf.check_mail_from(ip, mail_from, helo, resolver=resolver)
        spf_found = (checked.domain, checked.result.value)
        lines += ["SPF", f"  {checked}", *(f"    {step}" for step in checked.trace)]
        if checked.explanation:
            lines.append(f"    explanation: {checked.explanation}")
    hashes = BodyHashes()
    verifier = dkim.Verifier(headers, body=hashes, now=now)
    validator = arc.Validator(headers, body=hashes, now=now)
    hashes.feed(body)
    hashes.finish()
    verified = await verifier.verify(resolver)
    lines.append("DKIM")
    for one in verified:
        lines += [f"  {one}", *(f"    {step}" for step in one.trace)]
        if one.unsigned_octets:
            lines.append(f"    the last {one.unsigned_octets} octets of the body are not signed (l=)")
    if not verified:
        lines.append("  none: there is no signature")
    chain = await validator.validate(resolver)
    lines += ["ARC", f"  {chain}", *(f"    {step}" for step in chain.trace)]
    lines.append("DMARC")
    status = 0
    authors = [domain for field in headers.all(b"from") for domain in dmarc.author_domains(field.text)]
    for author in dict.fromkeys(authors[:20]):
        results = [(one.domain, one.result.value) for one in verified]
        verdict = await dmarc.check(author, resolver=resolver, spf=spf_found, dkim=results, method=method)
        status = max(status, STATUS.get(verdict.result, 0))
        lines += [f"  {verdict}", *(f"    {step}" for step in verdict.trace)]
    if not authors:
        lines.append("  none: there is no author's domain")
    return "\n".join(lines) + "\n", status


def main(arguments: list[str] | None = None, resolver: Resolver | None = None) -> int:
    """Read the arguments, print the verdict."""
    parser = argparse.ArgumentParser(prog="python -m eximious.mailauth", description="The full verdict for a message.")
    parser.add_argument("file", help="the message; - for the standard input")
    parser.add_argument("--ip", default="", help="the address of the client that sent it")
    parser.add_argument("--helo", default="", help="the name that the client gave")
    parser.add_argument("--from", dest="mail_from", default="", help="the envelope sender")
    parser.add_argument("--rfc7489", action="store_true", help="DMARC with the public suffix list")
    options = parser.parse_args(arguments)
    try:
        message = sys.stdin.buffer.read() if options.file == "-" else Path(options.file).read_bytes()
    except OSError as error:
        parser.error(f"{options.file}: {error.strerror}")
    if resolver is None:
        from eximious.mailauth.resolver import DnspythonResolver

        resolver = DnspythonResolver()
    method = dmarc.Method.SUFFIX_LIST if options.rfc7489 else dmarc.Method.TREE_WALK
    try:
        sender = options.mail_from.strip("<>")
        text, status = asyncio.run(
            explain(message, resolver, ip=options.ip, helo=options.helo, mail_from=sender, method=method)
        )
    except ValueError as error:
        parser.error(str(error))
    sys.stdout.write("".join(one if one.isprintable() or one == "\n" else "?" for one in text))
    return status


if __name__ == "__main__":
    sys.exit(main())
