"""``${srs_encode``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.address.parse import AddressError, parse
from eximious.errors import ExpandError
from eximious.expand.item import item
from eximious.mailauth.srs.native import encode

if TYPE_CHECKING:
    from eximious.context import Context


@item("srs_encode", 3)
def srs_encode(context: Context, secret: str, return_path: str, domain: str) -> str:
    """The return path as an address of our domain (see eximious.mailauth.srs.native)."""
    try:
        address = parse(return_path).address if return_path else ""
    except AddressError as error:
        raise ExpandError(str(error)) from None
    return encode(secret, address, domain, context.services.now())
