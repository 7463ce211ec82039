"""Asking the DNS: search lists, CNAMEs, absences, and Exim's options about them, over a cache.

`Resolver.query` and its kin are plain calls that wait (see `eximious.waiting`); `query_async` is for coroutines.
"""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from eximious.dns import exchange, resolv_conf
from eximious.dns.answer import Answer, Status
from eximious.dns.cache import Cache
from eximious.dns.resolv_conf import ResolvConf
from eximious.dns.wire import NOERROR, NXDOMAIN, RCODES, SERVFAIL, TYPES, BadName, Response
from eximious.waiting import on_loop, wait

if TYPE_CHECKING:
    import asyncio

    from eximious.config.configuration import Configuration

NEGATIVE_LIMIT: Final = 3600  # seconds an absence is kept at most (RFC 2308 section 5)
NEGATIVE_DEFAULT: Final = 60  # seconds an absence without SOA is kept
FAILURE_SECONDS: Final = 5  # seconds for which a failing server is not asked again (RFC 2308 section 7)
LONGEST_FIRST_WAIT: Final = 60.0  # seconds
MOST_ATTEMPTS: Final = 8  # where each takes twice as long as the one before
CONF_CHECK_SECONDS: Final = 10  # how often resolv.conf is looked at

Matches = Callable[[str], bool]


class Resolver:
    """A resolver with its cache. Attributes may be set until the first question is asked.

    Times are in seconds; names are octets in str, without a final dot.
    """

    def __init__(self, conf: ResolvConf | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._conf = conf
        self._conf_is_given = conf is not None
        self._conf_checked = 0.0
        self._conf_stamp: Any = None
        self._clock = clock
        self._cache = Cache()
        self._asking: dict[tuple[str, str], asyncio.Task[Answer]] = {}
        self._next_server = 0
        self.resolv_conf_path = resolv_conf.PATH
        self.retransmit_seconds = 0.0  # dns_retrans; 0: as resolv.conf says
        self.attempts = 0  # dns_retry; 0: as resolv.conf says
        self.use_edns = -1  # dns_use_edns0; -1: when it is needed
        self.dnssec_ok = -1  # dns_dnssec_ok; -1: no
        self.cname_limit = 1  # dns_cname_loops: how many CNAMEs to follow with a question of our own
        self.ipv6 = True  # not disable_ipv6
        self.check_name: Matches | None = None  # dns_check_names_pattern
        self.again_means_nonexist: Matches | None = None  # dns_again_means_nonexist
        self.trust_aa: Matches | None = None  # dns_trust_aa, for the zone
        self.ipv4_only: Matches | None = None  # dns_ipv4_lookup
        self.slow_seconds = 0.0  # slow_lookup_log: longer questions are told to `log`; 0 for none
        self.log: Callable[[str], None] | None = None

    @classmethod
    def from_config(cls, config: Configuration) -> Resolver:
        """With the options of the main configuration, as far as they do not need a context to be read."""
        resolver = cls()
        main = config.main
        resolver.retransmit_seconds = float(main.dns_retrans)
        resolver.attempts = int(main.dns_retry)
        resolver.use_edns = int(main.dns_use_edns0)
        resolver.dnssec_ok = int(main.dns_dnssec_ok)
        resolver.cname_limit = int(main.dns_cname_loops)
        resolver.ipv6 = not main.disable_ipv6
        resolver.check_name = name_check(main.dns_check_names_pattern or "")
        return resolver

    def limited(self, retransmit_seconds: float, attempts: int) -> Resolver:
        """A resolver with the same cache that gives servers so much time at first, and more with each of its attempts.

        0 is what this one does. An answer that takes longer than the first wait is not lost.
        """
        other = copy.copy(self)
        conf = other._conf = copy.copy(self.resolv_conf())
        other._conf_is_given = True
        other._asking = {}
        conf.timeout = min(retransmit_seconds or conf.timeout, LONGEST_FIRST_WAIT)
        conf.attempts = min(attempts or conf.attempts, MOST_ATTEMPTS)
        conf.backs_off = True
        return other

    # Questions.

    def query(
        self, name: str, type: str, *, qualify_single: bool = False, search_parents: bool = False, check: bool = True
    ) -> Answer:
        """The records of a type. `qualify_single` completes names of one component, `search_parents` others too.

        `check` applies `dns_check_names_pattern`. Raises nothing: what goes wrong is in the answer.
        """
        if not (qualify_single or search_parents):
            cached = self.cached(name, type)
            if cached is not None:
                return cached
        return _wait(self._query, name, type, qualify_single, search_parents, check)

    async def query_async(
        self, name: str, type: str, *, qualify_single: bool = False, search_parents: bool = False, check: bool = True
    ) -> Answer:
        """As `query`, for coroutines. Equal questions that are asked at the same time share one answer."""
        return await self._query(name, type, qualify_single, search_parents, check, False)

    def mx(self, name: str, *, qualify_single: bool = False, search_parents: bool = False) -> Answer:
        """MX records, the most preferred first; equal ones in the order of the answer."""
        answer = self.query(name, "MX", qualify_single=qualify_single, search_parents=search_parents)
        answer.records.sort(key=lambda record: record.data[0])
        return answer

    def hosts(
        self, name: str, *, ipv4_only: bool = False, qualify_single: bool = False, search_parents: bool = False
    ) -> Answer:
        """The addresses of a host: AAAA records, then A records. Both are asked for at once.

        One found address makes the answer FOUND; else one uncertain answer makes it AGAIN.
        """
        ipv4_only = ipv4_only or not self.ipv6 or (self.ipv4_only is not None and self.ipv4_only(name))
        if ipv4_only:
            return self.query(name, "A", qualify_single=qualify_single, search_parents=search_parents)
        return _wait(self._hosts, name, qualify_single, search_parents)

    def clear(self) -> None:
        """Forget all answers."""
        self._cache.clear()

    def cached(self, name: str, type: str) -> Answer | None:
        """What is known already, without asking anybody."""
        return self._cache.get((name.lower().removesuffix("."), type), self._clock())

    # How a question is answered. `blocking` says that nothing may be awaited.

    async def _query(
        self, name: str, type: str, qualify_single: bool, search_parents: bool, check: bool, blocking: bool
    ) -> Answer:
        if check and not self._is_hygienic(name, type):
            return Answer(Status.NOMATCH, name)
        best: Answer | None = None
        for candidate in self._candidates(name, qualify_single, search_parents):
            answer = await self._look(candidate, type, blocking)
            if answer.status in _SETTLES:
                return answer
            if best is None or (best.status is Status.NOMATCH and answer.status is Status.NODATA):
                best = answer
        assert best is not None
        return best

    async def _hosts(self, name: str, qualify_single: bool, search_parents: bool, blocking: bool) -> Answer:
        asking = [self._query(name, type, qualify_single, search_parents, True, blocking) for type in ("AAAA", "A")]
        if blocking:
            aaaa, a = [await one for one in asking]
        else:
            import asyncio

            aaaa, a = await asyncio.gather(*asking)
        return _combined(aaaa, a)

    async def _look(self, name: str, type: str, blocking: bool) -> Answer:
        key = (name.lower().removesuffix("."), type)
        cached = self._cache.get(key, self._clock())
        if cached is not None:
            return cached
        if blocking:
            answer = await self._follow(name, type, True)
        else:
            import asyncio

            task = self._asking.get(key)
            if task is None:
                task = asyncio.get_running_loop().create_task(self._follow(name, type, False))
                self._asking[key] = task
                task.add_done_callback(lambda _: self._asking.pop(key, None))
            # Shielded, since others may wait for the same.
            answer = await asyncio.shield(task)
        self._cache.put(key, answer, self._clock())
        return answer

    async def _follow(self, name: str, type: str, blocking: bool) -> Answer:
        """Ask, and follow CNAMEs that the server did not follow."""
        aliases: list[str] = []
        is_secure = True
        target = name.removesuffix(".")
        for _ in range(self.cname_limit + 1):
            begun = self._clock()
            answer = await self._ask(target, type, blocking)
            self._note_time(target, type, self._clock() - begun)
            is_secure = answer.is_secure = answer.is_secure and is_secure
            aliases = answer.aliases = aliases + answer.aliases
            if answer.status is not Status.NODATA or answer.name.lower() == target.lower():
                break
            target = answer.name
        forgiven = self.again_means_nonexist
        if answer.status is Status.AGAIN and forgiven is not None and type != "TLSA" and forgiven(name):
            answer.status = Status.NOMATCH
        return answer

    def _note_time(self, name: str, type: str, seconds: float) -> None:
        if self.log is not None and 0 < self.slow_seconds < seconds:
            self.log(f"Long {type} lookup for '{name}': {int(seconds * 1000)} msec")

    async def _ask(self, name: str, type: str, blocking: bool) -> Answer:
        if type not in TYPES:
            return _failure(Status.FAIL, name, f"unknown record type {type}")
        conf = self.resolv_conf()
        dnssec_ok = self.dnssec_ok > 0
        edns = bool(self.use_edns) if self.use_edns >= 0 else conf.edns0 or dnssec_ok
        first = 0
        if conf.rotate:
            first = self._next_server = (self._next_server + 1) % len(conf.servers)
        asking = exchange.ask(name, type, conf, edns=edns, dnssec_ok=dnssec_ok, first_server=first)
        try:
            response = exchange.run_blocking(asking) if blocking else await exchange.run_on_loop(asking)
        except BadName:
            return Answer(Status.NOMATCH, name)
        except exchange.NoResponse as error:
            return _failure(Status.AGAIN, name, str(error))
        return self._judge(name, type, response, conf)

    def _judge(self, name: str, type: str, response: Response, conf: ResolvConf) -> Answer:
        if response.rcode not in (NOERROR, NXDOMAIN):
            status = Status.AGAIN if response.rcode == SERVFAIL else Status.FAIL
            answer = _failure(status, name, RCODES.get(response.rcode, f"response code {response.rcode}"))
            answer.rcode = response.rcode
            return answer
        answer = found_in(response, name, type)
        answer.is_authoritative = response.is_authoritative
        answer.is_secure = response.is_authentic and conf.trust_ad
        if response.is_authoritative and not answer.is_secure and self.trust_aa is not None and answer.zone:
            answer.is_secure = self.trust_aa(answer.zone)
        return answer

    # Names.

    def _is_hygienic(self, name: str, type: str) -> bool:
        """`dns_check_names_pattern`. Service labels in front (``_25._tcp``) are none of its business."""
        if self.check_name is None or type in ("PTR", "TXT"):
            return True
        if type in ("SRV", "TLSA", "NAPTR"):
            name = _SERVICE.sub("", name, count=1)
        return self.check_name(name)

    def _candidates(self, name: str, qualify_single: bool, search_parents: bool) -> list[str]:
        """The full names to try, as the system's resolver does with RES_DEFNAMES and RES_DNSRCH."""
        dots = name.count(".")
        if name.endswith(".") or not (qualify_single or search_parents):
            return [name]
        conf = self.resolv_conf()
        if not ((not dots and qualify_single) or (dots and search_parents)):
            return [name]
        longer = [f"{name}.{domain}" for domain in (conf.search if search_parents else conf.search[:1])]
        return [name, *longer] if dots >= conf.ndots else [*longer, name]

    def resolv_conf(self) -> ResolvConf:
        """What resolv.conf says now; the file may change while a daemon runs."""
        conf = self._conf
        now = self._clock()
        if conf is not None and (self._conf_is_given or now < self._conf_checked):
            return conf
        stamp = resolv_conf.stamp(self.resolv_conf_path)
        if conf is None or stamp != self._conf_stamp:
            conf = self._conf = resolv_conf.read(self.resolv_conf_path)
            self._conf_stamp = stamp
            if self.retransmit_seconds:
                conf.timeout = self.retransmit_seconds
            if self.attempts:
                conf.attempts = self.attempts
        self._conf_checked = now + CONF_CHECK_SECONDS
        return conf


_SETTLES: Final = frozenset({Status.FOUND, Status.AGAIN, Status.FAIL})
_SERVICE: Final = re.compile(r"(?:_[^.]*\.){1,2}")


def _wait(question: Callable[..., Coroutine[Any, Any, Answer]], *args: Any) -> Answer:
    """The answer to a question: by the event loop if there is one, else with blocking sockets."""
    if on_loop():
        return wait(question(*args, False))
    try:
        question(*args, True).send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    raise RuntimeError("a blocking question awaited something")


def _failure(status: Status, name: str, why: str) -> Answer:
    answer = Answer(status, name, ttl=FAILURE_SECONDS)
    answer.why = why
    return answer


def found_in(response: Response, name: str, type: str) -> Answer:
    """What a response says about a name: its records, at the end of its CNAMEs, or that there are none."""
    aliases: list[str] = []
    wanted = name.lower()
    ttl = 0x7FFFFFFF
    cnames = {record.name.lower(): record for record in response.answer if record.type == "CNAME"}
    if type not in ("CNAME", "ANY"):
        while (cname := cnames.pop(wanted, None)) is not None:
            aliases.append(name)
            name = cname.data
            wanted = name.lower()
            ttl = min(ttl, cname.ttl)
    records = [one for one in response.answer if one.name.lower() == wanted and type in (one.type, "ANY")]
    if records:
        answer = Answer(Status.FOUND, name, records)
        answer.ttl = min(ttl, min(record.ttl for record in records))
    else:
        answer = Answer(Status.NOMATCH if response.rcode == NXDOMAIN else Status.NODATA, name)
        answer.ttl = min(ttl, _negative_ttl(response))
    answer.aliases = aliases
    answer.rcode = response.rcode
    for record in response.authority:
        if record.type == ("NS" if records else "SOA"):
            answer.zone = record.name
            break
    return answer


def _negative_ttl(response: Response) -> int:
    for record in response.authority:
        if record.type == "SOA":
            return min(record.ttl, int(record.data[6]), NEGATIVE_LIMIT)
    return NEGATIVE_DEFAULT


def _combined(aaaa: Answer, a: Answer) -> Answer:
    """Two answers about one host in one."""
    if not aaaa:
        if a or a.status in (Status.AGAIN, Status.FAIL) or aaaa.status is a.status:
            return a
        return aaaa if aaaa.status in (Status.AGAIN, Status.FAIL, Status.NODATA) else a
    both = Answer(Status.FOUND, aaaa.name, aaaa.records + a.records, ttl=min(aaaa.ttl, a.ttl) if a else aaaa.ttl)
    both.aliases = aaaa.aliases
    both.is_secure = aaaa.is_secure and a.is_secure
    both.is_authoritative = aaaa.is_authoritative and a.is_authoritative
    return both


# Exim's default pattern, in its own words and in those of `re`, which spares the import of PCRE2.
_USUAL_PATTERN: Final = r"(?i)^(?>(?(1)\.|())[^\W](?>[a-z0-9/_-]*[^\W])?)+(\.?)$"
_USUAL_LABEL: Final = r"[0-9a-z_](?:[0-9a-z/_-]*[0-9a-z_])?"
_USUAL_NAME: Final = re.compile(rf"{_USUAL_LABEL}(?:\.{_USUAL_LABEL})*\.?", re.I | re.ASCII)


def name_check(pattern: str) -> Matches | None:
    """The test that `dns_check_names_pattern` asks for; None if it is empty. Raises ValueError for a bad pattern."""
    if not pattern:
        return None
    if pattern == _USUAL_PATTERN:
        return lambda name: _USUAL_NAME.fullmatch(name) is not None
    import pcre2

    compiled = pcre2.compile(pattern)
    return lambda name: bool(compiled.search(name))
