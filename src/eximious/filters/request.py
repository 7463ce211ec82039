"""A filter to be run by another process, as the user whose it is: everything it may look at, as a record for JSON.

The other process gets the message's headers and the ends of its body, what is known of client and address, and those
options and named lists of the configuration that are not hidden: no passwords, and nothing of other messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eximious.filters.actions import Action, Deliver, Outcome, Pipe, Reply, Save
from eximious.filters.lexer import FilterError
from eximious.spool.message import Header
from eximious.taint import Tainted, is_tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.filters.parse import Rules

Record = dict[str, Any]

SAMPLE: Final = 128 * 1024  # octets of each end of the body
FORBIDDEN_FACTS: Final = ("dlfunc", "exists", "lookup", "perl", "readfile", "readsocket", "run")
KEPT_FACTS: Final = ("system_filter_counters",)
# Actions by name, for the way back.
ACTIONS: Final[dict[str, type[Action]]] = {
    "seen": Action,
    "deliver": Deliver,
    "save": Save,
    "pipe": Pipe,
    "reply": Reply,
}


class SampledBody:
    """The two ends of a body, which is all that filters see of it."""

    __slots__ = ("end", "size", "start")

    def __init__(self, start: bytes, end: bytes, size: int) -> None:
        self.start = start
        self.end = end
        self.size = size

    def read(self, start: int, length: int) -> bytes:
        """Up to `length` octets from `start` on, as far as they are known."""
        if start < len(self.start):
            return self.start[start : start + length]
        offset = start - (self.size - len(self.end))
        return self.end[max(offset, 0) :][:length] if offset >= 0 else b""


def encode(text: str, context: Context, rules: Rules, qualify_domain: str) -> Record:
    """The record for one run of a filter."""
    message = context.message
    address = context.address
    return {
        "text": text,
        "allowed": sorted(rules.allowed),
        "is_system": rules.is_system,
        "may_log": rules.may_log,
        "qualify_domain": qualify_domain,
        "config": _config(context),
        "client": simple_slots(message.client),
        "message": simple_slots(message),
        "headers": [(header.kind, header.text) for header in message.headers],
        "recipients": [recipient.address for recipient in message.recipients],
        "body": _body(message.body, message.body_size),
        "address": simple_slots(address),
        "ancestors": [ancestor.address for ancestor in _ancestors(address)],
        "router_name": context.router_name,
        "captures": [_plain(text) for text in context.captures],
        "forbidden": [name for name in FORBIDDEN_FACTS if context.facts.get(f"forbid_{name}")],
        "facts": {name: context.facts[name] for name in KEPT_FACTS if name in context.facts},
    }


def _ancestors(address: Any) -> list[Any]:
    found = []
    parent = address.parent
    while parent is not None:
        found.append(parent)
        parent = parent.parent
    return found


def _body(body: Any, size: int) -> tuple[str, str, int]:
    if body is None:
        return "", "", 0
    start = body.read(0, SAMPLE)
    end = body.read(max(size - SAMPLE, 0), SAMPLE) if size > SAMPLE else start
    return start.decode("latin-1"), end.decode("latin-1"), size


def _config(context: Context) -> Record:
    config = context.config
    options = {name: given.text for name, given in config.main.given.items() if not given.is_hidden}
    lists = [
        (named.kind, named.name, named.text, named.is_cached)
        for group in config.named_lists.values()
        for named in group.values()
        if not named.is_hidden
    ]
    return {"file": config.file, "options": options, "lists": lists}


def simple_slots(thing: Any) -> Record:
    """The attributes of a record that JSON can carry."""
    found = {}
    for name in thing.__slots__:
        value = getattr(thing, name)
        plain = _plain(value)
        if plain is not None:
            found[name] = plain
    return found


def _plain(value: Any) -> Any:
    """The value for JSON; tainted text is a list of one. None for what cannot be carried."""
    if isinstance(value, str):
        return [str(value)] if is_tainted(value) else str(value)
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return {name: _plain(each) for name, each in value.items()}
    return None


def fill(thing: Any, record: Record) -> None:
    """The reverse of `simple_slots`."""
    for name, value in record.items():
        if name in thing.__slots__:
            setattr(thing, name, _rich(value))


def _rich(value: Any) -> Any:
    if isinstance(value, list):
        return Tainted(value[0])
    if isinstance(value, dict):
        return {name: _rich(each) for name, each in value.items()}
    return value


# --- in the user's process --------------------------------------------------------------------------------------------


def perform(record: Record) -> Record:
    """Run the filter that a record describes; gives what it wants done, or why it failed."""
    from eximious.filters.exim import obey_filter
    from eximious.filters.parse import Rules

    context = _context(record)
    rules = Rules(frozenset(record["allowed"]), is_system=record["is_system"], may_log=record["may_log"])
    try:
        outcome = obey_filter(record["text"], context, rules, qualify_domain=record["qualify_domain"])
    except FilterError as error:
        return {"error": str(error)}
    answer: Record = {
        "verdict": outcome.verdict,
        "message": _plain(outcome.message),
        "actions": [encode_action(action) for action in outcome.actions],
    }
    if rules.is_system:
        answer["headers"] = [(header.kind, header.text) for header in context.message.headers]
        answer["counters"] = context.facts["system_filter_counters"]
    return answer


def _context(record: Record) -> Context:
    from eximious.address.delivery import Address
    from eximious.config.configuration import Configuration
    from eximious.config.main import MainOptions
    from eximious.config.named_lists import TYPES, NamedList
    from eximious.config.option import Given
    from eximious.context import Context
    from eximious.services import Services

    main = MainOptions()
    main.given = {name: Given(text, None) for name, text in record["config"]["options"].items()}
    config = Configuration(main)
    config.file = record["config"]["file"]
    for kind, name, text, is_cached in record["config"]["lists"]:
        config.named_lists[TYPES[kind][1]][name] = NamedList(kind, name, text, None, is_cached, False)
    context = Context(config, Services(config))
    message = context.message
    fill(context.client, record["client"])
    fill(message, record["message"])
    message.client = context.client
    message.headers = [Header(text, kind) for kind, text in record["headers"]]
    from eximious.spool.message import Recipient

    message.recipients = [Recipient(Tainted(address)) for address in record["recipients"]]
    start, end, size = record["body"]
    message.body = SampledBody(start.encode("latin-1"), end.encode("latin-1"), size)
    address = Address("")
    fill(address, record["address"])
    child = address
    for text in record["ancestors"]:
        child.parent = Address(Tainted(text))
        child = child.parent
    context.address = address
    context.router_name = record["router_name"]
    context.captures = [_rich(text) for text in record["captures"]]
    context.facts.update({f"forbid_{name}": True for name in record["forbidden"]})
    context.facts.update(record["facts"])
    return context


def encode_action(action: Action) -> Record:
    """An action for JSON."""
    name = next(name for name, kind in ACTIONS.items() if type(action) is kind)
    values = {slot: getattr(action, slot) for kind in type(action).__mro__ for slot in getattr(kind, "__slots__", ())}
    return {"name": name, "values": {slot: _carried(value) for slot, value in values.items()}}


def _carried(value: Any) -> Any:
    if isinstance(value, list):
        return {"list": [_plain(each) if isinstance(each, str) else each for each in value]}
    return _plain(value)


def decode_outcome(record: Record) -> Outcome:
    """What `perform` gave. Raises FilterError if the filter failed; ValueError, KeyError or TypeError for nonsense."""
    if "error" in record:
        raise FilterError(str(record["error"]))
    outcome = Outcome()
    outcome.verdict = str(record["verdict"])
    outcome.message = _rich(record["message"])
    outcome.actions = [_decode_action(each) for each in record["actions"]]
    return outcome


def apply_changes(record: Record, context: Context) -> None:
    """What a system filter has changed besides: header lines, and what users' filters know as $sn0 to $sn9."""
    message = context.message
    before = [(header.kind, header.text) for header in message.headers]
    after = [(str(kind), str(text)) for kind, text in record["headers"]]
    if after != before:
        message.headers = [Header(text, kind) for kind, text in after]
    context.facts["system_filter_counters"] = [int(counter) for counter in record["counters"]]


def _decode_action(record: Record) -> Action:
    kind = ACTIONS[record["name"]]
    action = kind.__new__(kind)
    for slot, value in record["values"].items():
        is_list = isinstance(value, dict) and set(value) == {"list"}
        setattr(action, slot, [_rich_item(each) for each in value["list"]] if is_list else _rich(value))
    return action


def _rich_item(value: Any) -> Any:
    return value if isinstance(value, int) else _rich(value)
