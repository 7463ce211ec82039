"""``exipick``: messages of the queue, by what is true of them.

    exipick '$sender_address = alice@example.org' '$message_age > 3600'
    exipick -i --or frozen '$recipients =~ @example\\.net'

A criterion is a variable with an operator and a value, or a variable alone, which must then be true; ``!`` in front of
it inverts it. Names may be written with or without ``$``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn

from eximious.errors import EximiousError
from eximious.exim.utilities import complain, run
from eximious.octets import SPACE

if TYPE_CHECKING:
    from eximious.spool.message import Message
    from eximious.spool.store import QueueStore

USAGE: Final = """\
Usage: exipick [options] [criterion ...]

  [!]VARIABLE             true (not empty, not 0)
  VARIABLE OPERATOR VALUE with = or eq, != or ne (text), == != < > <= >= (numbers), =~ !~ (regular expression)

  -i, -bpi                ids only          -c, -bpc    count only
  -b                      one line each     -l, -bp     as exim -bp has it (default)
  --show-vars VAR[,VAR]   with these variables
  --or                    one criterion is enough      --not   show the others
  --unsorted              not in order of arrival      --queue NAME   a named queue
  -C FILE, -D MACRO=TEXT  as for exim
  --vars                  list the variables"""
CRITERION: Final = re.compile(r"\s*(!?)\s*\$?(\w+)\s*(?:(==|!=|<=|>=|=~|!~|=|<|>|\beq\b|\bne\b)\s*(.*))?\Z", re.DOTALL)


class Facts:
    """What is known of one message, by variable."""

    def __init__(self, message: Message, size: int, now: float) -> None:
        self.message = message
        self.size = size
        self.now = now

    def value(self, name: str) -> str:
        """The variable's text; lists have commas between their items."""
        if name.startswith(("h_", "header_", "rh_")):
            return self._header(name.partition("_")[2].rstrip(":"))
        if name.startswith("acl_"):
            variables = self.message.acl_variables if name[4:5] == "m" else self.message.client.acl_variables
            return str(variables.get(name[5:], ""))
        return VARIABLES[name](self)

    def _header(self, name: str) -> str:
        wanted = name.lower().replace("_", "-")
        texts = [each.text for each in self.message.headers if each.kind != "*" and each.name.lower() == wanted]
        return "\n".join(text.partition(":")[2].strip(SPACE) for text in texts)

    @property
    def pending(self) -> list[str]:
        """Recipients that still wait."""
        return [each.address for each in self.message.recipients if each.address not in self.message.nonrecipients]


VARIABLES: Final[dict[str, Callable[[Facts], str]]] = {
    "authenticated_id": lambda facts: facts.message.client.authenticated_id,
    "authenticated_sender": lambda facts: facts.message.authenticated_sender,
    "body_linecount": lambda facts: str(facts.message.body_line_count),
    "deliver_freeze": lambda facts: str(int(facts.message.is_frozen)),
    "each_recipients": lambda facts: ",".join(each.address for each in facts.message.recipients),
    "first_delivery": lambda facts: str(int(facts.message.deliver_first_time)),
    "freeze": lambda facts: str(int(facts.message.is_frozen)),
    "frozen": lambda facts: str(int(facts.message.is_frozen)),
    "interface_address": lambda facts: facts.message.client.interface_address,
    "local_error_message": lambda facts: str(int(facts.message.is_locally_submitted_error)),
    "manually_thawed": lambda facts: str(int(facts.message.manual_thaw)),
    "message_age": lambda facts: str(int(facts.now - facts.message.received_at)),
    "message_exim_id": lambda facts: facts.message.id,
    "message_id": lambda facts: facts.message.id,
    "message_size": lambda facts: str(facts.size),
    "originator_gid": lambda facts: str(facts.message.originator_gid),
    "originator_login": lambda facts: facts.message.login,
    "originator_uid": lambda facts: str(facts.message.originator_uid),
    "queue_name": lambda facts: facts.message.queue_name,
    "received_protocol": lambda facts: facts.message.received_protocol,
    "received_time": lambda facts: str(int(facts.message.received_at)),
    "recipients": lambda facts: ",".join(each.address for each in facts.message.recipients),
    "recipients_count": lambda facts: str(len(facts.message.recipients)),
    "recipients_del": lambda facts: ",".join(sorted(facts.message.nonrecipients)),
    "recipients_undel": lambda facts: ",".join(facts.pending),
    "recipients_undel_count": lambda facts: str(len(facts.pending)),
    "sender_address": lambda facts: facts.message.sender,
    "sender_address_domain": lambda facts: facts.message.sender.rpartition("@")[2],
    "sender_address_local_part": lambda facts: facts.message.sender.rpartition("@")[0],
    "sender_helo_name": lambda facts: facts.message.client.helo_name,
    "sender_host_address": lambda facts: facts.message.client.host_address,
    "sender_host_name": lambda facts: facts.message.client.host_name or "",
    "sender_ident": lambda facts: facts.message.client.ident,
    "sender_local": lambda facts: str(int(facts.message.sender_is_local)),
    "warning_count": lambda facts: str(facts.message.warning_count),
}

Criterion = Callable[[Facts], bool]


def console() -> NoReturn:
    """The installed script."""
    run(main)


class Wish:
    """What the command line asks for."""

    def __init__(self) -> None:
        self.criteria: list[Criterion] = []
        self.form = "l"
        self.any = False
        self.inverted = False
        self.in_order = True
        self.queue = ""
        self.shown: list[str] = []
        self.exim: list[str] = []  # -C and -D


def main(arguments: list[str]) -> int:
    """Options and criteria."""
    if "--vars" in arguments:
        print("\n".join(sorted(VARIABLES)))
        return 0
    if "--help" in arguments:
        print(USAGE)
        return 0
    try:
        wish = parse(arguments)
        store = open_queue(wish)
    except (ValueError, EximiousError) as error:
        return complain(f"exipick: {error}\n{USAGE}")
    return pick(wish, store)


def parse(arguments: list[str]) -> Wish:
    """Raises ValueError."""
    wish = Wish()
    words = list(arguments)
    forms = {"-i": "i", "-bpi": "i", "-c": "c", "-bpc": "c", "-b": "b", "-l": "l", "-bp": "l"}
    while words:
        word = words.pop(0)
        if word in forms:
            wish.form = forms[word]
        elif word in ("--or", "--not", "--unsorted"):
            wish.any |= word == "--or"
            wish.inverted |= word == "--not"
            wish.in_order &= word != "--unsorted"
        elif word in ("--show-vars", "--queue", "-C") and words:
            _set(wish, word, words.pop(0))
        elif word.startswith("-D"):
            wish.exim.append(word)
        elif word.startswith("-"):
            raise ValueError(f"unknown option {word}")
        else:
            wish.criteria.append(criterion(word))
    return wish


def _set(wish: Wish, option: str, value: str) -> None:
    if option == "-C":
        wish.exim += ["-C", value]
    elif option == "--queue":
        wish.queue = value
    else:
        wish.shown = [known(name.strip(SPACE).lstrip("$")) for name in value.split(",")]


def known(name: str) -> str:
    """The name, if there is such a variable. Raises ValueError."""
    if name not in VARIABLES and not name.startswith(("acl_c", "acl_m", "h_", "header_", "rh_")):
        from eximious.errors import did_you_mean

        raise ValueError(f"unknown variable {name} {did_you_mean(name, VARIABLES)}".rstrip(SPACE))
    return name


def criterion(text: str) -> Criterion:
    """What a criterion says of a message. Raises ValueError."""
    found = CRITERION.match(text)
    if found is None:
        raise ValueError(f"cannot understand the criterion {text}")
    inverted, name, operator, value = found[1] == "!", known(found[2]), found[3] or "", found[4] or ""
    holds = _comparison(operator, value)
    return lambda facts: holds(facts.value(name)) != inverted


def _comparison(operator: str, value: str) -> Callable[[str], bool]:
    if not operator:
        return lambda text: text not in ("", "0")
    if operator in ("=~", "!~"):
        try:
            pattern = re.compile(value, re.IGNORECASE)
        except re.error as error:
            raise ValueError(f"bad regular expression {value}: {error}") from None
        return lambda text: (pattern.search(text) is not None) == (operator == "=~")
    if operator in ("=", "eq", "ne") or (operator == "!=" and not _is_number(value)):
        is_same = operator in ("=", "eq")
        return lambda text: (text.lower() == value.lower()) == is_same
    if not _is_number(value):
        raise ValueError(f"{operator} needs a number, not {value}")
    number = float(value)
    return lambda text: COMPARE[operator](float(text) if _is_number(text) else 0.0, number)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(?:\.\d+)?", text) is not None


COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "==": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}


def open_queue(wish: Wish) -> QueueStore:
    """The queue, with everything in spool files. Raises EximiousError."""
    from eximious.daemon import control
    from eximious.exim import start
    from eximious.exim.command_line import CommandLineError
    from eximious.exim.options import parse as parse_options
    from eximious.services import Services

    try:
        config = start.load_configuration(parse_options(["exipick", *wish.exim]))
    except CommandLineError as error:
        raise EximiousError(str(error)) from None
    services = Services(config)
    control.spill(services)
    return services.spool


def pick(wish: Wish, store: QueueStore) -> int:
    """Show what is wanted; the status is 1 if a message could not be read."""
    import time

    from eximious.exim.mailq import entry, size
    from eximious.spool.errors import SpoolError

    now = time.time()
    status = count = 0
    for message_id in store.list_ids(wish.queue, in_order=wish.in_order):
        try:
            message = store.read(message_id, wish.queue)
        except SpoolError as error:
            status = complain(f"exipick: {message_id}: {error}")
            continue
        if message is None:
            continue
        facts = Facts(message, size(store, message), now)
        if is_wanted(wish, facts):
            count += 1
            sys.stdout.writelines(show(wish, facts, lambda name=message_id: entry(store, name, wish.queue, "", now)))
    if wish.form == "c":
        print(count)
    return status


def is_wanted(wish: Wish, facts: Facts) -> bool:
    """True if the criteria hold: all, or with --or one of them."""
    combine = any if wish.any and wish.criteria else all
    return combine(test(facts) for test in wish.criteria) != wish.inverted


def show(wish: Wish, facts: Facts, listing: Callable[..., Any]) -> list[str]:
    """The lines about one message."""
    if wish.form == "c":
        return []
    shown = [f"  {name}='{facts.value(name)}'\n" for name in wish.shown]
    if wish.form == "i":
        return [f"{facts.message.id}\n", *shown]
    if wish.form == "b":
        return [f"{facts.message.id} From: <{facts.message.sender}> To: {';'.join(facts.pending)}\n", *shown]
    first, *rest = listing()
    return [first, *shown, *rest]
