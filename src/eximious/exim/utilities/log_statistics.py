"""What can be counted in main logs: for eximstats."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from eximious.exim.utilities.exigrep import ID

LINE: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d) (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.\d+)?(?: [-+]\d{4})?(?: \[\d+\])? "
    rf"(?:(?P<id>{ID}) )?(?P<rest>.*)"
)
FLAG: Final = re.compile(r"(?P<flag><=|[=*-]>|\*\*|==|>>) (?P<address>\S+)(?P<rest>.*)")
FIELD: Final = re.compile(r" (H|U|T|R|S|P|QT|DT)=(\([^)]*\) \[[^]]*\]|\S+)")
HOST: Final = re.compile(r" H=(?:(?P<name>[^ ([]\S*) )?(?:\(\S+\) )?\[(?P<address>[^]]+)\]")
REJECTED: Final = re.compile(r"\brejected (?P<what>.*?)(?: <[^>]*>)?(?:: (?P<why>.*))?$")
LOCAL: Final = "local"


class Tally:
    """Messages, addresses and octets of one source or destination."""

    __slots__ = ("addresses", "messages", "octets")

    def __init__(self) -> None:
        self.messages = 0
        self.addresses = 0
        self.octets = 0

    def add(self, octets: int, addresses: int = 0, messages: int = 1) -> None:
        """One more message, or with `messages` 0 one more address of the same."""
        self.messages += messages
        self.addresses += addresses
        self.octets += octets


class Tallies(dict[str, Tally]):
    """By name."""

    def __missing__(self, name: str) -> Tally:
        self[name] = Tally()
        return self[name]


class Story:
    """What is known of a message that is not finished."""

    __slots__ = ("arrived", "failed", "from_host", "has_remote", "is_deferred", "sender", "size")

    def __init__(self, arrived: int, size: int, sender: str, from_host: str) -> None:
        self.arrived = arrived  # seconds of the log's clock
        self.size = size
        self.sender = sender
        self.from_host = from_host  # name and address; "" if it came from this host
        self.is_deferred = False
        self.failed = False
        self.has_remote = False


class Statistics:
    """Everything that one reading counts."""

    def __init__(self) -> None:
        self.begin = ""
        self.end = ""
        self.received = Tally()
        self.delivered = Tally()
        self.delayed = 0
        self.failed = 0
        self.transports = Tallies()
        self.received_by_minute: Counter[int] = Counter()  # minute of the day
        self.delivered_by_minute: Counter[int] = Counter()
        self.queue_times: list[int] = []  # seconds, of all messages
        self.remote_queue_times: list[int] = []  # of those with a remote delivery
        self.relayed: Counter[tuple[str, str]] = Counter()
        self.senders_hosts = Tallies()
        self.local_senders = Tallies()
        self.destination_hosts = Tallies()
        self.local_destinations = Tallies()
        self.reject_reasons: Counter[str] = Counter()
        self.reject_addresses: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self._open: dict[str, Story] = {}

    def read(self, lines: Iterable[str]) -> None:
        """Count the lines of a log."""
        for line in lines:
            found = LINE.match(line.rstrip("\n"))
            if found is not None:
                self._count(found)

    def _count(self, found: re.Match[str]) -> None:
        moment = f"{found['date']} {found['hour']}:{found['minute']}:{found['second']}"
        self.begin = self.begin or moment
        self.end = moment
        message_id, rest = found["id"], found["rest"]
        seconds = _seconds(found)
        minute = int(found["hour"]) * 60 + int(found["minute"])
        if message_id is None or " rejected " in f" {rest}":
            self._reject(rest)
            return
        if rest.startswith("Completed"):
            self._complete(message_id, seconds)
            return
        flag = FLAG.match(rest)
        if flag is None:
            return
        if flag["flag"] == "<=":
            self._arrive(message_id, seconds, minute, flag)
        elif flag["flag"] in ("=>", "->", "*>", ">>"):
            self._deliver(message_id, minute, flag)
        else:
            self._trouble(message_id, flag)

    def _arrive(self, message_id: str, seconds: int, minute: int, flag: re.Match[str]) -> None:
        fields = dict(FIELD.findall(flag["rest"]))
        size = int(fields["S"]) if fields.get("S", "").isdigit() else 0
        name, host = _host(flag["rest"])
        self._open[message_id] = Story(seconds, size, flag["address"], host)
        self.received.add(size)
        self.received_by_minute[minute] += 1
        self.senders_hosts[name].add(size)
        if name == LOCAL:
            self.local_senders[fields.get("U", LOCAL)].add(size)

    def _deliver(self, message_id: str, minute: int, flag: re.Match[str]) -> None:
        story = self._open.get(message_id)
        size = story.size if story is not None else 0
        is_first = flag["flag"] in ("=>", "*>")  # -> is one more address of the same delivery
        octets, messages = (size, 1) if is_first else (0, 0)
        fields = dict(FIELD.findall(flag["rest"]))
        name, host = _host(flag["rest"])
        self.delivered.add(octets, 1, messages)
        self.destination_hosts[name].add(octets, 1, messages)
        if is_first:
            self.delivered_by_minute[minute] += 1
            self.transports[fields.get("T", "")].add(size)
        if name == LOCAL:
            self.local_destinations[flag["address"].partition("@")[0]].add(octets, 1, messages)
        elif story is not None and is_first:
            story.has_remote = True
            if story.from_host:
                self.relayed[f"{story.from_host} {story.sender}", f"{host} {flag['address']}"] += 1

    def _trouble(self, message_id: str, flag: re.Match[str]) -> None:
        story = self._open.get(message_id)
        if flag["flag"] == "==":
            if story is not None and not story.is_deferred:
                story.is_deferred = True
                self.delayed += 1
            return
        if story is not None and not story.failed:
            story.failed = True
            self.failed += 1
        self.errors[f"{flag['address']}{flag['rest']}"] += 1

    def _complete(self, message_id: str, seconds: int) -> None:
        story = self._open.pop(message_id, None)
        if story is not None:
            took = max(seconds - story.arrived, 0)
            self.queue_times.append(took)
            if story.has_remote:
                self.remote_queue_times.append(took)

    def _reject(self, rest: str) -> None:
        found = REJECTED.search(rest)
        if found is None:
            return
        why = f": {found['why']}" if found["why"] else ""
        self.reject_reasons[f"Rejected {found['what']}{why}"] += 1
        host = HOST.search(f" {rest}")
        if host is not None:
            self.reject_addresses[f"[{host['address']}]"] += 1


def _host(fields: str) -> tuple[str, str]:
    """The host's name, ``local`` if there is none; and name and address together, "" if there is none."""
    found = HOST.search(fields)
    if found is None:
        return LOCAL, ""
    name = found["name"] or f"[{found['address']}]"
    return name, f"{found['name'] or ''}[{found['address']}]"


def _seconds(found: re.Match[str]) -> int:
    """The moment on a clock without time zones."""
    from datetime import date

    day = date.fromisoformat(found["date"]).toordinal()
    return ((day * 24 + int(found["hour"])) * 60 + int(found["minute"])) * 60 + int(found["second"])
