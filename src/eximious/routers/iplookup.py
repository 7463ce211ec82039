"""The iplookup router: ask a server what address to use instead. (Chapter "The iplookup router".)"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, ClassVar, Final

from eximious.config.option import option
from eximious.errors import Defer, ExpandError
from eximious.routers.base import Router, routers
from eximious.routers.host_finder import as_address
from eximious.routers.outcome import Decision, Deferred, Routing, decline
from eximious.taint import Tainted
from eximious.waiting import in_thread

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.config.configuration import Configuration
    from eximious.config.values import Seconds, StringList
    from eximious.context import Context
    from eximious.expand.template import Template

LONGEST_REPLY: Final = 8192  # octets
DEFAULT_QUERY: Final = "$local_part@$domain $local_part@$domain"


@routers.register("iplookup")
class IpLookup(Router):
    """Replace the address by what a server answers, over TCP or UDP."""

    needs_transport: ClassVar[bool | None] = False

    hosts: StringList | None = option(None, doc="The servers, asked in order.")
    optional: bool = option(False, doc="If no server answers, the address goes to the next router.")
    port: int = option(0, doc="The port to ask at.")
    protocol: str = option("udp", doc="``udp`` or ``tcp``.")
    query: Template | None = option(None, doc="What to ask; the address twice, if not set.")
    reroute: Template | None = option(None, doc="The new address, made of the answer; its first word, if not set.")
    response_pattern: str | None = option(None, doc="A regular expression that the answer must match.")
    timeout: Seconds = option("5s", doc="How long to wait for an answer, and for a TCP connection.")

    def check(self, config: Configuration) -> None:
        super().check(config)
        if not self.port:
            raise self.fault("a port must be specified")
        if self.protocol not in ("udp", "tcp"):
            raise self.fault("protocol not specified as udp or tcp")
        if not self.hosts:
            raise self.fault("no hosts to query")

    def route(self, address: Address, context: Context) -> Routing:
        """Ask until a server answers; the answer becomes the address."""
        reply = self._ask_all(self._question(context), context)
        if reply is None:
            if self.optional:
                return Routing(Decision.PASS)
            raise Deferred(f"{self.name} router: no response received from any host")
        new = self._new_address(reply, address, context)
        if new is None:
            return decline()
        local_part, at, domain = new.rpartition("@")
        if not at or not local_part or not domain:
            raise Deferred(f"reroute string {new} is not of the form user@domain")
        from eximious.routers.self_action import successor

        child = successor(address, new)
        child.start_router = self.redirect_to or self.next_router
        return Routing(Decision.REROUTED, generated=[child])

    def _question(self, context: Context) -> str:
        if self.query is None:
            from eximious.expand.template import expand

            return expand(DEFAULT_QUERY, context)
        try:
            return self.query.expand(context)
        except (ExpandError, Defer) as error:
            raise Deferred(f'failed to expand "{self.query.source}" in {self.name} router: {error}') from error

    def _ask_all(self, question: str, context: Context) -> str | None:
        from eximious.routers.host_names import look_up

        for name in self.hosts or ():
            found = (name, [name]) if as_address(name) else look_up(name, context)
            for ip in found[1] if found is not None else ():
                with contextlib.suppress(OSError):
                    reply = in_thread(self._ask, ip, question.encode("latin-1", "replace"))
                    if reply:
                        return Tainted(reply.decode("latin-1").rstrip("\r\n"))
        return None

    def _ask(self, ip: str, question: bytes) -> bytes:
        """One server's answer. Raises OSError."""
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        kind = socket.SOCK_DGRAM if self.protocol == "udp" else socket.SOCK_STREAM
        with socket.socket(family, kind) as connection:
            connection.settimeout(self.timeout or None)
            connection.connect((ip, self.port))
            connection.sendall(question)
            return connection.recv(LONGEST_REPLY)

    def _new_address(self, reply: str, address: Address, context: Context) -> str | None:
        """The address that the answer stands for; None if it does not fit the question."""
        context.captures = [reply]
        words = reply.split(None, 1)
        if self.response_pattern is not None:
            from eximious.expand.regex import compile

            try:
                captures = compile(self.response_pattern).search(reply)
            except ExpandError as error:
                raise Deferred(f"{self.name} router: {error}") from error
            if captures is None:
                return None
            context.captures = captures
        elif self.query is None:
            asked = f"{address.local_part}@{address.domain}"
            if len(words) < 2 or words[1].strip().lower() != asked.lower():
                return None
        if self.reroute is None:
            return Tainted(words[0]) if words else None
        try:
            return self.reroute.expand(context)
        except (ExpandError, Defer) as error:
            raise Deferred(f'failed to expand "{self.reroute.source}" in {self.name} router: {error}') from error
