"""How expansion operators (``${name:text}``) are registered.

An operator is a function of its text, knowing nothing of braces or taint. Some take numbers or a word after an
underscore in their name: ``${length_3:...}``, ``${listnamed_d:...}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, final

from eximious.expand.fault import Fault
from eximious.expand.nodes import Call, ContextCall, Node, fold
from eximious.expand.variables import CERTIFICATES
from eximious.registry import Registry

if TYPE_CHECKING:
    from eximious.context import Context

F = TypeVar("F", bound=Callable[..., str])

_SUFFIX = re.compile(r"(-?[0-9]+(?=_|\Z)|(?=\Z))(?:_([0-9]+))?\Z")


class Operator:
    """An operator and what it takes.

    `suffix` is "" (nothing), "number", "numbers", "signed" (of which the first may be negative), "lenient" (numbers, or
    not) or "word". `of_certificates` is what it does with a variable that holds a certificate, as octets in DER.
    """

    __slots__ = ("function", "is_clean", "of_certificates", "suffix", "wants_context")

    def __init__(
        self,
        function: Callable[..., str],
        suffix: str,
        is_clean: bool,
        of_certificates: Callable[[bytes], str] | None,
    ) -> None:
        self.of_certificates = of_certificates
        self.function = function
        self.suffix = suffix
        self.is_clean = is_clean
        self.wants_context = function.__code__.co_varnames[:1] == ("context",)

    def build(self, operand: Node, **settings: Any) -> Node:
        """The node that applies the operator."""
        function = partial(self.function, **settings) if settings else self.function
        if self.of_certificates is not None and getattr(operand, "name", "") in CERTIFICATES:
            return OfCertificate(self.of_certificates, operand.name)  # type: ignore[attr-defined]
        if self.wants_context:
            return ContextCall(function, (operand,), self.is_clean)
        return fold(Call(function, (operand,), self.is_clean))


@final
class OfCertificate(Node):
    """An operator on the certificate that a variable holds; nothing if there is none."""

    __slots__ = ("function", "variable")

    def __init__(self, function: Callable[[bytes], str], variable: str) -> None:
        self.function = function
        self.variable = variable

    def evaluate(self, context: Context) -> str:
        from eximious.expand.certificate import der

        octets = der(self.variable, context)
        return "" if octets is None else self.function(octets)


_MODULES = {
    "address": "address",
    "addresses": "address",
    "base32": "base",
    "base32d": "base",
    "base62": "base",
    "base62d": "base",
    "base64": "base64",
    "base64d": "base64",
    "domain": "address",
    "escape": "escape",
    "escape8bit": "escape",
    "eval": "arithmetic",
    "eval10": "arithmetic",
    "expand": "expand",
    "from_utf8": "charset",
    "h": "pieces",
    "hash": "pieces",
    "headerwrap": "headerwrap",
    "hex2b64": "base64",
    "hexquote": "escape",
    "ipv6denorm": "ip",
    "ipv6norm": "ip",
    "l": "pieces",
    "lc": "case",
    "length": "pieces",
    "listcount": "listing",
    "listnamed": "listing",
    "local_part": "address",
    "mask": "ip",
    "md5": "digest",
    "nh": "pieces",
    "nhash": "pieces",
    "quote": "quote",
    "quote_local_part": "quote",
    "randint": "random_",
    "reverse_ip": "ip",
    "rfc2047": "rfc2047",
    "rfc2047d": "rfc2047",
    "rxquote": "quote",
    "s": "pieces",
    "sha1": "digest",
    "sha2": "digest",
    "sha256": "digest",
    "sha3": "digest",
    "stat": "stat_",
    "str2b64": "base64",
    "strlen": "pieces",
    "substr": "pieces",
    "time_eval": "time_",
    "time_interval": "time_",
    "uc": "case",
    "utf8_domain_from_alabel": "idn",
    "utf8_domain_to_alabel": "idn",
    "utf8_localpart_from_alabel": "idn",
    "utf8_localpart_to_alabel": "idn",
    "utf8clean": "charset",
    "xtextd": "xtext",
}

operators: Registry[Operator] = Registry("eximious.expand.operators", "expansion operator", _MODULES)


def operator(
    *names: str, suffix: str = "", is_clean: bool = False, of_certificates: Callable[[bytes], str] | None = None
) -> Callable[[F], F]:
    """Decorator: the function gives the operator's result from its text.

    With a suffix of numbers it also gets `first` and `second` (int or None), with ``suffix="word"`` `word` (str or
    None). A function whose first parameter is called `context` gets the context. `is_clean`: never tainted.
    `of_certificates`: see `Operator`.
    """

    def decorate(function: F) -> F:
        operators.register(*names)(Operator(function, suffix, is_clean, of_certificates))
        return function

    return decorate


def find_operator(name: str, position: int) -> Callable[[Node], Node] | None:
    """What makes the node of the operator as written, suffix and all; None if there is no such operator."""
    if name in _MODULES:
        plain = operators.find(name)
        return None if plain is None else plain.build
    stem, _, rest = name.partition("_")
    if stem == "quote" and rest:
        return _lookup_quoting(rest, name, position)
    found = operators.find(stem) if stem in _MODULES else None
    if found is None:
        return None
    if found.suffix == "word":
        return partial(found.build, word=rest)
    if found.suffix:
        numbers = _SUFFIX.match(rest)
        if numbers is not None and _may_be(numbers, found.suffix):
            first = int(numbers[1] or "0")
            if found.suffix == "number":
                return partial(found.build, first=first)
            second = None if numbers[2] is None else int(numbers[2])
            return partial(found.build, first=first, second=second)
        if found.suffix == "lenient":
            return found.build
        raise Fault(f'non-digit after underscore in "{name}"', position)
    raise Fault(f'unknown expansion operator "{name}" ("{stem}" does not take an _arg)', position)


def _may_be(numbers: re.Match[str], suffix: str) -> bool:
    """Whether these numbers suit the operator."""
    if suffix == "number" and numbers[2] is not None:
        return False
    return suffix in ("signed", "lenient") or not numbers[1].startswith("-")


def _lookup_quoting(lookup: str, name: str, position: int) -> Callable[[Node], Node]:
    """``quote_TYPE``: the rules of a lookup type."""
    from eximious.lookups.base import find_lookup, unknown

    lookup, _, option = lookup.partition("_")
    found = find_lookup(lookup)
    if found is None:
        error = unknown(lookup)
        raise Fault(error.message, position, error.hint)

    def build(operand: Node) -> Node:
        from eximious.expand.operators.quote import quote_for_lookup

        return fold(Call(partial(quote_for_lookup, found, option), (operand,), False))

    return build


def known_operators() -> list[str]:
    """The names of all operators, without suffixes."""
    return list(_MODULES)
