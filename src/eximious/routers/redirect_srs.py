"""The option ``srs`` of redirect routers: senders rewritten where mail is forwarded, and recipients turned back.

This is the interface of older Exims, with libsrs_alt; the newer is ``${srs_encode`` and ``inbound_srs``.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eximious.address.delivery import unquoted
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.mailauth.srs.scheme import BadHash, Expired, NotRewritten, Scheme, SrsError
from eximious.octets import lower
from eximious.routers.complaints import log_main, log_main_and_panic
from eximious.routers.engine import is_verifying
from eximious.routers.outcome import Decision, Deferred, Routing, decline
from eximious.routers.preconditions import FALSE
from eximious.routers.srs_scheme import SrsMisconfigured, scheme_for
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.routers.redirect import Redirect

KEY_OCTETS: Final = 10  # sixteen base32 digits
_NEEDS_NO_QUOTES: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\x80-\xff-]+")
_TO_ESCAPE: Final = re.compile(r'["\\]')


def turn_back(router: Redirect, address: Address, context: Context) -> Routing | None:
    """With ``srs = reverse``, set ``$srs_recipient``; or say why the router cannot go on. Raises Deferred."""
    facts = context.facts
    facts["srs_orig_sender"] = context.message.sender
    if router.srs == "forward" or not _is_wanted(router, context):
        return None
    facts["srs_orig_recipient"] = address.address
    facts.pop("srs_recipient", None)
    fetch = None if router.srs_dbselect is None else _fetcher(router, router.srs_dbselect, context)
    try:
        original = _scheme(context).reverse(without_quotes(address.address), fetch)
    except NotRewritten:
        facts["srs_status"] = "not an SRS address"
        return decline()
    except (BadHash, Expired) as error:
        facts["srs_status"] = "expired" if isinstance(error, Expired) else "bad hash"
        message = f"SRS: {facts['srs_status']}"
        return Routing(Decision.FAIL, message, user_message=message)
    facts["srs_status"] = "ok"
    facts["srs_recipient"] = Tainted(with_quotes(original))
    return None


def rewritten_sender(router: Redirect, address: Address, context: Context) -> str | None:
    """The sender for what ``srs = forward`` redirects; None if it stays as it is. Raises Deferred.

    Nothing is sent while an address is verified, so nothing is rewritten (and stored) then.
    """
    if router.srs == "reverse" or is_verifying(context) or not context.message.sender:
        return None
    if not _is_wanted(router, context):
        return None
    sender, domain = context.message.sender, _domain(router, address, context)
    # One sender has one address in a delivery, so that recipients can share a transaction.
    known: dict[tuple[str, ...], str | None] = context.facts.setdefault("srs_senders", {})
    key = (context.message.id, router.name, sender, domain)
    if key not in known:
        known[key] = _forward(router, sender, domain, context)
    return known[key]


def _forward(router: Redirect, sender: str, domain: str, context: Context) -> str | None:
    store = None if router.srs_dbinsert is None else _storer(router, router.srs_dbinsert, context)
    plain = without_quotes(sender)
    try:
        rewritten = _scheme(context).forward(plain, domain, store)
    except SrsError as error:
        # To be refused for such a sender is certain with some, to be refused by SPF alone is not.
        context.facts["srs_status"] = "not rewritten"
        log_main(context, f"SRS: sender not rewritten by {router.name} router: {error}")
        return None
    context.facts["srs_status"] = "ok"
    return None if rewritten == plain else Tainted(with_quotes(rewritten))


def _is_wanted(router: Redirect, context: Context) -> bool:
    """``srs_condition``."""
    if router.srs_condition is None:
        return True
    text = _expanded(router, router.srs_condition, "srs_condition", context, forced="")
    return lower(text.strip()) not in FALSE


def _domain(router: Redirect, address: Address, context: Context) -> str:
    """``srs_alias``, or the domain of the address."""
    if router.srs_alias is None:
        return address.domain
    return _expanded(router, router.srs_alias, "srs_alias", context, forced="") or address.domain


def _storer(router: Redirect, template: Template, context: Context) -> Callable[[str], str]:
    """What stores a sender with ``srs_dbinsert``, and gives its key; -bt stores nothing."""

    def store(sender: str) -> str:
        key = base64.b32encode(os.urandom(KEY_OCTETS)).decode("ascii").lower()
        context.facts["srs_db_key"] = key
        context.facts["srs_db_address"] = Tainted(with_quotes(sender))
        if context.facts.get("routing") == "":
            _expanded(router, template, "srs_dbinsert", context)
        return key

    return store


def _fetcher(router: Redirect, template: Template, context: Context) -> Callable[[str], str]:
    """What finds a stored sender with ``srs_dbselect``. One that is no longer there has expired."""

    def fetch(key: str) -> str:
        context.facts["srs_db_key"] = key
        found = _expanded(router, template, "srs_dbselect", context).strip()
        if not found:
            raise Expired(f"nothing is stored under {key}")
        return without_quotes(found)

    return fetch


def _scheme(context: Context) -> Scheme:
    try:
        return scheme_for(context.config.main, context.services.now)
    except SrsMisconfigured as error:
        log_main_and_panic(context, str(error))
        raise Deferred(str(error)) from error


def _expanded(router: Redirect, template: Template, name: str, context: Context, forced: str | None = None) -> str:
    """The option's value; `forced` if its expansion is forced to fail, or else that is a failure. Raises Deferred."""
    try:
        return template.expand(context)
    except ForcedFail as error:
        if forced is not None:
            return forced
        raise Deferred(f'expansion of "{name}" in {router.name} router was forced to fail') from error
    except (ExpandError, Defer) as error:
        raise Deferred(f'failed to expand "{name}" in {router.name} router: {error}') from error


def without_quotes(address: str) -> str:
    """SRS puts things before the local part, so quotes cannot stay where they are."""
    local_part, at, domain = address.rpartition("@")
    return f"{unquoted(local_part)}@{domain}" if at else address


def with_quotes(address: str) -> str:
    """The address with quotes round its local part if it needs them."""
    local_part, _, domain = address.rpartition("@")
    if _NEEDS_NO_QUOTES.fullmatch(local_part):
        return address
    escaped = _TO_ESCAPE.sub(r"\\\g<0>", local_part)
    return f'"{escaped}"@{domain}'
