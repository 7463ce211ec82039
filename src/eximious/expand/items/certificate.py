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
    parser.expect("{", "missing '{' for cert variable arg of certextract")
    variable = _variable(parser)
    yes, no = parser.branches(name)
    return CertExtract(field, variable, yes, no)


def _variable(parser: Parser) -> str:
    """The name of the variable, which is passed over with its braces; the opening one is behind us."""
    from eximious.expand.variable import find_variable

    start = parser.at
    end = parser.text.find("}", start)
    if parser.text[start : start + 1] != "$" or end < 0:
        raise Fault('second argument of "certextract" must be a certificate variable', start)
    name = parser.text[start + 1 : end]
    if name not in CERTIFICATES:
        message = f'no variable named "{name}"' if find_variable(name) is None else f'"{name}" is not a certificate'
        raise Fault(message, start)
    parser.at = end + 1
    return name
