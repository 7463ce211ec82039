"""Who sends reports about DMARC, to whom, and how they are handed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

from eximious.acl import dmarc
from eximious.address import parse as addresses
from eximious.context import Context
from eximious.deliver import report_parts
from eximious.deliver.submit import submit
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.mailauth.program_resolver import ProgramResolver
from eximious.mailauth.reports.destination import authorised
from eximious.taint import Tainted
from eximious.waiting import wait

if TYPE_CHECKING:
    from eximious.mailauth.dmarc.record import ReportUri
    from eximious.services import Services

RECIPIENTS_MAX: Final = 5  # addresses of a record that are sent a report


class ReportSender:
    """From: of a report, and the sender of its envelope: "" for the null sender."""

    __slots__ = ("envelope", "header")

    def __init__(self, header: str, envelope: str) -> None:
        self.header = header
        self.envelope = envelope

    @property
    def address(self) -> str:
        """The address in From:."""
        return self.envelope or address_in(self.header)


def report_sender(context: Context, *options: str) -> ReportSender:
    """The first of the options that is set and gives an address; otherwise dsn_from and the null sender."""
    for option in options:
        text = expanded(context, option)
        address = address_in(text) if text else ""
        if address:
            return ReportSender(text, address)
        if text:
            context.services.logs.panic(f"DMARC: {option} has no address: {text}")
    return ReportSender(report_parts.sender_line(context).removeprefix("From: ").rstrip("\n"), "")


def expanded(context: Context, option: str) -> str:
    """The text of a main option, in one line; empty if it is unset or cannot be expanded."""
    template = getattr(context.config.main, option)
    if template is None:
        return ""
    try:
        return " ".join(template.expand(context).split())
    except ForcedFail:
        return ""
    except (ExpandError, Defer) as error:
        context.services.logs.panic(f"DMARC: failed to expand {option}: {error}")
        return ""


def address_in(text: str) -> str:
    """The qualified address in the text of a From: header; empty if there is none."""
    try:
        address = addresses.parse(text).address
    except addresses.AddressError:
        return ""
    return address if addresses.is_qualified(address) else ""


def places_for(
    context: Context,
    domain: str,
    asked: Sequence[ReportUri],
    undecided: list[str],
    *,
    tag: Literal["rua", "ruf"] = "rua",
) -> list[ReportUri] | None:
    """Those of the addresses in the domain's record that may be sent reports; None if DMARC is switched off.

    Domains about which the DNS does not answer for now are added to `undecided`.
    """
    how = dmarc.discovery(context)
    if how is None:
        return None
    method, suffix_list = how
    resolver = ProgramResolver(context.services.dns)
    found = wait(
        authorised(domain, asked, resolver, method=method, suffix_list=suffix_list, tag=tag, undecided=undecided)
    )
    return found[:RECIPIENTS_MAX]


def hand_in(services: Services, mail: bytes, sender: ReportSender, recipient: str, about: str = "") -> str:
    """Queue a report with CRLF at its line ends, and have it delivered; its id. Raises NotSubmitted."""
    text = mail.replace(b"\r\n", b"\n")
    return submit(services, [Tainted(recipient)], text, sender=sender.envelope, about=about)


def characters(text: str) -> str:
    """Octets as characters, for what is written as UTF-8."""
    return text.encode("latin-1", "replace").decode("utf-8", "replace")
