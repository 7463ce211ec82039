"""Variables about the last SPF check of the message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.variable import variable
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.spool.message import Message


@variable
def spf_result(message: Message) -> str | None:
    """What the check came to: ``pass``, ``fail``, ``softfail``, ... Empty before it has run."""
    found = message.facts.get("spf")
    return None if found is None else str(found.verdict.result)


@variable
def spf_result_guessed(message: Message) -> str:
    """``yes`` if the domain has no record, and the guessed one (spf_guess) was used."""
    found = message.facts.get("spf")
    return "yes" if found is not None and found.is_guess else "no"


@variable
def spf_header_comment(message: Message) -> str | None:
    """The verdict in words, for a header or a log."""
    found = message.facts.get("spf")
    return None if found is None else Tainted(f"{found.receiver}: {found.verdict.comment}")


@variable
def spf_received(message: Message) -> str | None:
    """A whole ``Received-SPF:`` header (RFC 7208 section 9.1), to be added at the start."""
    found = message.facts.get("spf")
    return None if found is None else Tainted(f"Received-SPF: {found.verdict.received_spf(found.receiver)}")


@variable
def spf_smtp_comment(message: Message) -> str | None:
    """What the domain's owner, or spf_smtp_comment_template, wants a client that failed to be told."""
    found = message.facts.get("spf")
    return None if found is None else Tainted(found.smtp_comment)


@variable
def spf_used_domain(message: Message) -> str | None:
    """The domain whose record was checked: that of the sender, or of HELO for the null sender."""
    found = message.facts.get("spf")
    return None if found is None else Tainted(found.verdict.domain)
