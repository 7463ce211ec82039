"""The evaluation of SPF records, term by term, within limits (RFC 7208 sections 4.6 and 5 to 7)."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Final, NoReturn

from eximious.mailauth.resolver import Answer, Outcome, Resolver, is_askable, reverse_name
from eximious.mailauth.spf.macro import MacroError, MacroString
from eximious.mailauth.spf.macro import parse as parse_macros
from eximious.mailauth.spf.record import Directive, Record, RecordError, is_record, parse
from eximious.mailauth.spf.verdict import Result, Step

TRACE_LIMIT: Final = 500  # steps that are remembered
_EXPLAINED: Final = frozenset({Result.FAIL, Result.SOFTFAIL, Result.NEUTRAL})  # by default
_MAPPED: Final = bytes(10) + b"\xff\xff"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a check may cost (RFC 7208 section 4.6.4)."""

    lookups: int = 10  # terms that ask the DNS
    void_lookups: int = 2  # questions that find nothing
    mx_names: int = 10  # hosts of one mx
    ptr_names: int = 10  # names of the client that are tried
    seconds: float = 20.0  # for the whole check


LIMITS: Final = Limits()


class Stopped(Exception):
    """The check is over, with an error."""

    def __init__(self, result: Result) -> None:
        self.result = result


class Ended:
    """What evaluating one domain's record came to."""

    __slots__ = ("mechanism", "path", "record", "result")

    def __init__(self, result: Result, mechanism: str, path: tuple[str, ...], record: Record | None) -> None:
        self.result = result
        self.mechanism = mechanism
        self.path = path
        self.record = record


class Evaluation:
    """One check: the client, and what has been spent. Also the values that macros stand for."""

    __slots__ = (
        "_limits",
        "_names",
        "_resolver",
        "domain",
        "helo",
        "ip",
        "ip_dotted",
        "ip_text",
        "is_ipv6",
        "lookups",
        "path",
        "problem",
        "receiver",
        "sender",
        "trace",
        "voids",
    )

    def __init__(
        self, ip: str, domain: str, sender: str, helo: str, receiver: str, resolver: Resolver, limits: Limits
    ) -> None:
        self.is_ipv6 = ":" in ip
        try:
            packed = socket.inet_pton(socket.AF_INET6 if self.is_ipv6 else socket.AF_INET, ip.partition("%")[0])
        except OSError:
            raise ValueError(f'"{ip}" is no IP address') from None
        if self.is_ipv6 and packed.startswith(_MAPPED):
            self.is_ipv6, packed = False, packed[12:]
        self.ip = int.from_bytes(packed, "big")
        self.ip_text = socket.inet_ntop(socket.AF_INET6 if self.is_ipv6 else socket.AF_INET, packed)
        self.ip_dotted = ".".join(packed.hex().upper()) if self.is_ipv6 else self.ip_text
        self.domain = domain
        local_part, at, sender_domain = sender.rpartition("@")
        self.sender = sender if at and local_part else f"postmaster@{sender_domain or domain}"
        self.helo = helo
        self.receiver = receiver
        self.lookups = 0
        self.voids = 0
        self.problem = ""
        self.path: tuple[str, ...] = ()  # to the record that is being evaluated
        self.trace: list[Step] = []
        self._names: list[str] | None = None
        self._resolver = resolver
        self._limits = limits

    async def run(self, domain: str, given: str | None, default: str) -> tuple[Ended, tuple[str, bool]]:
        """The outcome, and its explanation, with whether that is the domain's own."""
        outcome = await self.top(domain, given)
        if outcome.result is Result.FAIL:
            own = await self.explain(outcome)
            if own:
                return outcome, (own, True)
        if outcome.result in _EXPLAINED and default:
            return outcome, (await self.explain_usually(default), False)
        return outcome, ("", False)

    # The result of a domain.

    async def top(self, domain: str, given: str | None) -> Ended:
        if "." not in domain.removesuffix(".") or not is_askable(domain):
            self.problem = f'"{domain}" is no domain name'
            return Ended(Result.NONE, "", (domain,), None)
        if given is None:
            record = await self._record(domain)
        else:
            try:
                record = parse(given)
            except RecordError as error:
                self._stop(Result.PERMERROR, str(error))
        if record is None:
            return Ended(Result.NONE, "", (domain,), None)
        return await self._evaluate(domain, record, (domain,), 0)

    async def _record(self, domain: str) -> Record | None:
        answer = await self._resolver.query(domain, "TXT")
        if answer.outcome is Outcome.FAILED:
            self._stop(Result.TEMPERROR, f"TXT of {domain}: {answer.why}")
        if answer.outcome is not Outcome.FOUND:
            return None
        known = answer.parsed
        if "spf" not in known:
            known["spf"] = _chosen(answer)
        record = known["spf"]
        if isinstance(record, str):
            self._stop(Result.PERMERROR, f"{domain}: {record}")
        assert record is None or isinstance(record, Record)
        return record

    async def _evaluate(self, domain: str, record: Record, path: tuple[str, ...], depth: int) -> Ended:
        self.domain, self.path = domain, path
        trace = self.trace
        for directive in record.directives:
            kind = directive.kind
            if kind == "ip4":
                matches = not self.is_ipv6 and self.ip >> directive.shift == directive.network
            elif kind == "ip6":
                matches = self.is_ipv6 and self.ip >> directive.shift == directive.network
            elif kind == "all":
                matches = True
            elif kind == "include":
                inner = await self._include(domain, directive, path, depth)
                matches = inner is not None
                self.domain, self.path = domain, path
                if inner is not None:
                    return Ended(directive.result, inner.mechanism, inner.path, record)
                continue
            else:
                self._count(domain, directive)
                matches = await self._asks(domain, directive)
            if matches:
                if len(trace) < TRACE_LIMIT:
                    trace.append(Step(domain, directive.text, "matches", depth))
                return Ended(directive.result, directive.text, path, record)
            if len(trace) < TRACE_LIMIT:
                trace.append(Step(domain, directive.text, "does not match", depth))
        if record.redirect is not None:
            return await self._redirect(domain, record.redirect, path, depth)
        return Ended(Result.NEUTRAL, "default", path, record)

    async def _include(self, domain: str, directive: Directive, path: tuple[str, ...], depth: int) -> Ended | None:
        self._count(domain, directive)
        assert directive.domain is not None
        target = await directive.domain.domain(self)
        record = await self._record(target) if is_askable(target) else None
        if record is None:
            self._stop(Result.PERMERROR, f"{domain} includes {target}, which has no SPF record")
        inner = await self._evaluate(target, record, (*path, target), depth + 1)
        matches = inner.result is Result.PASS
        self._step(domain, directive.text, "matches" if matches else f"does not match ({inner.result})", depth)
        return inner if matches else None

    async def _redirect(self, domain: str, redirect: MacroString, path: tuple[str, ...], depth: int) -> Ended:
        term = f"redirect={redirect.text}"
        self._count(domain, term)
        target = await redirect.domain(self)
        record = await self._record(target) if is_askable(target) else None
        if record is None:
            self._stop(Result.PERMERROR, f"{domain} redirects to {target}, which has no SPF record")
        self._step(domain, term, "followed", depth)
        return await self._evaluate(target, record, (*path, target), depth)

    # Mechanisms that ask.

    async def _asks(self, domain: str, directive: Directive) -> bool:
        target = domain if directive.domain is None else await directive.domain.domain(self)
        if not is_askable(target):
            return False
        match directive.kind:
            case "a":
                return self._is_in(await self._addresses(target), directive)
            case "mx":
                return await self._mx(target, directive)
            case "exists":
                return bool((await self._ask(target, "A")).data)
            case _:
                target = "." + target.lower()
                return any(f".{name}".endswith(target) for name in await self._validated_names())

    async def _mx(self, target: str, directive: Directive) -> bool:
        hosts = (await self._ask(target, "MX")).data
        if len(hosts) > self._limits.mx_names:
            self._stop(Result.PERMERROR, f"{target} has more than {self._limits.mx_names} MX records")
        for _, host in sorted(hosts):
            if is_askable(host) and self._is_in(await self._addresses(host), directive):
                return True
        return False

    async def _addresses(self, name: str) -> tuple[int, ...]:
        answer = await self._ask(name, "AAAA" if self.is_ipv6 else "A")
        known = answer.parsed.get("addresses")
        if known is None:
            family = socket.AF_INET6 if self.is_ipv6 else socket.AF_INET
            known = tuple(int.from_bytes(socket.inet_pton(family, one), "big") for one in answer.data)
            answer.parsed["addresses"] = known
        assert isinstance(known, tuple)
        return known

    def _is_in(self, addresses: tuple[int, ...], directive: Directive) -> bool:
        shift = 128 - directive.cidr6 if self.is_ipv6 else 32 - directive.cidr4
        network = self.ip >> shift
        return any(address >> shift == network for address in addresses)

    async def _validated_names(self) -> list[str]:
        """The client's names that lead back to it (section 5.5). What cannot be asked is left out."""
        if self._names is None:
            self._names = []
            answer = await self._resolver.query(reverse_name(self.ip_text), "PTR")
            if answer.outcome in (Outcome.NXDOMAIN, Outcome.NODATA):
                self._void("PTR of the client")
            for name in answer.data[: self._limits.ptr_names]:
                if not is_askable(name):
                    continue
                found = await self._resolver.query(name, "AAAA" if self.is_ipv6 else "A")
                if self.ip_text in found.data or self._is_among(found):
                    self._names.append(name.lower())
        return self._names

    def _is_among(self, answer: Answer) -> bool:
        family = socket.AF_INET6 if self.is_ipv6 else socket.AF_INET
        return any(int.from_bytes(socket.inet_pton(family, one), "big") == self.ip for one in answer.data)

    async def validated_name(self, domain: str) -> str:
        names = await self._validated_names()
        domain = domain.lower()
        for name in names:
            if name == domain:
                return name
        for name in names:
            if name.endswith("." + domain):
                return name
        return names[0] if names else "unknown"

    async def _ask(self, name: str, type: str) -> Answer:
        """Ask for a mechanism. A question without answer counts; a failure ends the check."""
        answer = await self._resolver.query(name, type)
        if answer.outcome is Outcome.FAILED:
            self._stop(Result.TEMPERROR, f"{type} of {name}: {answer.why}")
        if answer.outcome is not Outcome.FOUND:
            self._void(f"{type} of {name}")
        return answer

    # Limits.

    def _count(self, domain: str, term: Directive | str) -> None:
        self.lookups += 1
        if self.lookups > self._limits.lookups:
            text = term if isinstance(term, str) else term.text
            self._stop(Result.PERMERROR, f'"{text}" of {domain} needs more than {self._limits.lookups} lookups')

    def _void(self, question: str) -> None:
        self.voids += 1
        if self.voids > self._limits.void_lookups:
            self._stop(Result.PERMERROR, f"{question}: more than {self._limits.void_lookups} lookups found nothing")

    def _step(self, domain: str, term: str, outcome: str, depth: int) -> None:
        if len(self.trace) < TRACE_LIMIT:
            self.trace.append(Step(domain, term, outcome, depth))

    def _stop(self, result: Result, problem: str) -> NoReturn:
        self.problem = problem
        raise Stopped(result)

    # Explanations.

    async def explain(self, outcome: Ended) -> str:
        """The domain's text for a failure (section 6.2); "" without a usable exp=."""
        record = outcome.record
        return "" if record is None or record.explanation is None else await self._explanation(record.explanation)

    async def explain_usually(self, default: str) -> str:
        """The text that is given when the domain has none."""
        try:
            return await parse_macros(default, is_explanation=True).expand(self)
        except MacroError:
            return default

    async def _explanation(self, where: MacroString) -> str:
        target = await where.domain(self)
        if not is_askable(target):
            return ""
        answer = await self._resolver.query(target, "TXT")
        if len(answer.data) != 1:
            return ""
        try:
            return await parse_macros(answer.data[0].decode("ascii"), is_explanation=True).expand(self)
        except (MacroError, UnicodeDecodeError):
            return ""


def _chosen(answer: Answer) -> Record | str | None:
    """The one SPF record of an answer (section 4.5); what is wrong, if something is."""
    records = [data for data in answer.data if is_record(data)]
    if not records:
        return None
    if len(records) > 1:
        return f"{len(records)} SPF records"
    try:
        return parse(records[0].decode("latin-1"))
    except RecordError as error:
        return str(error)
