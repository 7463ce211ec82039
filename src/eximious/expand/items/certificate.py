"""``${certextract``: fields of a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from eximious.expand.fault import Fault
from eximious.expand.item import syntax
from eximious.expand.nodes import Choice, Node
from eximious.expand.variables import CERTIFICATES
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser


@final
class CertExtract(Choice):
    """A field of the certificate that a variable holds."""

    __slots__ = ("field", "variable")

    def __init__(self, field: Node, variable: str, yes: Node | None, no: Node) -> None:
        super().__init__(yes, no)
        self.field = field
        self.variable = variable

    def find(self, context: Context) -> str | None:
        from eximious.expand.certificate import certificate_of, extract

        field = self.field.evaluate(context)
        certificate = certificate_of(self.variable, context)
        if certificate is None:
            return None
        found = extract(certificate, field, context)
        return None if found is None else Tainted(found)


@syntax("certextract")
def parse_certextract(parser: Parser, name: str) -> Node:
    """``${certextract{field}{$tls_in_peercert}{yes}{no}}``."""
    field = parser.argument("missing '{' for field arg of certextract")
    if parser.skip_space() != "{":
        raise Fault("missing '{' for certificate variable arg of certextract", parser.at)
    parser.at += 1
    start = parser.at
    parser.braced()
    variable = parser.text[start : parser.at - 1].strip()
    variable = variable.removeprefix("$").strip("{}")
    if variable not in CERTIFICATES:
        raise Fault('second argument of "certextract" must be a certificate variable', start)
    yes, no = parser.branches(name)
    return CertExtract(field, variable, yes, no)
