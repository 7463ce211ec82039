"""Who sends reports about DMARC, and how they are handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.address import parse as addresses
from eximious.context import Context
from eximious.deliver import report_parts
from eximious.deliver.submit import NotSubmitted, submit
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.spool.errors import SpoolError
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.services import Services


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


def hand_in(services: Services, mail: bytes, sender: ReportSender, recipient: str, about: str = "") -> str:
    """Queue a report with CRLF at its line ends, and have it delivered; its id. Raises NotSubmitted."""
    text = mail.replace(b"\r\n", b"\n")
    try:
        return submit(services, [Tainted(recipient)], text, sender=sender.envelope, about=about)
    except SpoolError as error:
        raise NotSubmitted(str(error)) from error


def characters(text: str) -> str:
    """Octets as characters, for what is written as UTF-8."""
    return text.encode("latin-1", "replace").decode("utf-8", "replace")
