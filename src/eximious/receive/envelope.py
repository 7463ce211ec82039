"""Addresses of the envelope, as MAIL and RCPT, command lines and batches give them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from eximious.address.parse import AddressError, Rules, parse
from eximious.octets import SPACE

if TYPE_CHECKING:
    from eximious.config.main import MainOptions


LITERAL: Final = re.compile(r"\[(?:IPv[46]:)?[0-9a-f.:]*\]", re.IGNORECASE)


def rules(
    main: MainOptions, *, allow_null: bool = False, smtp_utf8: bool = False, literals_allowed: bool = False
) -> Rules:
    """The rules for addresses that the configuration sets; domain literals may be allowed whatever it says."""
    return Rules(
        allow_null=allow_null,
        allow_domain_literals=literals_allowed or main.allow_domain_literals,
        strip_trailing_dot=main.strip_trailing_dot,
        allow_utf8_domains=main.allow_utf8_domains,
        smtp_utf8=smtp_utf8,
    )


class EnvelopeRules:
    """The rules of one configuration, made once."""

    __slots__ = ("recipient", "sender", "strips_brackets")

    def __init__(self, main: MainOptions) -> None:
        self.sender = rules(main, allow_null=True)
        self.recipient = rules(main)
        self.strips_brackets = main.strip_excess_angle_brackets


def read_address(text: str, address_rules: Rules, *, strips_brackets: bool = False) -> tuple[str, bool]:
    """The address in the text and whether it has a domain. Raises AddressError with Exim's words."""
    if strips_brackets:
        text = without_excess_brackets(text)
    parsed = parse(text, address_rules)
    if parsed.address.endswith("]") and LITERAL.fullmatch(parsed.address.rpartition("@")[2]) is None:
        raise AddressError("malformed domain literal")
    return parsed.address, parsed.at >= 0


def without_excess_brackets(text: str) -> str:
    """``<<a@b>>`` as ``<a@b>``."""
    stripped = text.strip(SPACE)
    while stripped.startswith("<<") and stripped.endswith(">>"):
        stripped = stripped[1:-1]
    return stripped


def is_postmaster(address: str) -> bool:
    """True for ``postmaster`` without a domain, which must always be accepted (RFC 5321 section 4.5.1)."""
    return address.lower() == "postmaster"


def client_may(session: Any, what: str) -> bool:
    """True if the client may leave the domain out of a `what` (``sender`` or ``recipient``)."""
    if session.client.is_local:
        return True
    return bool(session.is_client_in(f"{what}_unqualified_hosts"))
