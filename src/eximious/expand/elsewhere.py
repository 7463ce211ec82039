"""The moment of an expansion as a record for JSON, for a process that is somebody else.

What a user wrote (a filter, the command of its pipe, the file of its reply) must see the system as the user does, so it
is expanded by a process that is the user. That process gets the message's headers and the ends of its body, what is
known of client and address, and those options and named lists of the configuration that are not hidden: no passwords,
and nothing of other messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eximious.errors import Defer, ExpandError
from eximious.spool.message import Header
from eximious.taint import Tainted, is_tainted

if TYPE_CHECKING:
    from eximious.context import Context

Record = dict[str, Any]

SAMPLE: Final = 128 * 1024  # octets of each end of the body
COUNTERS: Final = ("filter_counters", "system_filter_counters")  # $n0 and so on, $sn0 and so on
KEPT_FACTS: Final = (
    "return_path",
    *(f"forbid_{name}" for name in ("dlfunc", "exists", "lookup", "perl", "readfile", "readsocket", "run")),
)


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


def encode(context: Context, *, shows_recipients: bool = False) -> Record:
    """The record of the present moment. Who else gets the message is not for users to know."""
    message, address = context.message, context.address
    facts = {name: carried(context.facts[name]) for name in KEPT_FACTS if name in context.facts}
    return {
        "config": _config(context),
        "client": simple_slots(message.client),
        "message": simple_slots(message),
        "headers": [(header.kind, header.text) for header in message.headers],
        "recipients": [recipient.address if shows_recipients else "" for recipient in message.recipients],
        "body": _body(message.body, message.body_size),
        "address": simple_slots(address),
        "ancestors": [ancestor.address for ancestor in _ancestors(address)],
        "router_name": context.router_name,
        "transport_name": context.transport_name,
        "captures": [carried(text) for text in context.captures],
        "facts": facts | {"recipients_visible": shows_recipients},
        "counters": {name: context.facts[name] for name in COUNTERS if name in context.facts},
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
        plain = carried(value)
        if plain is not None:
            found[name] = plain
    return found


def carried(value: Any) -> Any:
    """The value for JSON; tainted text is a list of one. None for what cannot be carried."""
    if isinstance(value, str):
        return [str(value)] if is_tainted(value) else str(value)
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return {name: carried(each) for name, each in value.items()}
    return None


def fill(thing: Any, record: Record) -> None:
    """The reverse of `simple_slots`."""
    for name, value in record.items():
        if name in thing.__slots__:
            setattr(thing, name, rich(value))


def rich(value: Any) -> Any:
    """The reverse of `carried`."""
    if isinstance(value, list):
        return Tainted(value[0])
    if isinstance(value, dict):
        return {name: rich(each) for name, each in value.items()}
    return value


def decode(record: Record) -> Context:
    """The moment that a record describes."""
    from eximious.address.delivery import Address
    from eximious.config.configuration import Configuration
    from eximious.config.main import MainOptions
    from eximious.config.named_lists import TYPES, NamedList
    from eximious.config.option import Given
    from eximious.context import Context
    from eximious.services import Services
    from eximious.spool.message import Recipient

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
    context.captures = [rich(text) for text in record["captures"]]
    context.transport_name = record["transport_name"]
    context.facts.update({name: rich(value) for name, value in record["facts"].items()})
    context.facts.update(record["counters"])
    return context


# --- expanding texts --------------------------------------------------------------------------------------------------


def encode_texts(texts: list[str], context: Context, *, shows_recipients: bool = False) -> Record:
    """The record for texts that are to be expanded."""
    return {"moment": encode(context, shows_recipients=shows_recipients), "texts": texts}


def perform(record: Record) -> Record:
    """In the other process: expand the texts of a record."""
    from eximious.expand.template import expand

    context = decode(record["moment"])
    results: list[Record] = []
    for text in record["texts"]:
        try:
            results.append({"text": carried(expand(text, context))})
        except (ExpandError, Defer) as error:
            results.append({"error": str(error)})
    return {"results": results}


def decode_results(record: Record) -> list[str | ExpandError]:
    """What became of the texts. Raises KeyError or TypeError for nonsense."""
    return [ExpandError(str(each["error"])) if "error" in each else rich(each["text"]) for each in record["results"]]
