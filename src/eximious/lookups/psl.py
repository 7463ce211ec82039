"""psl and regdom: public suffixes, and the domains registered below them. (https://publicsuffix.org/list/)"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from eximious.errors import ExpandError
from eximious.expand.operators.idn import domain_to_alabel
from eximious.lookups.base import Options, SingleKeyLookup, lookups
from eximious.lookups.lsearch import read_text
from eximious.octets import SPACE, lower
from eximious.taint import untainted

if TYPE_CHECKING:
    from eximious.context import Context

PURPOSE: Final = "for public suffix lookup"


class SuffixList:
    """The rules of a list, in the form that the DNS has."""

    __slots__ = ("exceptions", "rules", "wildcards")

    def __init__(self) -> None:
        self.rules: set[str] = set()  # "co.uk"
        self.wildcards: set[str] = set()  # "ck" for "*.ck"
        self.exceptions: set[str] = set()  # "www.ck" for "!www.ck"

    def suffix_length(self, labels: list[str]) -> int:
        """How many labels at the end of a name are its public suffix; 0 for a name that no rule speaks of.

        For a name that is itself in the list it is what stands above it.
        """
        longest = 0
        for start in range(len(labels)):
            name = ".".join(labels[start:])
            length = len(labels) - start
            if name in self.exceptions:
                return length - 1
            if start and name in self.rules:
                longest = max(longest, length)
            if start and name in self.wildcards:
                longest = max(longest, length + 1)
        return longest


class SuffixLookup(SingleKeyLookup):
    """The public suffix of a domain, or with one label more: the domain that somebody registered."""

    def __init__(self, name: str, *, extra_labels: int) -> None:
        self.name = name
        self.extra_labels = extra_labels

    def find(self, context: Context, path: str, key: str, options: Options) -> str | None:
        rules: SuffixList = context.services.lookups.files.get(path, "psl", PURPOSE, _read)
        written = lower(untainted(key)).split(".")
        try:
            labels = domain_to_alabel(".".join(written)).split(".")
        except ExpandError:
            return None
        length = rules.suffix_length(labels)
        if "" in labels[1:] or length == 0 or len(labels) != len(written):
            return None
        return ".".join(written[-(length + self.extra_labels) :])


def _read(fd: int, status: os.stat_result) -> tuple[SuffixList, int]:
    found = SuffixList()
    for line in read_text(fd, status).split("\n"):
        words = line.split(" ", 1)
        if not words[0].strip(SPACE) or words[0].startswith("//"):
            continue
        _add(found, words[0].strip(SPACE))
    return found, status.st_size * 4


def _add(found: SuffixList, rule: str) -> None:
    kind = found.rules
    if rule.startswith("!"):
        kind, rule = found.exceptions, rule[1:]
    elif rule.startswith("*."):
        kind, rule = found.wildcards, rule[2:]
    try:
        kind.add(domain_to_alabel(lower(rule)))
    except ExpandError:
        return  # not UTF-8; such a rule cannot match


lookups.register("psl")(SuffixLookup("psl", extra_labels=0))
lookups.register("regdom")(SuffixLookup("regdom", extra_labels=1))
