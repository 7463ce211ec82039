"""The ACL condition ``encrypted``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl.declare import STRINGS, condition
from eximious.acl.run import Run
from eximious.acl.where import CONNECT, SMTP

if TYPE_CHECKING:
    from eximious.lists.local_part import LocalPartList


@condition("encrypted", STRINGS, SMTP - {CONNECT})
def encrypted(ciphers: LocalPartList, run: Run) -> bool:
    """True if the connection is encrypted, with a cipher that is on the list."""
    tls = run.context.client.tls
    return tls is not None and ciphers.match(tls.cipher, run.context) is not None
