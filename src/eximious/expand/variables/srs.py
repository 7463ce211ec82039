"""Variables of SRS: ``inbound_srs``, and the options srs_... of redirect routers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.variable import variable

if TYPE_CHECKING:
    from eximious.context import Context


@variable
def srs_db_address(context: Context) -> str | None:
    """The sender to be stored, in srs_dbinsert."""
    return context.facts.get("srs_db_address")


@variable
def srs_db_key(context: Context) -> str | None:
    """The key of a stored sender, sixteen small letters and digits, in srs_dbinsert and srs_dbselect."""
    return context.facts.get("srs_db_key")


@variable
def srs_orig_recipient(context: Context) -> str | None:
    """The address that a router with ``srs = reverse`` was given."""
    return context.facts.get("srs_orig_recipient")


@variable
def srs_orig_sender(context: Context) -> str | None:
    """The sender that a router with ``srs = forward`` rewrote."""
    return context.facts.get("srs_orig_sender")


@variable
def srs_recipient(context: Context) -> str | None:
    """The address that ``inbound_srs``, or a router with ``srs = reverse``, decoded."""
    return context.facts.get("srs_recipient")


@variable
def srs_status(context: Context) -> str | None:
    """How the last rewriting by a router ended: ``ok``, ``not an SRS address``, ``bad hash``, ``expired``, ..."""
    return context.facts.get("srs_status")
