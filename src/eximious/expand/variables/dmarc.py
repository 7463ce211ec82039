"""Variables about the DMARC check of the message, empty before dmarc_status has asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.variable import variable
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.spool.message import Message


@variable
def dmarc_status(message: Message) -> str | None:
    """``accept``, ``reject``, ``quarantine``, ``none``, ``norecord``, ``nofrom``, ``temperror`` or ``off``."""
    found = message.facts.get("dmarc")
    return None if found is None else found.status


@variable
def dmarc_status_text(message: Message) -> str | None:
    """The status in words."""
    found = message.facts.get("dmarc")
    return None if found is None else found.text


@variable
def dmarc_used_domain(message: Message) -> str | None:
    """The domain whose record was used."""
    found = message.facts.get("dmarc")
    return None if found is None else Tainted(found.used_domain)


@variable
def dmarc_used_domains(message: Message) -> str | None:
    """The same; the specification has the name, too."""
    return dmarc_used_domain(message)


@variable
def dmarc_domain_policy(message: Message) -> str | None:
    """The policy in the record: ``none``, ``quarantine`` or ``reject``."""
    found = message.facts.get("dmarc")
    return None if found is None else found.domain_policy


@variable
def dmarc_alignment_spf(message: Message) -> str | None:
    """``yes`` if SPF passed for an aligned domain."""
    found = message.facts.get("dmarc")
    return None if found is None or found.verdict is None else ("yes" if found.verdict.is_spf_aligned else "no")


@variable
def dmarc_alignment_dkim(message: Message) -> str | None:
    """``yes`` if a signature of an aligned domain passed."""
    found = message.facts.get("dmarc")
    return None if found is None or found.verdict is None else ("yes" if found.verdict.is_dkim_aligned else "no")


@variable
def dmarc_ar_header(message: Message) -> str | None:
    """The part of an Authentication-Results header about DMARC; ``${authresults`` has superseded it."""
    return "".join(message.facts.get("authresults_dmarc", ()))
