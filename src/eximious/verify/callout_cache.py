"""What is remembered of callouts, about addresses and about domains. (Exim specification, "Callout caching".)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.hints.record import Callout

if TYPE_CHECKING:
    from eximious.acl.verify_options import CalloutOptions
    from eximious.address.delivery import Address
    from eximious.context import Context

ACCEPT: Final = "accept"
REJECT: Final = "reject"
REJECT_NULL: Final = "reject_mfnull"  # only the null sender was refused

# For whoever reads the SMTP reply.
DOMAIN_TEXT: Final = "(result of an earlier callout reused)."
POSTMASTER_TEXT: Final = "(result of earlier verification reused)."
ADDRESS_TEXT: Final = "Previous (cached) callout verification failure"


class CalloutCache:
    """The records that concern one callout, and what it found out."""

    def __init__(self, address: Address, sender: str, options: CalloutOptions, context: Context) -> None:
        self.context = context
        self.main = context.config.main
        self.is_used = not options.no_cache
        self.checks_postmaster = options.postmaster is not None
        self.sender = sender
        self.domain_key = address.domain
        self.address_key = f"{address.address}/<{sender}>" if sender else address.address
        self.knows_random = False  # that the domain does not take any local part
        self.knows_postmaster = False  # that the domain takes mail for postmaster
        self.domain: Callout | None = None
        self._found_domain = ""
        self._found_address = ""
        self._found_random = ""
        self._found_postmaster = ""

    # --- before -----------------------------------------------------------------------------------------------------

    def verdict(self, asks_random: bool) -> tuple[str, str, str] | None:
        """Result, failure word and text for the client, if they are known; else None."""
        if not self.is_used:
            return None
        self.domain = self._read_domain()
        known = self.domain
        if known is not None:
            if known.result == REJECT or (known.result == REJECT_NULL and not self.sender):
                return REJECT, "mail", DOMAIN_TEXT
            if asks_random and known.random_result == ACCEPT:
                return ACCEPT, "random", ""
            self.knows_random = known.random_result == REJECT
            if self.checks_postmaster and known.postmaster_result == REJECT:
                return REJECT, "postmaster", POSTMASTER_TEXT
            self.knows_postmaster = known.postmaster_result == ACCEPT
        about = self._read(self.address_key)
        if about is None or not self._is_fresh(
            about.written_at, about.result, self.main.callout_positive_expire, self.main.callout_negative_expire
        ):
            return None
        if about.result == ACCEPT:
            # Something else may still have to be asked.
            needs_more = self.checks_postmaster and not self.knows_postmaster
            return None if needs_more else (ACCEPT, "", "")
        return REJECT, "recipient", ADDRESS_TEXT

    def _read_domain(self) -> Callout | None:
        """The record of the domain, without what in it is too old."""
        known = self._read(self.domain_key)
        if known is None:
            return None
        positive, negative = self.main.callout_domain_positive_expire, self.main.callout_domain_negative_expire
        if not self._is_fresh(known.written_at, known.result, positive, negative):
            return None
        if not self._is_fresh(known.random_at, known.random_result, positive, negative):
            known.random_result = ""
        if not self._is_fresh(known.postmaster_at, known.postmaster_result, positive, negative):
            known.postmaster_result = ""
        return known

    def _is_fresh(self, written_at: float, result: str, positive: float, negative: float) -> bool:
        limit = positive if result == ACCEPT else negative
        return self.context.services.now() - written_at <= limit

    def _read(self, key: str) -> Callout | None:
        return self.context.services.hints.callout.get(key)

    # --- what is found out --------------------------------------------------------------------------------------------

    def domain_accepted(self) -> None:
        """The host took MAIL. If it was from an address, that says nothing about the null sender."""
        is_known_to_refuse_null = self.domain is not None and self.domain.result == REJECT_NULL
        self._found_domain = REJECT_NULL if self.sender and is_known_to_refuse_null else ACCEPT

    def domain_refused(self) -> None:
        """The host refused to talk at all."""
        self._found_domain = REJECT

    def null_sender_refused(self) -> None:
        """The host refused ``MAIL FROM:<>``."""
        self._found_domain = REJECT_NULL

    def address_is(self, *, accepted: bool) -> None:
        """The host's word on the address."""
        self._found_address = ACCEPT if accepted else REJECT

    def random_is(self, *, accepted: bool) -> None:
        """The host's word on a local part that should not exist."""
        self._found_random = ACCEPT if accepted else REJECT

    def postmaster_is(self, *, accepted: bool) -> None:
        """The host's word on postmaster."""
        self._found_postmaster = ACCEPT if accepted else REJECT

    # --- after --------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Remember what was found out. Without hints, things are asked again."""
        if not self.is_used:
            return
        table = self.context.services.hints.callout
        if self._found_domain:
            table.put(self.domain_key, self._domain_record())
        if self._found_address:
            record = Callout()
            record.result = self._found_address
            table.put(self.address_key, record)

    def _domain_record(self) -> Callout:
        record = Callout()
        now = self.context.services.now()
        record.result = self._found_domain
        old = self.domain
        if self._found_random:
            record.random_result, record.random_at = self._found_random, now
        elif old is not None:
            record.random_result, record.random_at = old.random_result, old.random_at
        if self._found_postmaster:
            record.postmaster_result, record.postmaster_at = self._found_postmaster, now
        elif old is not None:
            record.postmaster_result, record.postmaster_at = old.postmaster_result, old.postmaster_at
        return record
