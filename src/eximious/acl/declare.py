"""How conditions, modifiers and controls are declared: one file each, found by name, where they may stand as data.

    @condition("encrypted", STRINGS, SMTP - {CONNECT})
    def encrypted(wanted: StringList, run: Run) -> bool:

A condition gives True or False, or raises Defer ("cannot tell now") or AclError (it cannot be used like this). A
modifier's value is ignored. The argument's kind says how the text after ``=`` becomes the value that is handed over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from eximious.registry import Registry

if TYPE_CHECKING:
    from eximious.lists.local_part import LocalPartList

Function = Callable[..., Any]  # of the argument's value and the run


class Argument:
    """What is done with the text after ``=`` before the function gets it.

    `list_module` names the compiler of a list kind; otherwise the text is expanded (unless `is_raw`) and then given to
    `parse`, which raises AclError for what it cannot accept.
    """

    __slots__ = ("is_raw", "list_module", "parse")

    def __init__(
        self, *, list_module: str = "", parse: Callable[[str], Any] | None = None, is_raw: bool = False
    ) -> None:
        self.list_module = list_module
        self.parse = parse
        self.is_raw = is_raw


TEXT: Final = Argument()
RAW: Final = Argument(is_raw=True)  # the template itself, to be expanded later or not at all
DOMAINS: Final = Argument(list_module="eximious.lists.domain")
HOSTS: Final = Argument(list_module="eximious.lists.host")
ADDRESSES: Final = Argument(list_module="eximious.lists.address")
LOCAL_PARTS: Final = Argument(list_module="eximious.lists.local_part")


def _strings(text: str) -> LocalPartList:
    """A list of names in which patterns may stand: they are those of local parts."""
    from eximious.lists.local_part import final_text

    return final_text(text)


STRINGS: Final = Argument(parse=_strings)


def parsed(parse: Callable[[str], Any]) -> Argument:
    """Expanded text that `parse` turns into a value; done once, when the file is read, if the text is constant."""
    return Argument(parse=parse)


class Declaration:
    """A condition or modifier that ACLs may contain."""

    __slots__ = ("allowed", "argument", "function", "is_modifier", "later", "name")

    def __init__(
        self,
        name: str,
        function: Function,
        argument: Argument,
        allowed: frozenset[str],
        *,
        is_modifier: bool,
        later: str,
    ) -> None:
        self.name = name
        self.function = function
        self.argument = argument
        self.allowed = allowed
        self.is_modifier = is_modifier
        self.later = later  # the feature that is still missing, without which it may not be used

    @property
    def kind(self) -> str:
        """``condition`` or ``modifier``, for messages."""
        return "modifier" if self.is_modifier else "condition"


class Control:
    """A setting of the ``control`` modifier: ``control = NAME/OPTIONS``."""

    __slots__ = ("allowed", "function", "has_options", "later", "name")

    def __init__(
        self, name: str, function: Function, allowed: frozenset[str], *, has_options: bool, later: str
    ) -> None:
        self.name = name
        self.function = function  # gets the options' text, with its leading "/", and the run
        self.allowed = allowed
        self.has_options = has_options
        self.later = later

    @property
    def shown_name(self) -> str:
        """The name in messages: the newer one, where there are two."""
        return "queue" if self.name == "queue_only" else self.name


conditions: Registry[Declaration] = Registry("eximious.acl.conditions", "ACL condition")
modifiers: Registry[Declaration] = Registry(
    "eximious.acl.modifiers", "ACL modifier", {"continue": "continue_", "set": "set_"}
)
controls: Registry[Control] = Registry(
    "eximious.acl.controls", "ACL control", {"dmarc_forensic_enable": "dmarc_enable_forensic"}
)


def condition(
    name: str, argument: Argument, allowed: frozenset[str], *, later: str = ""
) -> Callable[[Function], Function]:
    """Decorator: the function is the ACL condition `name`, for use at the `allowed` moments."""

    def declare(function: Function) -> Function:
        declaration = Declaration(name, function, argument, allowed, is_modifier=False, later=later)
        conditions.register(name)(declaration)
        return function

    return declare


def modifier(name: str, argument: Argument, allowed: frozenset[str]) -> Callable[[Function], Function]:
    """Decorator: the function is the ACL modifier `name`, for use at the `allowed` moments."""

    def declare(function: Function) -> Function:
        declaration = Declaration(name, function, argument, allowed, is_modifier=True, later="")
        modifiers.register(name)(declaration)
        return function

    return declare


def control(
    name: str, allowed: frozenset[str], *, has_options: bool = False, later: str = ""
) -> Callable[[Function], Function]:
    """Decorator: the function is what ``control = NAME`` does, at the `allowed` moments."""

    def declare(function: Function) -> Function:
        controls.register(name)(Control(name, function, allowed, has_options=has_options, later=later))
        return function

    return declare
