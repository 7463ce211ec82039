"""``inbound_srs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.condition import Condition, ContextTest, syntax
from eximious.mailauth.srs.native import decode
from eximious.octets import lower
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser


@syntax("inbound_srs")
def parse_inbound_srs(parser: Parser, name: str) -> Condition:
    """``inbound_srs{local part}{secret}``."""
    complaint = f"too few arguments or bracketing error for {name}"
    return ContextTest(inbound_srs, parser.argument(complaint), parser.argument(complaint))


def inbound_srs(context: Context, local_part: str, secret: str) -> bool:
    """The local part is an SRS address of ours; ``$srs_recipient`` is then the original address."""
    found = decode(secret, local_part, context.services.now())
    if found is None:
        return False
    # Exim compares in lower case, and gives what it compared.
    context.facts["srs_recipient"] = Tainted(lower(found))
    return True
