"""Expanding what users have written, as the user whom a delivery is made for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eximious.errors import ExpandError
from eximious.expand.elsewhere import decode_results, encode_texts
from eximious.transports.job import EXPAND, Ended, Identity, Job
from eximious.transports.outcome import Unable, deferred

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context


def expand_as_user(
    texts: list[str], context: Context, identity: Identity, address: Address, forbidden: Sequence[str] = ()
) -> list[str | ExpandError]:
    """The texts expanded by a process that is the user, or why they cannot be. Raises Unable.

    `forbidden` are facts (``forbid_lookup``, ...) that hold for this time. What comes from a system filter, which no
    router has seen, may know of all recipients.
    """
    if not any("$" in text or "\\" in text for text in texts):
        return list(texts)
    facts = context.facts
    before = {name: facts[name] for name in ("filter_counters", *forbidden) if name in facts}
    facts.update(dict.fromkeys(forbidden, True))
    if address.filter_counters is not None:
        facts["filter_counters"] = address.filter_counters
    try:
        record = encode_texts(texts, context, shows_recipients=address.router is None)
    finally:
        for name in ("filter_counters", *forbidden):
            facts.pop(name, None)
        facts.update(before)
    ended: Ended = context.services.local.run(Job(EXPAND, identity, record))
    if ended.message:
        raise Unable(deferred(ended.message, ended.errno))
    return decode_results(ended.values)
