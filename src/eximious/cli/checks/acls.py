"""ACLs: statements that are never reached, ACLs that call themselves, and what cannot stand where the ACL is run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from eximious.acl import where
from eximious.acl.compiled import UNKNOWN, Acl, Item, Statement
from eximious.acl.conditions.dnslists import ITEM, Wanted
from eximious.acl.conditions.ratelimit import Limit
from eximious.acl.conditions.verify import ALLOWED as VERIFY_ALLOWED
from eximious.acl.verdict import AclError
from eximious.config.configuration import Configuration
from eximious.config.lists import split
from eximious.errors import ConfigError

MOST_NAMED: Final = 5  # ACLs in one hint
FINAL: Final = frozenset(
    {"accept", "defer", "deny", "discard", "drop"}
)  # verbs that end the ACL if all conditions hold


def acls(config: Configuration) -> Iterator[ConfigError]:
    """A warning for each."""
    for acl in config.acls.values():
        if acl.name in _called_from(config, acl.name):
            yield ConfigError(f'the ACL "{acl.name}" calls itself', acl.place)
    seen: set[tuple[str, str]] = set()
    for moment, option in where.OPTIONS.items():
        given = config.main.given.get(option)
        for name in _reached(config, given.text.strip() if given is not None else ""):
            if (name, moment) not in seen:
                seen.add((name, moment))
                yield from _misplaced(config.acls[name], moment)


def unreached_statements(config: Configuration) -> Iterator[ConfigError]:
    """A note for each ACL that has statements after one that always ends it."""
    for acl in config.acls.values():
        for number, statement in enumerate(acl.statements[:-1]):
            if ends_always(statement):
                after = acl.statements[number + 1]
                line = statement.place.line if statement.place is not None else 0
                hint = f"the {statement.verb} in line {line} has no condition"
                yield ConfigError("this statement is never reached", after.place, hint)
                break


def ends_always(statement: Statement) -> bool:
    """True if the ACL ends with the statement, whatever happens."""
    return statement.verb in FINAL and all(item.declaration.is_modifier for item in statement.items)


def called(item: Item) -> str:
    """The name of the ACL that a condition ``acl = NAME`` runs; "" for other items, and if it is not known."""
    if item.name != "acl" or "$" in item.source:
        return ""
    words = item.source.split()
    return words[0] if words else ""


def _calls(acl: Acl) -> set[str]:
    return {called(item) for statement in acl.statements for item in statement.items} - {""}


def _called_from(config: Configuration, name: str) -> set[str]:
    """The ACLs that the ACL of that name runs, also through others."""
    found: set[str] = set()
    waiting = list(_calls(config.acls[name]))
    while waiting:
        one = waiting.pop()
        if one not in found and one in config.acls:
            found.add(one)
            waiting += _calls(config.acls[one])
    return found


def _reached(config: Configuration, name: str) -> list[str]:
    return [name, *sorted(_called_from(config, name) - {name})] if name in config.acls else []


def _misplaced(acl: Acl, moment: str) -> Iterator[ConfigError]:
    for statement in acl.statements:
        for item in statement.items:
            declared: Any = item.declaration
            name = item.name
            yield from _argument(item)
            control = getattr(item.value, "control", None) if item.value is not UNKNOWN else None
            if moment in declared.allowed and control is not None:
                declared, name = control, f"control = {control.name}"
            verified = VERIFY_ALLOWED.get(getattr(item.value, "what", "")) if name == "verify" else None
            if verified is not None and moment not in verified:
                message = f"verify = {item.value.what} is not possible in the ACL for {moment}"
                yield ConfigError(message, item.place, _elsewhere("condition", verified))
            elif moment not in declared.allowed:
                what = "control" if control is not None and declared is control else declared.kind
                message = f"{name} is not possible in the ACL for {moment}"
                yield ConfigError(message, item.place, _elsewhere(what, declared.allowed))


def _argument(item: Item) -> Iterator[ConfigError]:
    """What is wrong with the constant argument of a condition that reads it when it is reached."""
    template = item.template if item.template is not None else item.value
    constant = item.source if template is UNKNOWN else getattr(template, "constant", template)
    if not isinstance(constant, str):
        return
    try:
        if item.name == "ratelimit":
            Limit(constant)
        elif item.name == "dnslists":
            for found in map(ITEM.fullmatch, split(constant)):
                if found is not None:
                    Wanted(found["how"] or "", found["values"] or "", is_negated=False)
    except AclError as error:
        yield ConfigError(str(error), item.place)


def _elsewhere(what: str, allowed: frozenset[str]) -> str:
    """The ACLs in which it may stand, by the options that name them; "" if these are many."""
    names = [where.OPTIONS[moment] for moment in where.OPTIONS if moment in allowed]
    return f"the {what} can stand in {', '.join(names)}" if 0 < len(names) <= MOST_NAMED else ""
