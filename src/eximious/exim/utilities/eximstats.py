"""``eximstats``: statistics from main logs, as plain text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, NoReturn

from eximious.exim.utilities import complain, run
from eximious.exim.utilities.exigrep import lines_of
from eximious.exim.utilities.log_statistics import LOCAL, Statistics, Tallies, Tally

USAGE: Final = """\
Usage: eximstats [options] mainlog ...

  -h<number>      histogram divisions per hour (1, 2, 3, 5, 10, 15, 20, 30, 60); 0 leaves histograms out
  -ne             leave out errors
  -nr[/regex/]    leave out relayed messages (that match)
  -nt[/regex/]    leave out transports (that match)
  -nvr            show octets, not KB, MB, GB
  -q<list>        times for the time on the queue, in seconds; 0 leaves it out
  -t<number>      length of the lists of hosts and users (50); 0 leaves them out
  -tnl            leave local sources and destinations out of those lists"""
LONG: Final = 65  # characters of an error that stand on one line
WORDS: Final = re.compile(r"(.{50}\S*)\s+(.+)", re.DOTALL)
DIVISIONS: Final = (1, 2, 3, 5, 10, 15, 20, 30, 60)
QUEUE_TIMES: Final = (60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400)


class Wish:
    """What to show."""

    def __init__(self) -> None:
        self.divisions = 1
        self.errors = True
        self.relays: re.Pattern[str] | None = None  # those that are left out
        self.shows_relays = True
        self.transports: re.Pattern[str] | None = None
        self.shows_transports = True
        self.rounds = True
        self.queue_times: list[int] = list(QUEUE_TIMES)
        self.top = 50
        self.top_local = True
        self.files: list[str] = []


def console() -> NoReturn:
    """The installed script."""
    run(main)


def main(arguments: list[str]) -> int:
    """Options, then log files; standard input if there are none."""
    try:
        wish = parse(arguments)
    except ValueError as error:
        return complain(f"eximstats: {error}\n{USAGE}")
    statistics = Statistics()
    statistics.read(lines_of(wish.files))
    print("\n".join(report(statistics, wish)))
    return 0


def parse(arguments: list[str]) -> Wish:
    """Raises ValueError."""
    wish = Wish()
    for word in arguments:
        if not word.startswith("-"):
            wish.files.append(word)
        elif word == "-ne":
            wish.errors = False
        elif word == "-nvr":
            wish.rounds = False
        elif word == "-tnl":
            wish.top_local = False
        elif word.startswith("-nr"):
            wish.shows_relays, wish.relays = word != "-nr", _pattern(word[3:])
        elif word.startswith("-nt"):
            wish.shows_transports, wish.transports = word != "-nt", _pattern(word[3:])
        elif re.fullmatch(r"-[ht]\d+", word):
            _number(wish, word)
        elif re.fullmatch(r"-q[\d,]+", word):
            wish.queue_times = [int(part) for part in word[2:].split(",") if part and int(part)]
        elif word != "-txt":
            raise ValueError(f"unknown option {word}")
    return wish


def _pattern(text: str) -> re.Pattern[str] | None:
    if not text:
        return None
    try:
        return re.compile(text.strip("/"))
    except re.error as error:
        raise ValueError(f"bad regular expression {text}: {error}") from None


def _number(wish: Wish, word: str) -> None:
    number = int(word[2:])
    if word[1] == "t":
        wish.top = number
    elif number and number not in DIVISIONS:
        raise ValueError(f"-h must be followed by one of {', '.join(map(str, DIVISIONS))}, or 0")
    else:
        wish.divisions = number


# The report.


def report(statistics: Statistics, wish: Wish) -> Iterator[str]:
    """Its lines."""
    yield f"\nExim statistics from {statistics.begin} to {statistics.end}"
    yield from _summary(statistics, wish)
    if wish.shows_transports:
        yield from _transports(statistics, wish)
    if wish.divisions:
        yield from histogram("Messages received", "message", statistics.received_by_minute, wish.divisions)
        yield from histogram("Deliveries", "delivery", statistics.delivered_by_minute, wish.divisions)
    if wish.queue_times:
        yield from queue_times("all messages", statistics.queue_times, wish.queue_times)
        remote = "messages with at least one remote delivery"
        yield from queue_times(remote, statistics.remote_queue_times, wish.queue_times)
    if wish.shows_relays:
        yield from _relays(statistics, wish)
    if wish.top:
        yield from _tops(statistics, wish)
    if wish.errors and statistics.errors:
        yield from _errors(statistics)
    else:
        yield ""


def _heading(title: str) -> Iterator[str]:
    yield f"\n{title}"
    yield "-" * len(title)


def _summary(statistics: Statistics, wish: Wish) -> Iterator[str]:
    received, delivered = statistics.received, statistics.delivered
    yield from _heading("Grand total summary")
    yield f"{'':66}At least one address"
    yield "  TOTAL               Volume   Messages Addresses     Hosts      Delayed       Failed"
    delayed = f"{statistics.delayed:7d}{_percent(statistics.delayed, received.messages):>6}"
    failed = f"{statistics.failed:7d}{_percent(statistics.failed, received.messages):>6}"
    sources, targets = len(statistics.senders_hosts), len(statistics.destination_hosts)
    volume = show_volume(received.octets, wish.rounds)
    yield f"  Received         {volume:>9} {received.messages:10d} {'':9} {sources:9d} {delayed}{failed}"
    volume = show_volume(delivered.octets, wish.rounds)
    yield f"  Delivered        {volume:>9} {delivered.messages:10d} {delivered.addresses:9d} {targets:9d}"
    rejects = sum(statistics.reject_reasons.values())
    if rejects:
        yield f"  Rejects          {'':9} {rejects:10d} {'':9} {len(statistics.reject_addresses):9d}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole if whole else 0:.1f}%"


def _transports(statistics: Statistics, wish: Wish) -> Iterator[str]:
    yield from _heading("Deliveries by transport")
    yield "                      Volume    Messages"
    for name in sorted(statistics.transports):
        if wish.transports is None or not wish.transports.search(name):
            tally = statistics.transports[name]
            yield f"  {name:18} {show_volume(tally.octets, wish.rounds):>7}  {tally.messages:10d}"


def histogram(title: str, unit: str, minutes: Counter[int], divisions: int) -> Iterator[str]:
    """A line for each part of a day, with dots."""
    length = 60 // divisions
    counts = [sum(minutes[start + offset] for offset in range(length)) for start in range(0, 1440, length)]
    scale = max(1, -(-max(counts, default=1) // 50))
    what = "hour" if divisions == 1 else f"{length} minutes"
    units = f"{scale} {unit}" + ("s" if scale > 1 and unit == "message" else "")
    units = f"{scale} deliveries" if scale > 1 and unit == "delivery" else units
    yield from _heading(f"{title} per {what} (each dot is {units})")
    yield ""
    for number, count in enumerate(counts):
        start = number * length
        end = start + length
        label = f"{start // 60:02d}-{end // 60:02d}" if divisions == 1 else f"{start // 60:02d}:{start % 60:02d}"
        yield f"{label} {count:6d} {'.' * (count // scale)}"


def queue_times(what: str, times: list[int], limits: list[int]) -> Iterator[str]:
    """How many messages were on the queue for how long."""
    yield from _heading(f"Time spent on the queue: {what}")
    yield ""
    total, before, so_far = len(times), 0, 0
    for limit in limits:
        count = sum(before <= each < limit for each in times)
        before = limit
        if count:
            word = "Under" if not so_far else ""
            so_far += count
            yield _queue_line(word, show_time(limit), count, so_far, total)
    rest = total - so_far
    if rest:
        yield _queue_line("Over", show_time(limits[-1]), rest, total, total)


def _queue_line(word: str, limit: str, count: int, so_far: int, total: int) -> str:
    return f"{word:5} {limit:>4} {count:8d} {_percent(count, total):>6} {_percent(so_far, total):>7}"


def _relays(statistics: Statistics, wish: Wish) -> Iterator[str]:
    if not statistics.relayed:
        yield from _heading("No relayed messages")
        return
    yield from _heading("Relayed messages")
    yield ""
    shown = hidden = 0
    for (source, target), count in sorted(statistics.relayed.items()):
        if wish.relays is not None and wish.relays.search(f"{source} => {target}"):
            hidden += count
            continue
        shown += count
        yield f"{count:7d} {source} "
        yield f"      => {target}"
    yield f"\nTotal: {shown} (plus {hidden} unshown)"


def _tops(statistics: Statistics, wish: Wish) -> Iterator[str]:
    if statistics.reject_reasons:
        yield from _heading(f"Top {wish.top} mail rejection reasons by message count")
        yield "  Messages   Mail rejection reason"
        yield from (f"{count:10d}   {why}" for why, count in statistics.reject_reasons.most_common(wish.top))
    hosts = statistics.senders_hosts
    yield from _top("sending hosts", "Sending host", hosts, wish, with_addresses=False)
    if wish.top_local:
        yield from _top("local senders", "Local sender", statistics.local_senders, wish, with_addresses=False)
    yield from _top("host destinations", "Host destination", statistics.destination_hosts, wish, with_addresses=True)
    if wish.top_local:
        names = statistics.local_destinations
        yield from _top("local destinations", "Local destination", names, wish, with_addresses=True)
    if statistics.reject_addresses:
        yield from _heading(f"Top {wish.top} rejected ips by message count")
        yield "  Messages   Rejected ip"
        yield from (f"{count:10d}   {name}" for name, count in statistics.reject_addresses.most_common(wish.top))


def _top(what: str, column: str, tallies: Tallies, wish: Wish, *, with_addresses: bool) -> Iterator[str]:
    chosen = [(name, tally) for name, tally in tallies.items() if wish.top_local or name != LOCAL]
    orders: list[tuple[str, Callable[[Tally], tuple[int, int]]]] = [
        ("message count", lambda tally: (tally.messages, tally.octets)),
        ("volume", lambda tally: (tally.octets, tally.messages)),
    ]
    for by, weight in orders if chosen else []:
        yield from _heading(f"Top {wish.top} {what} by {by}")
        yield f"  Messages{'  Addresses' * with_addresses}      Bytes    Average   {column}"
        ordered = sorted(chosen, key=lambda item: item[0])
        for name, tally in sorted(ordered, key=lambda item: weight(item[1]), reverse=True)[: wish.top]:
            average = show_volume(tally.octets // max(tally.messages, 1), wish.rounds)
            addresses = f" {tally.addresses:10d}" if with_addresses else ""
            volume = show_volume(tally.octets, wish.rounds)
            yield f"{tally.messages:10d}{addresses} {volume:>10} {average:>10}   {name}"


def _errors(statistics: Statistics) -> Iterator[str]:
    yield from _heading("List of errors")
    yield ""
    for text, count in sorted(statistics.errors.items()):
        yield f"{count:5d} {_wrapped(text)}"
        yield ""
    yield from _heading(f"Errors encountered: {sum(statistics.errors.values())}")


def _wrapped(text: str) -> str:
    """In lines of at least fifty characters, until what is left is short."""
    lines = []
    while len(text) > LONG and (match := WORDS.match(text)) is not None:
        lines.append(match[1])
        text = match[2]
    return "\n\t    ".join([*lines, text])


def show_volume(octets: int, rounds: bool) -> str:
    """Octets below 10000; then KB, MB, GB."""
    if not rounds or octets < 10000:
        return str(octets)
    for unit, size in (("KB", 1 << 10), ("MB", 1 << 20)):
        if octets < 10000 * size:
            return f"{round(octets / size)}{unit}"
    return f"{round(octets / (1 << 30))}GB"


def show_time(seconds: int) -> str:
    """``1m``, ``3h``, ``1d``."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
