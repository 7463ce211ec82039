"""``exiqsumm``: what waits for which domain, from a listing of the queue on standard input."""

from __future__ import annotations

import sys
from typing import Final, NoReturn

from eximious.exim.utilities import complain, run
from eximious.exim.utilities.listing import Entry, read

USAGE: Final = """\
Usage: exim -bp | exiqsumm [-a | -c] [-b] [-f] [-s]
  -a  sort by the age of the oldest message
  -c  sort by the number of deliveries
  -b  bounces separately   -f  frozen messages separately   -s  by the sender's domain"""
HEAD: Final = "\nCount  Volume  Oldest  Newest  Domain\n-----  ------  ------  ------  ------\n"
LINE: Final = "-" * 63


class Sum:
    """What waits for one destination."""

    __slots__ = ("count", "newest", "oldest", "volume")

    def __init__(self) -> None:
        self.count = 0
        self.volume = 0
        self.oldest = -1
        self.newest = -1

    def add(self, entry: Entry) -> None:
        """One more delivery."""
        self.count += 1
        self.volume += entry.size
        self.oldest = max(self.oldest, entry.age)
        self.newest = entry.age if self.newest < 0 else min(self.newest, entry.age)

    def line(self, name: str) -> str:
        """As it is printed."""
        ages = f"{show_age(self.oldest):>6}  {show_age(self.newest):>6}"
        return f"{self.count:5d}  {show_volume(self.volume):>6}  {ages}  {name}"


def console() -> NoReturn:
    """The installed script."""
    run(main)


def main(arguments: list[str]) -> int:
    """Options only."""
    letters = "".join(word[1:] for word in arguments if word.startswith("-"))
    if set(letters) - set("abcfs") or any(not word.startswith("-") for word in arguments):
        return complain(USAGE)
    sys.stdin.reconfigure(encoding="latin-1")  # type: ignore[union-attr]
    sums: dict[str, Sum] = {}
    total = Sum()
    for entry in read(sys.stdin):
        for recipient in entry.pending:
            sums.setdefault(destination(entry, recipient, letters), Sum()).add(entry)
            total.add(entry)
    print(HEAD)
    for name in ordered(sums, letters):
        print(sums[name].line(name))
    print(f"{LINE}\n{total.line('TOTAL')}\n")
    return 0


def destination(entry: Entry, recipient: str, letters: str) -> str:
    """Where the delivery goes, with what is kept apart."""
    name = recipient.rpartition("@")[2].lower()
    if "s" in letters:
        sender = entry.sender.strip("<>")
        name = f"{sender.rpartition('@')[2] if sender else '<>'} > {name}"
    if "b" in letters and entry.sender == "<>":
        name += " (b)"
    if "f" in letters and entry.is_frozen:
        name += " (f)"
    return name


def ordered(sums: dict[str, Sum], letters: str) -> list[str]:
    """The names in the order that was asked for."""
    if "a" in letters:
        return sorted(sums, key=lambda name: (-sums[name].oldest, name))
    if "c" in letters:
        return sorted(sums, key=lambda name: (-sums[name].count, name))
    return sorted(sums)


def show_age(seconds: int) -> str:
    """Minutes below 100, hours below 100, days."""
    minutes = max(seconds, 0) // 60
    if minutes < 100:
        return f"{minutes}m"
    return f"{minutes // 60}h" if minutes < 6000 else f"{minutes // 1440}d"


def show_volume(octets: int) -> str:
    """Octets below 10000, then KB and MB."""
    if octets < 10000:
        return str(octets)
    return f"{(octets + 512) // 1024}KB" if octets < 10000 * 1024 else f"{(octets + 524288) // 1048576}MB"
