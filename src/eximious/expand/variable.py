"""Expansion variables: how they are declared, found, and read.

A variable is a function named as the variable, which takes what it is about, told by its parameter's annotation:

    @variable
    def sender_helo_name(client: Client) -> str:
        "What the client called itself in HELO or EHLO."
        return client.helo_name

None and "" are both "not set". Which module declares which variable is a table, so that a name costs one import.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

from eximious.errors import ExpandError
from eximious.expand.nodes import Node
from eximious.expand.variables import LATER, MODULES
from eximious.registry import Registry

if TYPE_CHECKING:
    from eximious.context import Context

F = TypeVar("F", bound=Callable[[Any], str | None])

SCOPES: Final = frozenset({"Context", "Client", "Message", "Address"})


class Variable(Node):
    """A reference to a variable."""

    __slots__ = ("name",)

    warning = ""  # why it will fail when it is evaluated, for the configuration's reader

    def __init__(self, name: str) -> None:
        self.name = name


@final
class ContextVariable(Variable):
    """A variable about the present moment."""

    __slots__ = ("read",)

    def __init__(self, name: str, read: Callable[[Any], str | None]) -> None:
        self.name = name
        self.read = read

    def evaluate(self, context: Context) -> str:
        return self.read(context) or ""


@final
class ClientVariable(Variable):
    """A variable about whoever is connected."""

    __slots__ = ("read",)

    def __init__(self, name: str, read: Callable[[Any], str | None]) -> None:
        self.name = name
        self.read = read

    def evaluate(self, context: Context) -> str:
        return self.read(context.client) or ""


@final
class MessageVariable(Variable):
    """A variable about the message."""

    __slots__ = ("read",)

    def __init__(self, name: str, read: Callable[[Any], str | None]) -> None:
        self.name = name
        self.read = read

    def evaluate(self, context: Context) -> str:
        return self.read(context.message) or ""


@final
class AddressVariable(Variable):
    """A variable about the address that is dealt with."""

    __slots__ = ("read",)

    def __init__(self, name: str, read: Callable[[Any], str | None]) -> None:
        self.name = name
        self.read = read

    def evaluate(self, context: Context) -> str:
        return self.read(context.address) or ""


@final
class Capture(Variable):
    """``$0`` to ``$9``: what the last match found."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.name = str(number)
        self.number = number

    def evaluate(self, context: Context) -> str:
        captures = context.captures
        return captures[self.number] if self.number < len(captures) else ""


@final
class ConnectionVariable(Variable):
    """``$acl_c...``, which lasts as long as the connection."""

    __slots__ = ("key",)

    def __init__(self, name: str) -> None:
        self.name = name
        self.key = name[4:]

    def evaluate(self, context: Context) -> str:
        value = context.client.acl_variables.get(self.key)
        if value is None:
            return _unset(context, self.name)
        return value


@final
class MessageAclVariable(Variable):
    """``$acl_m...``, which lasts as long as the message."""

    __slots__ = ("key",)

    def __init__(self, name: str) -> None:
        self.name = name
        self.key = name[4:]

    def evaluate(self, context: Context) -> str:
        value = context.message.acl_variables.get(self.key)
        if value is None:
            return _unset(context, self.name)
        return value


@final
class RouterVariable(Variable):
    """``$r_...``, set by routers."""

    __slots__ = ()

    def evaluate(self, context: Context) -> str:
        value = context.address.router_variables.get(self.name)
        if value is None:
            return _unset(context, self.name)
        return value


@final
class MissingVariable(Variable):
    """A variable of Exim's whose feature this version does not have yet."""

    __slots__ = ("warning",)

    def __init__(self, name: str, feature: str) -> None:
        self.name = name
        self.warning = f"${name} belongs to {feature}, which this version does not have yet"

    def evaluate(self, context: Context) -> str:
        raise ExpandError(self.warning)


def _unset(context: Context, name: str) -> str:
    """The value of a user variable that nobody set: empty, or an error under strict_acl_vars."""
    if context.config.main.strict_acl_vars and not name.startswith("r_"):
        raise ExpandError(f'unknown variable name "{name}" (strict_acl_vars is set)')
    return ""


_SCOPED: Final[dict[str, Callable[[str, Callable[[Any], str | None]], Variable]]] = {
    "Context": ContextVariable,
    "Client": ClientVariable,
    "Message": MessageVariable,
    "Address": AddressVariable,
}
_CAPTURES: Final = tuple(Capture(number) for number in range(10))

variables: Registry[Variable] = Registry("eximious.expand.variables", "variable", dict(MODULES))


def variable(function: F) -> F:
    """Declare the variable that has the function's name; see the module's description."""
    name = function.__name__.rstrip("_")
    parameter = function.__code__.co_varnames[0]
    scope = function.__annotations__[parameter]
    variables.register(name)(_SCOPED[scope](name, function))
    return function


def family(names: str, count: range) -> Callable[[Callable[[Any, int], str | None]], Callable[[Any, int], str | None]]:
    """Decorator: declare numbered variables, as ``auth1`` to ``auth4``, by a function of the context and the number."""

    def decorate(function: Callable[[Any, int], str | None]) -> Callable[[Any, int], str | None]:
        for number in count:
            name = f"{names}{number}"

            def read(context: Any, number: int = number) -> str | None:
                return function(context, number)

            read.__doc__ = function.__doc__
            variables.register(name)(ContextVariable(name, read))
        return function

    return decorate


_found: dict[str, Variable] = {}


def find_variable(name: str) -> Variable | None:
    """The node that reads the variable, or None if there is no such variable."""
    node = _found.get(name)
    if node is None:
        node = _find(name)
        if node is not None and len(_found) < 10_000:
            _found[name] = node
    return node


def _find(name: str) -> Variable | None:
    if name in MODULES:
        return _load(name)
    if name.startswith(("acl_c", "acl_m")) and (len(name) == 5 or name[5] == "_" or name[5].isdigit()):
        return ConnectionVariable(name) if name[4] == "c" else MessageAclVariable(name)
    if name.startswith("r_"):
        return RouterVariable(name)
    if _NUMBERED.fullmatch(name):
        return _load(name)
    if name in LATER:
        return MissingVariable(name, LATER[name])
    return None


_NUMBERED = re.compile(r"n[0-9]|sn[0-9]|auth[1-4]|acl_arg[1-9]|regex[1-9]")


def _load(name: str) -> Variable | None:
    found = variables.find(name)
    if found is None and _NUMBERED.fullmatch(name):
        import eximious.expand.variables.numbered  # noqa: F401

        found = variables.find(name)
    return found


def capture(number: int) -> Variable:
    """``$0``, ``$1``, ...; beyond 9 always empty."""
    return _CAPTURES[number] if number < len(_CAPTURES) else Capture(number)


def find_header(form: str, name: str) -> Node:
    """``$h_name:`` and its kin; `form` is "" (decoded), "r" (raw), "l" (a list) or "b" (trimmed)."""
    from eximious.expand.header import HeaderValue

    return HeaderValue(form, name)


def complaint_about(name: str) -> str:
    """What Exim says of an unknown variable."""
    return f'unknown variable name "{name}"{acl_hint(name)}'


def acl_hint(name: str) -> str:
    """What is wrong with a name that is almost one of an ACL variable."""
    if name.startswith(("acl_c", "acl_m")):
        return " (6th character of a user-defined ACL variable must be a digit or underscore)"
    if name.startswith("acl_"):
        return " (user-defined ACL variables must start acl_c or acl_m)"
    return ""


def known_names() -> list[str]:
    """The names of all variables that are not made up by the postmaster."""
    return [*MODULES, *LATER]
