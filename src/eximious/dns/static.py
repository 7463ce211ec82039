"""A resolver that answers from a given table: for tests, and for trying out a configuration."""

from __future__ import annotations

import re
import shlex
from ipaddress import ip_address
from typing import Any

from eximious.dns.answer import Answer, Record, Status
from eximious.dns.resolv_conf import ResolvConf
from eximious.dns.resolver import FAILURE_SECONDS, Resolver, found_in
from eximious.dns.wire import NOERROR, NXDOMAIN, Response


class StaticResolver(Resolver):
    """Answers from zone text, a line a record: ``name [ttl] type data``. Everything is secure if `secure` says so.

    ::

        example.org      MX    10 mail.example.org
        mail.example.org A     192.0.2.1
        broken.example   AGAIN
        www.example.org  CNAME mail.example.org

    The "types" AGAIN and FAIL make every question about the name come to that. Names are in full, with or without the
    final dot. `asked` lists the questions, in order.
    """

    def __init__(self, zone: str = "", *, secure: bool = False) -> None:
        super().__init__(ResolvConf())
        self.secure = secure
        self.asked: list[tuple[str, str]] = []
        self._records: dict[str, list[Record]] = {}
        self._statuses: dict[str, Status] = {}
        for line in zone.splitlines():
            self.add(line)

    def add(self, line: str) -> None:
        """Add one line of zone text."""
        words = shlex.split(re.sub(r"(^|\s);.*", "", line))
        if not words:
            return
        name = words.pop(0).removesuffix(".").lower()
        ttl = int(words.pop(0)) if words[0].isdigit() else 300
        if words[0] == "IN":
            words.pop(0)
        type = words.pop(0).upper()
        if type in ("AGAIN", "FAIL"):
            self._statuses[name] = Status[type]
        else:
            self._records.setdefault(name, []).append(Record(name, type, ttl, _data(type, words)))

    async def _ask(self, name: str, type: str, blocking: bool) -> Answer:
        self.asked.append((name, type))
        wanted = name.lower()
        if wanted in self._statuses:
            return Answer(self._statuses[wanted], name, ttl=FAILURE_SECONDS)
        response = Response(0, 0)
        seen: set[str] = set()
        while wanted in self._records and wanted not in seen:
            seen.add(wanted)
            response.answer += self._records[wanted]
            cname = next((one for one in self._records[wanted] if one.type == "CNAME"), None)
            if cname is None or type == "CNAME":
                break
            wanted = cname.data.lower()
        exists = wanted in self._records or any(known.endswith("." + wanted) for known in self._records)
        response.rcode = NOERROR if exists else NXDOMAIN
        answer = found_in(response, name, type)
        answer.is_secure = self.secure
        return answer


def _data(type: str, words: list[str]) -> Any:
    match type:
        case "A" | "AAAA":
            return str(ip_address(words[0]))
        case "MX":
            return int(words[0]), _plain(words[1])
        case "SRV":
            return int(words[0]), int(words[1]), int(words[2]), _plain(words[3])
        case "TXT" | "SPF":
            return tuple(word.encode("latin-1") for word in words)
        case "TLSA":
            return int(words[0]), int(words[1]), int(words[2]), bytes.fromhex("".join(words[3:]))
        case "SOA":
            return _plain(words[0]), _plain(words[1]), *(int(word) for word in words[2:7])
        case "CNAME" | "DNAME" | "NS" | "PTR":
            return _plain(words[0])
        case _:
            return " ".join(words).encode("latin-1")


def _plain(name: str) -> str:
    return name if name == "." else name.removesuffix(".")
