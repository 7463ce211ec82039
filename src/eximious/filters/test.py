"""Testing the conditions of filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eximious.address.header_list import parse_list
from eximious.errors import ExpandError
from eximious.filters.lexer import FilterError
from eximious.filters.numbers import integer
from eximious.filters.personal import is_personal
from eximious.filters.tree import All, Any, Condition, ForAnyAddress, Not, Personal, Test
from eximious.octets import SPACE

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.filters.run import Run

MOST_ADDRESSES: Final = 10_000  # that foranyaddress looks at


class Tester:
    """Tests conditions for one run."""

    def __init__(self, run: Run) -> None:
        self.run: Run = run
        self.context: Context = run.context

    def holds(self, condition: Condition) -> bool:
        """True if the condition does. Raises FilterError."""
        match condition:
            case Not():
                return not self.holds(condition.condition)
            case All():
                return all(self.holds(each) for each in condition.conditions)
            case Any():
                return any(self.holds(each) for each in condition.conditions)
            case Personal():
                if self.run.is_system:  # a system filter works for nobody in particular
                    return False
                aliases = [self._expanded(alias) for alias in condition.aliases]
                return is_personal(self.context, aliases)
            case ForAnyAddress():
                return self._for_any(condition)
            case Test():
                return self._test(condition)

    def _expanded(self, text: str) -> str:
        return self.run.expanded(text, "filter file")

    def _for_any(self, condition: ForAnyAddress) -> bool:
        text = self._expanded(condition.addresses)
        for item in parse_list(text.replace("\n", " "))[:MOST_ADDRESSES]:
            if item.parsed is not None:
                # The address stays visible after the condition, too.
                self.context.facts["thisaddress"] = item.parsed.address
                if self.holds(condition.condition):
                    return True
        return False

    def _test(self, test: Test) -> bool:
        alone = ALONE.get(test.kind)
        if alone is not None:
            return alone(self)
        left, right = self._expanded(test.left), self._expanded(test.right)
        if test.kind in ("above", "below"):
            one, other = _number(left), _number(right)
            found = one > other if test.kind == "above" else one < other
        elif test.kind == "matches":
            found = self._matches(left, right, test.is_caseful)
        else:
            found = _compare(test.kind, left, right, test.is_caseful)
        return found is not test.is_negated

    def _matches(self, text: str, pattern: str, is_caseful: bool) -> bool:
        from eximious.expand.regex import compile

        try:
            captures = compile(pattern, caseless=not is_caseful).search(text)
        except ExpandError as error:
            raise FilterError(str(error).replace(" in regular expression ", " in ")) from error
        if captures is None:
            return False
        self.context.captures = captures
        return True


def _compare(kind: str, left: str, right: str, is_caseful: bool) -> bool:
    if not is_caseful:
        left, right = left.lower(), right.lower()
    if kind == "begins":
        return left.startswith(right)
    if kind == "ends":
        return left.endswith(right)
    return left == right if kind == "is" else right in left


def _number(text: str) -> int:
    """A number as C writes them, perhaps with K or M behind it."""
    stripped = text.strip(SPACE)
    factor = {"K": 1024, "M": 1024 * 1024}.get(stripped[-1:].upper(), 1)
    number = integer(stripped[:-1] if factor > 1 else stripped)
    if number is None:
        raise FilterError(f'malformed numerical string "{text}"')
    return number * factor


ALONE: Final[dict[str, Callable[[Tester], bool]]] = {
    "delivered": lambda tester: tester.run.outcome.is_delivered,
    "error_message": lambda tester: not tester.context.message.sender,
    "first_delivery": lambda tester: tester.context.message.deliver_first_time,
    "manually_thawed": lambda tester: tester.context.message.manual_thaw,
}
