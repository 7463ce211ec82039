"""The manualroute router: hosts for domains, by the postmaster's own rules. (Chapter "The manualroute router".)"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from eximious.address.delivery import Host
from eximious.config.lists import split
from eximious.config.option import option
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.expand.template import Template, compile
from eximious.routers.base import Router, routers
from eximious.routers.complaints import log_main
from eximious.routers.handover import hand_over
from eximious.routers.host_list import parse_hosts
from eximious.routers.host_search import HostSearch
from eximious.routers.outcome import Decision, Deferred, Routing, decline
from eximious.routers.words import next_word

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.config.configuration import Configuration
    from eximious.context import Context

ON_FAILURE = ("decline", "defer", "fail", "freeze", "ignore", "pass")


class Rule:
    """One routing rule of ``route_list``."""

    __slots__ = ("domains", "hosts", "options", "pattern")

    def __init__(self, text: str) -> None:
        from eximious.lists.domain import compile as compile_domains

        self.pattern, rest = next_word(text)
        hosts, self.options = next_word(rest)
        # The pattern is a list of one item; a control character cannot occur in it, so nothing separates it.
        self.domains = compile_domains(f"<\x01{self.pattern}", None)
        self.hosts = compile(hosts)


@routers.register("manualroute")
class ManualRoute(Router):
    """Route by a list of rules, or by what a lookup says."""

    needs_transport: ClassVar[bool | None] = None

    host_all_ignored: str = option("defer", doc="What to do if all hosts are ignored.")
    host_find_failed: str = option("freeze", doc="What to do if a host does not exist.")
    hosts_randomize: bool = option(False, doc="Use the hosts in random order, within groups that ``+`` delimits.")
    route_data: Template | None = option(None, doc="Expands to the hosts and options of a rule.")
    route_list: str | None = option(None, doc="Rules ``domain hosts options``, separated by semicolons.")
    same_domain_copy_routing: bool = option(False, doc="Route one address of a domain as its others in the message.")

    def check(self, config: Configuration) -> None:
        super().check(config)
        if (self.route_data is None) == (self.route_list is None):
            raise self.fault("route_list or route_data (but not both) must be specified")
        if self.host_find_failed not in ON_FAILURE:
            raise self.fault("unrecognized setting for host_find_failed option")
        if self.host_all_ignored not in ON_FAILURE or self.host_all_ignored == "ignore":
            raise self.fault("unrecognized setting for host_all_ignored option")

    @cached_property
    def rules(self) -> list[Rule]:
        """The rules of ``route_list``."""
        return [Rule(text) for text in split(self.route_list or "", ";") if text]

    def route(self, address: Address, context: Context) -> Routing:
        """Find the rule, the transport, and the hosts."""
        found = self._hosts_and_options(address, context)
        if found is None:
            return decline()
        text, option_text = found
        options = self._options(option_text, context)
        transport = hand_over(self, address, context, options.transport)
        if transport is not None and transport.is_local:
            hosts = [Host(text)] if text else []
            return Routing(Decision.ACCEPT, transport=transport, hosts=hosts)
        if not text:
            message = f"error in {self.name} router: no host(s) specified for domain {address.domain}"
            log_main(context, message)
            raise Deferred(message)
        hosts = parse_hosts(text, randomize=options.randomize, random=context.services.random)
        search = HostSearch(self, address, context)
        search.by = options.by
        search.families = options.families
        search.on_failure, search.on_all_ignored = self.host_find_failed, self.host_all_ignored
        answer = search.find_all(hosts)
        return answer or Routing(Decision.ACCEPT, transport=transport, hosts=search.hosts)

    def _hosts_and_options(self, address: Address, context: Context) -> tuple[str, str] | None:
        """The expanded list of hosts, and the options that follow it; None if no rule is for the domain."""
        if self.route_data is not None:
            text = self._expanded(self.route_data, "", context)
            if not text:
                return None
            hosts, options = next_word(text)
            expanded = self._expanded(compile(hosts), f"{self.name} router: ", context)
            return None if expanded is None else (expanded, options)
        for rule in self.rules:
            context.captures = [address.domain]
            matched = rule.domains.match(address.domain, context)
            if matched is None:
                continue
            before, context.lookup_value = context.lookup_value, matched.data
            try:
                expanded = self._expanded(rule.hosts, f"{self.name} router: ", context)
            finally:
                context.lookup_value = before
            return None if expanded is None else (expanded, rule.options)
        return None

    def _expanded(self, template: Template, prefix: str, context: Context) -> str | None:
        try:
            return template.expand(context).strip()
        except ForcedFail:
            return None
        except (ExpandError, Defer) as error:
            raise Deferred(f'{prefix}failed to expand "{template.source}": {error}') from error

    def _options(self, text: str, context: Context) -> RuleOptions:
        options = RuleOptions(self.hosts_randomize)
        rest = text
        while rest:
            written = rest
            word, _, rest = rest.partition(" ")
            rest = rest.lstrip()
            if not options.take(word) and not options.take_transport(context.config.transports.get(word)):
                log_main(context, f'Error in {self.name} router: unknown routing option or transport name "{written}"')
                raise Deferred(f'error in router: unknown routing option or transport name "{written}"')
        return options


class RuleOptions:
    """The options of one rule."""

    __slots__ = ("by", "families", "randomize", "transport")

    def __init__(self, randomize: bool) -> None:
        self.randomize = randomize
        self.by = ""  # "byname", "bydns", or "" for one after the other
        self.families = ""  # "ipv4_only", "ipv4_prefer", or "" for both
        self.transport: Any = None

    def take(self, word: str) -> bool:
        """Note an option; False if the word is none."""
        if word in ("randomize", "no_randomize"):
            self.randomize = word == "randomize"
        elif word in ("byname", "bydns"):
            self.by = word
        elif word in ("ipv4_only", "ipv4_prefer"):
            self.families = word
        else:
            return False
        return True

    def take_transport(self, transport: Any) -> bool:
        """Note the transport; False if there is none."""
        self.transport = transport
        return transport is not None
