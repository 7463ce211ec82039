"""ARC for access control: ``verify = arc``, once for a message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eximious.acl import ahead
from eximious.waiting import wait

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.mailauth.arc import Chain, Validator
    from eximious.mailauth.canonical import BodyHashes
    from eximious.mailauth.message import Headers

_STATUS: Final = re.compile(r"i=([0-9]+) (?:says that the chain fails|has cv=)")
_OUTLINE: Final = re.compile(r"i=[0-9]+ \(cv\)|\(sequence; expected i=[0-9]+\)")
_MISSING: Final = re.compile(r"there is no set i=([0-9]+)")


class Found:
    """The outcome, as variables see it."""

    __slots__ = ("chain", "domains", "oldest_pass")

    def __init__(self, chain: Chain, sealers: list[str]) -> None:
        self.chain = chain
        # The first set whose message signature is still good; 0 if the chain is not.
        self.oldest_pass = (chain.oldest_pass or 1) if self.state == "pass" else 0
        self.domains = ":".join(sealers)  # i=1 first
        if sealers and not sealers[0]:
            self.domains = ":" + self.domains  # as Exim writes a list that begins with an empty item

    @property
    def state(self) -> str:
        """``none``, ``pass`` or ``fail``."""
        return str(self.chain.result)

    @property
    def reason(self) -> str:
        """Why the chain fails."""
        return _reason(self.chain.reason)

    def authentication_results(self, address: str) -> str:
        """The part of an Authentication-Results header."""
        if self.state == "none":
            return "arc=none"
        links = self.chain.links
        reason = _comment(self.reason)
        if not links or _OUTLINE.fullmatch(self.reason):  # no signature was looked at
            return f"arc={self.state} ({reason})"
        reason = f"({reason})" if reason else ""
        last = links[-1]
        remote = f" smtp.remote-ip={address}" if address else ""
        return (
            f"arc={self.state} (i={last.instance}){reason} header.s={last.selector} "
            f"arc.oldest-pass={self.oldest_pass}{remote}"
        )


def _reason(text: str) -> str:
    """Why a chain fails, in Exim's words where it has some."""
    if text.endswith("the message signature: the body was changed"):
        return "AMS body hash miscompare"
    status = _STATUS.match(text)
    if status is not None:
        return f"i={status[1]} (cv)"
    missing = _MISSING.match(text)
    return f"(sequence; expected i={missing[1]})" if missing is not None else text


def _comment(text: str) -> str:
    """Fit to stand in a comment. Exim's own words have brackets; text from outside must not end the comment."""
    if _OUTLINE.fullmatch(text):
        return text
    return "".join(one if one.isprintable() and one not in "()\\" else "?" for one in text)


def begin(context: Context, headers: Headers, body: BodyHashes) -> None:
    """The header is complete: have the body hashed and the keys asked for, if an ACL may want to know."""
    if not headers.all(b"arc-seal") or not ahead.is_worthwhile(ahead.ARC, context):
        return
    from eximious.mailauth.arc import Validator

    validator = Validator(headers, now=context.services.now(), body=body)
    ahead.begin(context, ahead.ARC, lambda: _with_keys(validator, context))


async def _with_keys(validator: Validator, context: Context) -> Validator:
    from eximious.mailauth.program_resolver import ProgramResolver

    await validator.fetch_keys(ProgramResolver(context.services.dns))
    return validator


def check(context: Context) -> Found:
    """The validation of the message's chain."""
    facts = context.message.facts
    found: Found | None = facts.get("arc")
    if found is None:
        found = facts["arc"] = _validated(context)
        facts["authresults_arc"] = (found.authentication_results(context.client.host_address),)
    return found


def _validated(context: Context) -> Found:
    from eximious.mailauth.arc import sealers
    from eximious.mailauth.program_resolver import ProgramResolver

    begun = ahead.take(context, ahead.ARC)
    validator: Validator = _read(context) if begun is None else begun.result()
    chain = wait(validator.validate(ProgramResolver(context.services.dns)))
    found = Found(chain, sealers(validator.headers))
    _as_before(found, context)
    return found


def _as_before(found: Found, context: Context) -> None:
    """Where there is no chain, nothing is the oldest pass, and the number is that of the connection's last chain.

    Exim has it so, and logs show it; without ``pass`` it means nothing.
    """
    if context.session is None:
        return
    facts = context.session.facts
    if found.state == "none":
        found.oldest_pass = facts.get("arc_oldest_pass", 0)
    else:
        facts["arc_oldest_pass"] = found.oldest_pass


def _read(context: Context) -> Validator:
    """A validator for a message that nobody thought would be asked about."""
    from eximious.mailauth.arc import Validator
    from eximious.mailauth.message import from_lines

    message = context.message
    lines = message.facts.get("raw_headers")
    if lines is None:
        lines = [header.text.encode("latin-1") for header in message.headers if header.kind != "*"]
    validator = Validator(from_lines(lines), now=context.services.now())
    if validator.is_needed and message.body is not None:
        for chunk in message.body.chunks():
            validator.feed(chunk.replace(b"\n", b"\r\n"))
    return validator
