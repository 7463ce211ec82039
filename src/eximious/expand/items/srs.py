"""``${srs_encode``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.item import item
from eximious.mailauth.srs.native import encode

if TYPE_CHECKING:
    from eximious.context import Context


@item("srs_encode", 3)
def srs_encode(context: Context, secret: str, return_path: str, domain: str) -> str:
    """The return path as an address of our domain (see eximious.mailauth.srs.native)."""
    return encode(secret, return_path, domain, context.services.now())
