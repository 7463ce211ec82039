"""``${prvs`` and ``${prvscheck``: signed sender addresses (BATV)."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final, final

from eximious.errors import ExpandError
from eximious.expand.item import item, syntax
from eximious.expand.nodes import Node
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser

LIFETIME: Final = 7  # days that a signature is good for
DAY: Final = 86400

_SIGNED = re.compile(r"prvs=([0-9])([0-9]{3})([0-9A-F]{6})=(.+)@(.+)\Z", re.IGNORECASE | re.DOTALL)


def _signature(address: str, secret: str, key: str, expiry: str) -> str:
    text = f"{key}{expiry}{address}"
    return hmac.new(secret.encode("latin-1"), text.encode("latin-1"), "sha1").hexdigest()[:6]


@item("prvs", 2, 3)
def prvs(context: Context, address: str, secret: str, key: str = "0") -> str:
    """The address, signed with the secret; the key's number, a single digit, tells which secret that was."""
    local_part, at, domain = address.rpartition("@")
    if not at:
        raise ExpandError("prvs first argument must be a qualified email address")
    if len(key) != 1 or key not in "0123456789":
        raise ExpandError("prvs third argument must be a single digit")
    expiry = f"{(int(context.services.now()) // DAY + LIFETIME) % 1000:03d}"
    return f"prvs={key}{expiry}{_signature(address, secret, key, expiry)}={local_part}@{domain}"


@final
class PrvsCheck(Node):
    """The address without its signature, or the third string, which may look at the verdict."""

    __slots__ = ("address", "result", "secret")

    def __init__(self, address: Node, secret: Node, result: Node | None) -> None:
        self.address = address
        self.secret = secret
        self.result = result

    def evaluate(self, context: Context) -> str:
        address = self.address.evaluate(context)
        facts = context.facts
        found = _SIGNED.match(address)
        if found is None:
            facts.pop("prvscheck_result", None)
            return ""
        key, expiry, signature, local_part, domain = found.groups()
        bare = f"{local_part}@{domain}"
        if address.__class__ is Tainted:
            bare = Tainted(bare)
        facts["prvscheck_address"] = bare
        facts["prvscheck_keynum"] = key
        facts.pop("prvscheck_result", None)
        try:
            secret = self.secret.evaluate(context)
            good = hmac.compare_digest(_signature(bare, secret, key, expiry), signature.lower())
            if good and _is_current(expiry, context):
                facts["prvscheck_result"] = "1"
            text = "" if self.result is None else self.result.evaluate(context)
        finally:
            facts.pop("prvscheck_address", None)
            facts.pop("prvscheck_keynum", None)
        return text or bare


def _is_current(expiry: str, context: Context) -> bool:
    """The day is not over, and not further away than a signature's life. Days are counted modulo 1000."""
    left = (int(expiry) - int(context.services.now()) // DAY) % 1000
    return left <= LIFETIME


@syntax("prvscheck")
def parse_prvscheck(parser: Parser, name: str) -> Node:
    """``${prvscheck{address}{secret}{string}}``."""
    from eximious.expand.fault import Fault

    address = parser.argument(f"Not enough arguments for '{name}' (min is 1)")
    parser.expect("{", f"Not enough arguments for '{name}' (min is 1)")
    secret = parser.braced()
    result = None
    if parser.skip_space() == "{":
        parser.at += 1
        result = parser.braced()
    if (following := parser.skip_space()) == "{":
        raise Fault(f"Too many arguments for '{name}' (max is 2)", parser.at)
    if following != "}":
        raise Fault(f"missing '}}' after '{name}'", parser.at)
    parser.at += 1
    return PrvsCheck(address, secret, result)
