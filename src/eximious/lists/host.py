"""Host lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, final

from eximious.address.delivery import Host
from eximious.errors import ExpandError, Place
from eximious.expand.ip import mask, pack, unpack, without_mapping
from eximious.expand.regex import compile as compile_regex
from eximious.expand.template import compile as compile_template
from eximious.lists.base import Matched, MatchList, Pattern, Policy, Unknown
from eximious.lists.final_text import final_texts
from eximious.lists.patterns import lookup_of
from eximious.lookups.base import LookupSpec, UnusableLookup
from eximious.octets import lower
from eximious.spool.message import Client
from eximious.taint import Tainted, alike

if TYPE_CHECKING:
    from eximious.context import Context

_NET: Final = re.compile(r"net(\d*)-(.*)", re.DOTALL)
_POLICIES: Final = {
    "+include_unknown": ("unknown", "include"),
    "+ignore_unknown": ("unknown", "ignore"),
    "+include_defer": ("defer", "include"),
    "+ignore_defer": ("defer", "ignore"),
}


@final
class HostSubject:
    """The host that is looked for: its address, and its names if somebody asks."""

    __slots__ = ("_names", "_octets", "address", "client", "name")

    def __init__(self, address: str, name: str | None, client: Client | None) -> None:
        self.address = address  # "" for no host at all
        self.name = name
        self.client = client  # whose name may be looked up
        self._octets: bytes | None = None
        self._names: list[str] | None = None

    @property
    def key(self) -> Any:
        """Under which the verdict of a named list is kept."""
        return (self.address, self.name)

    @property
    def octets(self) -> bytes:
        """The address as octets, an IPv4 one in IPv6 clothes undressed; empty if there is none."""
        if self._octets is None:
            packed = pack(self.address)
            self._octets = b"" if packed is None else without_mapping(packed)
        return self._octets

    def names(self, context: Context) -> list[str]:
        """The host's confirmed names, the main one first. Raises Unknown if there is none."""
        if self._names is None:
            self._names = self._find_names(context)
        return self._names

    def _find_names(self, context: Context) -> list[str]:
        if self.name:
            return [self.name]
        client = self.client
        if client is None:
            from eximious.lists.host_name import look_up

            found = look_up(self.address, context)
            if not found.names:
                raise self._nameless(found.is_deferred)
            return found.names
        from eximious.lists.host_name import look_up_client

        name = look_up_client(context)
        if name is None:
            raise self._nameless(client.host_lookup_deferred)
        return [name, *context.facts.get("host_aliases", ())]

    def _nameless(self, is_temporary: bool) -> Unknown:
        if is_temporary:
            return Unknown(f"host name lookup deferred for reverse lookup of {self.address}", is_temporary=True)
        return Unknown(f"failed to find host name for {self.address}")


@final
class HostList(MatchList):
    """A list of hosts, by address or by name."""

    __slots__ = ()

    kind = "host"
    registry = "host"

    def match(self, host: Client | Host | str, context: Context) -> Matched | None:
        """Is the host on the list? A text is an address, "" no host. `data` is for ``$host_data``. Raises Defer."""
        if isinstance(host, Client):
            subject = HostSubject(host.host_address, host.host_name, host)
        elif isinstance(host, Host):
            subject = HostSubject(host.address, host.name, None)
        else:
            subject = HostSubject(host, None, None)
        captures = context.captures
        try:
            return self.scan(subject, context)
        finally:
            context.captures = captures

    def match_address(self, address: str, context: Context) -> Matched | None:
        """As the condition ``match_ip`` does it: names never count, and lookups have the address as their key."""
        return self.scan(HostSubject(address, None, None), context, "ip")

    def policy_word(self, text: str, policy: Policy) -> Policy | None:
        word = _POLICIES.get(text)
        if word is None:
            return None
        kind, choice = word
        return Policy(choice, policy.defer) if kind == "unknown" else Policy(policy.unknown, choice)

    def compile_pattern(self, text: str, variant: Any, *, in_file: bool) -> Pattern:
        only_addresses = variant == "ip"
        if not text:
            return NoHost()
        if text == "*":
            return AnyHost()
        if text == "@[]":
            return Interface()
        if network := Network.parse(text):
            return network
        net = _NET.match(text)
        if net is not None:
            return _lookup(net[2], int(net[1] or -1), by_address=True, written=text)
        if ";" in text:
            return _lookup(text, -1, by_address=only_addresses, written=text)
        if only_addresses:
            return Nameless(text)
        if text.startswith("^"):
            return NameRegex(text)
        if text.startswith("*"):
            return NameSuffix(text)
        return NamedHost(text)


@final
class NoHost(Pattern):
    """An empty item: no host at all."""

    __slots__ = ()

    def test(self, subject: HostSubject, context: Context) -> Matched | None:
        return None if subject.address else Matched()


@final
class AnyHost(Pattern):
    """``*``: any host, and none."""

    __slots__ = ()

    def test(self, subject: HostSubject, context: Context) -> Matched | None:
        return Matched()


@final
class Interface(Pattern):
    """``@[]``: an address of an interface of this host."""

    __slots__ = ()

    def test(self, subject: HostSubject, context: Context) -> Matched | None:
        from eximious.lists.this_host import interface_addresses

        if not subject.octets:
            return None
        own = interface_addresses(context)
        return Matched() if subject.address in own or unpack(subject.octets) in own else None


@final
class Network(Pattern):
    """An address, perhaps with a mask."""

    __slots__ = ("bits", "octets")

    def __init__(self, octets: bytes, bits: int) -> None:
        self.bits = bits
        self.octets = mask(octets, bits)

    @classmethod
    def parse(cls, text: str) -> Network | None:
        """The network that the text means; None if it is something else."""
        address, slash, bits = text.partition("/")
        octets = pack(address)
        if octets is None or (slash and not (bits.isdecimal() and bits.isascii() and len(bits) < 4)):
            return None
        longest = len(octets) * 8
        return cls(octets, min(int(bits), longest) if slash else longest)

    def test(self, subject: HostSubject, context: Context) -> Matched | None:
        octets = subject.octets
        if len(octets) != len(self.octets):
            return None
        if self.bits == len(octets) * 8:
            return Matched() if octets == self.octets else None
        return Matched() if mask(octets, self.bits) == self.octets else None


@final
class AddressLookup(Pattern):
    """``net-type;file`` and ``net24-type;file``: a lookup with the address, or its network, as the key."""

    __slots__ = ("bits", "source", "spec")

    def __init__(self, spec: LookupSpec, source: str, bits: int) -> None:
        self.spec = spec
        self.source = source
        self.bits = bits  # -1 for the bare address

    def test(self, subject: HostSubject, context: Context) -> Matched | None:
        key: str | None = None
        if self.spec.is_single_key:
            octets = pack(subject.address)  # as it came: an IPv4 address in IPv6 clothes is another key
            if octets is None:
                return None
            key = self._key(octets)
        found = self.spec.find_in_list(context, self.source, key)
        return None if found is None else Matched(found)

    def _key(self, octets: bytes) -> str:
        bits = min(self.bits, len(octets) * 8)
        text = unpack(octets if bits < 0 else mask(octets, bits))
        if len(octets) == 16:
            separator = ":" if self.spec.lookup.name == "iplsearch" else "."
            digits = (octets if bits < 0 else mask(octets, bits)).hex()
            text = separator.join(digits[start : start + 4] for start in range(0, 32, 4))
        return text if bits < 0 else f"{text}/{bits}"


@final
class NameLookup(Pattern):
    """``type;file``: a lookup with the host's name as the key, or a query."""

    __slots__ = ("source", "spec")

    def __init__(self, spec: LookupSpec, source: str) -> None:
        self.spec = spec
        self.source = source

    def test(self, subject: HostSubject, context: Context) -> Matched | None:
        if not self.spec.is_single_key:
            found = self.spec.find_in_list(context, self.source, None)
            return None if found is None else Matched(found)
        if not subject.address:
            return None
        for name in subject.names(context):
            found = self.spec.find_in_list(context, self.source, Tainted(lower(name)))
            if found is not None:
                return Matched(found)
        return None


@final
class NameRegex(Pattern):
    """``^...``: a regular expression for the host's name."""

    __slots__ = ("regex",)

    def __init__(self, text: str) -> None:
        self.regex = compile_regex(text, caseless=True)

    def test(self, subject: HostSubject, context: Context) -> Matched | None:
        if not subject.address:
            return None
        return Matched() if any(self.regex.matches(name) for name in subject.names(context)) else None


@final
class NameSuffix(Pattern):
    """``*end``: the end of the host's name."""

    __slots__ = ("end",)

    def __init__(self, text: str) -> None:
        self.end = lower(text[1:])

    def test(self, subject: HostSubject, context: Context) -> Matched | None:
        if not subject.address:
            return None
        return Matched() if any(lower(name).endswith(self.end) for name in subject.names(context)) else None


@final
class NamedHost(Pattern):
    """A host name, whose addresses are looked up. ``@`` is this host's."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def test(self, subject: HostSubject, context: Context) -> Matched | None:
        if not subject.address:
            return None
        name = context.config.main.primary_hostname if self.name == "@" else self.name
        answer = context.services.dns.hosts(name, qualify_single=True)
        addresses = answer.data()
        if not addresses:
            from eximious.lists.host_name import system_addresses

            addresses = system_addresses(name)
        if not addresses:
            if answer.status.name in ("AGAIN", "FAIL"):
                raise Unknown(f'DNS lookup of "{name}" deferred', is_temporary=True)
            logs = context.services.logs
            if "host_lookup_failed" in logs.selected:
                logs.main(f"no IP address found for host {name}{_during(context)}", context.message.id)
            raise Unknown(f"failed to find IP address for {name}")
        for address in addresses:
            octets = pack(address)
            if octets is not None and without_mapping(octets) == subject.octets:
                return Matched()
        return None


def _during(context: Context) -> str:
    """For the log: in whose session it happens."""
    if context.session is None:
        return ""
    client = context.client
    return f" (during SMTP connection from {context.services.logs.fields.full_host(client) or client.ident})"


@final
class Nameless(Pattern):
    """A host name in a ``match_ip`` list, where it has no place."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def test(self, subject: HostSubject, context: Context) -> Matched | None:
        if not subject.address:
            return None
        raise Unknown("cannot match host name in match_ip list")


def _lookup(text: str, bits: int, *, by_address: bool, written: str) -> Pattern:
    try:
        found = lookup_of(alike(text, written))
    except UnusableLookup as error:
        raise ExpandError(error.message) from None
    if found is None:
        raise ExpandError(f'lookup expected in "{written}"')
    spec, source = found
    return AddressLookup(spec, source, bits) if by_address else NameLookup(spec, source)


def compile(text: str, place: Place | None = None) -> HostList:
    """A list as it stands in a configuration: expanded each time it is used, unless there is nothing to expand."""
    return HostList(compile_template(text, place))


final_text: Final = final_texts(HostList)
