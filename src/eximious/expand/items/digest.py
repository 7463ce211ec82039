"""``${hmac``: keyed digests."""

from __future__ import annotations

from eximious.errors import ExpandError
from eximious.expand.item import item


@item("hmac", 3, is_clean=True)
def hmac(algorithm: str, secret: str, text: str) -> str:
    """The HMAC (RFC 2104) of the text, in hexadecimal digits."""
    import hmac as algorithms

    if algorithm not in ("md5", "sha1"):
        raise ExpandError(f'hmac algorithm "{algorithm}" is not recognised')
    return algorithms.new(secret.encode("latin-1"), text.encode("latin-1"), algorithm).hexdigest()
