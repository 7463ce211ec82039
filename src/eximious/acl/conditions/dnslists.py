"""The ACL condition ``dnslists``: is the client, or something else, in a list that is kept in the DNS?

Exim specification, "Using DNS lists"; RFC 5782.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final

from eximious.acl.declare import TEXT, condition
from eximious.acl.run import Run
from eximious.acl.verdict import AclError
from eximious.acl.where import EVERYWHERE, NOT_SMTP, NOT_SMTP_START
from eximious.dns.answer import Status
from eximious.errors import Defer
from eximious.lists.split import split
from eximious.taint import Tainted

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.dns.answer import Answer
    from eximious.logs.log import Logs

ITEM: Final = re.compile(
    r"(?P<domains>[^/!=&]+)(?:(?P<negated>!?)(?P<how>==|=&|=|&)(?P<values>[^/]*))?(?:/(?P<keys>.*))?", re.DOTALL
)
DOMAIN: Final = re.compile(r"[A-Za-z0-9_.-]+")
INCLUDE: Final = "+include_unknown"
EXCLUDE: Final = "+exclude_unknown"
DEFER: Final = "+defer_unknown"
# What the log says of a list that cannot be asked.
ASSUMED: Final = {INCLUDE: "assumed in list", EXCLUDE: "assumed not in list", DEFER: "returned DEFER"}
MOST_KEYS: Final = 1000


class Listing:
    """What was found: the values of ``$dnslist_...``."""

    __slots__ = ("_text", "domain", "matched", "value")

    def __init__(self, domain: str, matched: str, value: str, text: Callable[[], str]) -> None:
        self.domain = domain
        self.matched = matched
        self.value = value
        self._text: str | Callable[[], str] = text

    @property
    def text(self) -> str:
        """What the list says about the entry; asked for when somebody wants to know."""
        if not isinstance(self._text, str):
            self._text = self._text()
        return self._text


class Wanted:
    """The values that count: all, or those that the part after ``=`` or ``&`` tells."""

    __slots__ = ("is_mask", "is_negated", "needs_all", "values")

    def __init__(self, how: str, values: str, *, is_negated: bool) -> None:
        self.is_mask = "&" in how
        self.needs_all = len(how) == 2
        self.is_negated = is_negated
        self.values = [_number(value.strip()) for value in values.split(",")] if how else []

    def fits(self, addresses: list[str]) -> bool:
        """True if the addresses that the list returned are what is wanted."""
        if not self.values:
            return True
        tests = (self._fits_one(_number(address)) for address in addresses)
        return (all(tests) if self.needs_all else any(tests)) is not self.is_negated

    @property
    def is_exact(self) -> bool:
        """True if the condition says itself which addresses count."""
        return bool(self.values) and not self.is_mask

    def _fits_one(self, address: int) -> bool:
        if self.is_mask:
            return any(mask >= 0 and address & mask == mask for mask in self.values)
        return address in self.values


def _number(address: str) -> int:
    """An IPv4 address as a number; -1 for what is none."""
    try:
        return int(ipaddress.IPv4Address(address))
    except ValueError:
        return -1


ANY: Final = Wanted("", "", is_negated=False)


@condition("dnslists", TEXT, EVERYWHERE - {NOT_SMTP_START})
def dnslists(text: str, run: Run) -> bool:
    """True at the first entry that is found."""
    unknown = EXCLUDE
    for item in split(text):
        if not item:
            continue
        if item.startswith("+"):
            if item in (INCLUDE, EXCLUDE, DEFER):
                unknown = item
            else:
                run.context.services.logs.panic(f"unknown item in dnslist (ignored): {item}")
            continue
        if _is_listed(item, unknown, run):
            return True
    return False


def _is_listed(item: str, unknown: str, run: Run) -> bool:
    """True if one of the item's keys is in its list. Raises Defer where the DNS does not know and that matters."""
    found = ITEM.fullmatch(item)
    if found is None:
        run.context.services.logs.main(f"dnslists: malformed item ignored: {item}")
        return False
    wanted = Wanted(found["how"] or "", found["values"] or "", is_negated=found["negated"] == "!")
    text_domain, comma, domain = found["domains"].strip().partition(",")
    domain = domain.strip() if comma else text_domain
    text_domain = text_domain.strip()
    for name in sorted({domain, text_domain}):
        if DOMAIN.fullmatch(name) is None:
            run.context.services.logs.main(
                f'dnslists domain "{name}" contains strange characters - is this right?', run.context.message.id
            )
    keys = _keys(found["keys"], run)
    deferred: Defer | None = None
    for key in keys[:MOST_KEYS]:
        try:
            if _check(key, domain, text_domain, wanted, unknown, run):
                return True
        except Defer as later:
            deferred = later
    if deferred is not None:
        raise deferred
    return False


def _keys(text: str | None, run: Run) -> list[str]:
    """What to look up: the keys of the item, or else the client's address."""
    if text is not None:
        return [key for key in split(text) if key]
    if run.where == NOT_SMTP:
        raise AclError(f"cannot test auto-keyed dnslists condition in {run.where} ACL")
    address = run.context.client.host_address
    return [address] if address else []


def _check(key: str, domain: str, text_domain: str, wanted: Wanted, unknown: str, run: Run) -> bool:
    context = run.context
    prefix = reversed_address(key)
    answer = _ask(f"{prefix}.{domain}", unknown, context)
    if answer is None:
        # Not known, and to be taken for listed.
        context.dnslist = Listing(text_domain, key, "", lambda: "")
        return True
    addresses = _addresses(answer, key, domain, wanted, context)
    if not addresses or not wanted.fits(addresses):
        return False
    resolver = context.services.dns
    if text_domain != domain:
        answer = _ask(f"{prefix}.{text_domain}", unknown, context)
        if answer is not None:
            addresses = _addresses(answer, key, text_domain, ANY, context)
            if not addresses:
                return False
    value = Tainted(", ".join(addresses))
    context.dnslist = Listing(text_domain, key, value, lambda: _text(f"{prefix}.{text_domain}", resolver))
    if run.trace is not None:
        run.trace.acl(f"=> that means {key} is listed at {text_domain}")
    return True


def _ask(name: str, unknown: str, context: object) -> Answer | None:
    """The A records of a name; None if nobody can tell and that counts as listed."""
    answer: Answer = context.services.dns.query(name, "A", check=False)  # type: ignore[attr-defined]
    if answer.status in (Status.AGAIN, Status.FAIL):
        logs: Logs = context.services.logs  # type: ignore[attr-defined]
        if "dnslist_defer" in logs.selected:
            logs.main(f"DNS list lookup defer (probably timeout) for {name}: {ASSUMED[unknown]}")
        if unknown == DEFER:
            raise Defer("")
        if unknown == INCLUDE:
            return None
    return answer


def _addresses(answer: Answer, key: str, domain: str, wanted: Wanted, context: object) -> list[str]:
    """The addresses that a list returned, without those that cannot be meant: a list that has been given up may return
    anything. What the condition names itself is meant."""
    if answer.status is not Status.FOUND:
        return []
    addresses: list[str] = []
    for address in answer.data():
        if str(address).startswith("127.") or wanted.is_exact:
            addresses.append(str(address))
        else:
            context.services.logs.main(  # type: ignore[attr-defined]
                f"DNS list lookup for {key} at {domain} returned {address}; not in 127.0/8 and discarded"
            )
    return addresses


def _text(name: str, resolver: object) -> str:
    """The TXT record of an entry; "" if there is none."""
    answer: Answer = resolver.query(name, "TXT", check=False)  # type: ignore[attr-defined]
    texts = answer.texts() if answer.status is Status.FOUND else []
    return Tainted(texts[0]) if texts else ""


def reversed_address(key: str) -> str:
    """An IP address as lists want it, backwards; anything else as it is."""
    try:
        address = ipaddress.ip_address(key)
    except ValueError:
        return key
    if address.version == 4:
        return ".".join(reversed(str(address).split(".")))
    return ".".join(reversed(address.exploded.replace(":", "")))
