"""A filter to be run by another process, as the user whose it is, as a record for JSON; and what it wants, likewise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eximious.expand import elsewhere
from eximious.expand.elsewhere import Record, carried, rich
from eximious.filters.actions import Action, Deliver, Outcome, Pipe, Reply, Save
from eximious.filters.lexer import FilterError
from eximious.spool.message import Header

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.filters.parse import Rules

# Actions by name, for the way back.
ACTIONS: Final[dict[str, type[Action]]] = {
    "seen": Action,
    "deliver": Deliver,
    "save": Save,
    "pipe": Pipe,
    "reply": Reply,
}


def encode(text: str, context: Context, rules: Rules, qualify_domain: str) -> Record:
    """The record for one run of a filter."""
    return {
        "text": text,
        "allowed": sorted(rules.allowed),
        "is_system": rules.is_system,
        "may_log": rules.may_log,
        "writes_logs": rules.writes_logs,
        "qualify_domain": qualify_domain,
        "moment": elsewhere.encode(context, shows_recipients=rules.is_system),
    }


# --- in the user's process --------------------------------------------------------------------------------------------


def perform(record: Record) -> Record:
    """Run the filter that a record describes; gives what it wants done, or why it failed."""
    from eximious.filters.exim import obey_filter
    from eximious.filters.parse import Rules

    context = elsewhere.decode(record["moment"])
    rules = Rules(
        frozenset(record["allowed"]),
        is_system=record["is_system"],
        may_log=record["may_log"],
        writes_logs=record["writes_logs"],
    )
    try:
        outcome = obey_filter(record["text"], context, rules, qualify_domain=record["qualify_domain"])
    except FilterError as error:
        return {"error": str(error)}
    answer: Record = {
        "verdict": outcome.verdict,
        "message": carried(outcome.message),
        "actions": [encode_action(action) for action in outcome.actions],
    }
    if rules.is_system:
        answer["headers"] = [(header.kind, header.text) for header in context.message.headers]
        answer["counters"] = context.facts["system_filter_counters"]
    return answer


def encode_action(action: Action) -> Record:
    """An action for JSON."""
    name = next(name for name, kind in ACTIONS.items() if type(action) is kind)
    values = {slot: getattr(action, slot) for kind in type(action).__mro__ for slot in getattr(kind, "__slots__", ())}
    return {"name": name, "values": {slot: _carried(value) for slot, value in values.items()}}


def _carried(value: Any) -> Any:
    if isinstance(value, list):
        return {"list": [carried(each) if isinstance(each, str) else each for each in value]}
    return carried(value)


def decode_outcome(record: Record) -> Outcome:
    """What `perform` gave. Raises FilterError if the filter failed; ValueError, KeyError or TypeError for nonsense."""
    if "error" in record:
        raise FilterError(str(record["error"]))
    outcome = Outcome()
    outcome.verdict = str(record["verdict"])
    outcome.message = rich(record["message"])
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
        setattr(action, slot, [_rich_item(each) for each in value["list"]] if is_list else rich(value))
    return action


def _rich_item(value: Any) -> Any:
    return value if isinstance(value, int) else rich(value)
