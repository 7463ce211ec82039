"""Where tainted data flows in an expanded string, found by reading it, not by running it.

What a string gives is tainted if a part of it may be; `Flow` follows variables through conditions, ``$value``,
``$item`` and captures, and reports where tainted data arrives at something that refuses it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from eximious.cli.checks.strings import function_name, parts
from eximious.expand.condition import Condition, Not
from eximious.expand.conditions.forany import ForEach
from eximious.expand.conditions.logic import And, Or
from eximious.expand.conditions.match import Match, MatchExpanded
from eximious.expand.conditions.match_list import MatchAddress, MatchList
from eximious.expand.header import HeaderValue
from eximious.expand.items.certificate import CertExtract
from eximious.expand.items.environment import Environment
from eximious.expand.items.if_ import If
from eximious.expand.items.lookup import Lookup
from eximious.expand.items.loop import Filter, Map, Reduce
from eximious.expand.items.readsocket import ReadSocket
from eximious.expand.items.run import Run
from eximious.expand.items.sort import Sort
from eximious.expand.items.substitute import Substitute
from eximious.expand.nodes import Call, Choice, Concatenation, ContextCall, Node
from eximious.expand.variable import Capture, ConnectionVariable, MessageAclVariable, RouterVariable, Variable
from eximious.lookups.quoting import family

# Variables that hold what strangers wrote.
TAINTED: Final = frozenset(
    (
        *("auth1", "auth2", "auth3", "auth4", "authenticated_fail_id", "authenticated_id", "authenticated_sender"),
        *("bounce_recipient", "dnslist_text", "dnslist_value", "domain", "local_part", "local_part_prefix"),
        *("local_part_prefix_v", "local_part_suffix", "local_part_suffix_v", "message_body", "message_body_end"),
        *("message_headers", "message_headers_raw", "original_domain", "original_local_part", "parent_domain"),
        *("parent_local_part", "prvscheck_address", "received_for", "recipients", "recipients_list"),
        *("reply_address", "return_path", "sender_address", "sender_address_domain", "sender_address_local_part"),
        *("sender_fullhost", "sender_helo_name", "sender_ident", "sender_rcvhost", "smtp_command"),
        *("smtp_command_argument", "srs_recipient", "thisaddress", "tls_in_peerdn", "tls_in_sni", "tls_peerdn"),
        *("srs_db_address", "srs_orig_recipient", "srs_orig_sender", "tls_sni", "warn_message_recipients"),
    )
)
# Variables whose taint is that of what the configuration puts into them.
ASSIGNED: Final = ("address_data",)


class Cause:
    """What taints a text. `written` is how it stands in the string: "$value"; `origin` where that has it from."""

    __slots__ = ("node", "origin", "written")

    def __init__(self, written: str, node: Node, origin: str = "") -> None:
        self.written = written
        self.node = node
        self.origin = origin or written

    def through(self, name: str, node: Node) -> Cause:
        """The same data, which is now in another variable."""
        return Cause(f"${name}", node, self.origin)

    def __str__(self) -> str:
        return self.written if self.origin == self.written else f"{self.written}, from {self.origin}"


Report = Callable[[str, Cause, str], None]  # what refuses it, the cause, the lookup type if that can quote


class Moment:
    """What ``$1``, ``$value`` and ``$item`` hold at one point of a string: the cause of their taint, or None."""

    __slots__ = ("captures", "item", "quoted", "value")

    def __init__(
        self, captures: Cause | None = None, value: Cause | None = None, item: Cause | None = None, quoted: str = ""
    ) -> None:
        self.captures = captures
        self.value = value
        self.item = item
        self.quoted = quoted  # inside a query of this family of lookup types

    def but(self, **changes: Any) -> Moment:
        """The same moment with changes."""
        made = Moment(self.captures, self.value, self.item, self.quoted)
        for name, value in changes.items():
            setattr(made, name, value)
        return made


START: Final = Moment()


class Flow:
    """Follows tainted data. `assigned` are the names of variables that the configuration sets to such."""

    def __init__(self, assigned: frozenset[str], report: Report) -> None:
        self.assigned = assigned
        self.report = report

    def of(self, node: Node, now: Moment = START) -> Cause | None:
        """What may taint the node's text; what it contains is looked through for places that refuse it."""
        if node.constant is not None:
            return None
        method = _METHODS.get(type(node))
        if method is not None:
            return method(self, node, now)
        if isinstance(node, Variable):
            return self._variable(node, now)
        if isinstance(node, Choice):
            return self._choice(node, self._first(self._found(node), now), now)
        return self._first(list(parts(node)), now)

    def _first(self, nodes: list[Any], now: Moment) -> Cause | None:
        """The first cause in several nodes, all of which are looked through."""
        causes = [self._any(node, now) for node in nodes]
        return next((cause for cause in causes if cause is not None), None)

    def _any(self, thing: Node | Condition, now: Moment) -> Cause | None:
        if isinstance(thing, Condition):
            self.after(thing, now)
            return None
        return self.of(thing, now)

    def after(self, condition: Condition, now: Moment) -> Moment:
        """The moment after the condition has been tested."""
        if isinstance(condition, Match | MatchExpanded):
            self._first([condition.pattern] if isinstance(condition, MatchExpanded) else [], now)
            return now.but(captures=self.of(condition.subject, now))
        if isinstance(condition, MatchList | MatchAddress):
            return now.but(captures=self.of(condition.subject, now), value=None)
        if isinstance(condition, Not):
            return self.after(condition.condition, now)
        if isinstance(condition, And | Or):
            for one in condition.conditions:
                now = self.after(one, now)
            return now
        if isinstance(condition, ForEach):
            self.after(condition.condition, now.but(item=self.of(condition.source, now)))
            return now
        self._first(list(parts(condition)), now)
        return now

    # Nodes ------------------------------------------------------------------------------------------------------------

    def _variable(self, node: Variable, now: Moment) -> Cause | None:
        name = node.name
        if name in ("value", "item"):
            held = now.value if name == "value" else now.item
            return None if held is None else held.through(name, node)
        return Cause(f"${name}", node) if name in TAINTED or name in self.assigned else None

    def _capture(self, node: Capture, now: Moment) -> Cause | None:
        return None if now.captures is None else now.captures.through(node.name, node)

    def _found(self, node: Choice) -> list[Any]:
        return [part for part in parts(node) if part is not node.yes and part is not node.no]

    def _choice(self, node: Choice, found: Cause | None, now: Moment) -> Cause | None:
        yes = found if node.yes is None else self.of(node.yes, now.but(value=found))
        return yes or self.of(node.no, now)

    def _if(self, node: If, now: Moment) -> Cause | None:
        then = self.after(node.condition, now)
        return self.of(node.yes, then) or self.of(node.no, then)

    def _call(self, node: Call | ContextCall, now: Moment) -> Cause | None:
        name = function_name(node)
        if name == "quote_for_lookup":
            assert isinstance(node.function, partial)
            if family(node.function.args[0].name) == now.quoted:
                self._first(list(node.arguments), now.but(quoted=""))
                return None
        cause = self._first(list(node.arguments), now)
        refused = _REFUSED_CALLS.get(name)
        if refused is not None:
            what, only_first = refused
            refused_cause = self.of(node.arguments[0], now) if only_first else cause
            if refused_cause is not None:
                self.report(what, refused_cause, "")
        return None if node.is_clean or name == "readfile" else cause

    def _lookup(self, node: Lookup, now: Moment) -> Cause | None:
        if node.key is not None:
            self.of(node.key, now)
        lookup = node.spec.lookup
        kind = lookup.name
        if lookup.is_single_key:
            cause = self.of(node.source, now)
            if cause is not None:
                self.report(f"the name of the file for the {kind} lookup", cause, "")
        else:
            cause = self.of(node.source, now.but(quoted=family(kind)))
            if cause is not None and getattr(lookup, "needs_quoting", False):
                self.report(f"the query of the {kind} lookup", cause, family(kind))
        return self._choice(node, None, now)

    def _run(self, node: Run, now: Moment) -> Cause | None:
        if node.words:
            causes = [self.of(word.root, now) for word in node.words]
            if causes[0] is not None:
                self.report("the name of the command for ${run", causes[0], "")
        elif node.whole is not None and (cause := self.of(node.whole, now)) is not None:
            self.report("the command for ${run,preexpand", cause, "")
        return self._choice(node, None, now)

    def _map(self, node: Map, now: Moment) -> Cause | None:
        source = self.of(node.source, now)
        return self.of(node.text, now.but(item=source)) or source

    def _filter(self, node: Filter, now: Moment) -> Cause | None:
        source = self.of(node.source, now)
        self.after(node.condition, now.but(item=source))
        return source

    def _reduce(self, node: Reduce, now: Moment) -> Cause | None:
        start = self.of(node.start, now)
        return self.of(node.text, now.but(item=self.of(node.source, now), value=start)) or start

    def _sort(self, node: Sort, now: Moment) -> Cause | None:
        return self._first(list(parts(node)), now)

    def _substitute(self, node: Substitute, now: Moment) -> Cause | None:
        return self._first([node.subject, node.pattern, node.replacement], now)

    def _socket(self, node: ReadSocket, now: Moment) -> Cause | None:
        self._first(list(parts(node)), now)
        return Cause("${readsocket", node)

    def _environment(self, node: Environment, now: Moment) -> Cause | None:
        return self._choice(node, Cause("${env", node), now)

    def _certificate(self, node: CertExtract, now: Moment) -> Cause | None:
        return self._choice(node, Cause("${certextract", node), now)


_METHODS: Final[dict[type, Callable[[Flow, Any, Moment], Cause | None]]] = {
    Call: Flow._call,
    Capture: Flow._capture,
    CertExtract: Flow._certificate,
    Concatenation: lambda flow, node, now: flow._first(list(node.parts), now),
    ConnectionVariable: Flow._variable,
    ContextCall: Flow._call,
    Environment: Flow._environment,
    Filter: Flow._filter,
    HeaderValue: lambda flow, node, now: Cause(f"${node.form}h_{node.name}:", node),
    If: Flow._if,
    Lookup: Flow._lookup,
    Map: Flow._map,
    MessageAclVariable: Flow._variable,
    ReadSocket: Flow._socket,
    Reduce: Flow._reduce,
    RouterVariable: Flow._variable,
    Run: Flow._run,
    Sort: Flow._sort,
    Substitute: Flow._substitute,
}
# Functions that refuse tainted text: what it would be, and whether only the first argument counts.
_REFUSED_CALLS: Final = {
    "expand_again": ("a string that is expanded", True),
    "readfile": ("the name of the file for ${readfile", True),
    "python": ("the name of the function for ${python", True),
    "acl": ("the name of the ACL for ${acl", True),
    "evaluate": ("an arithmetic expression", True),
    "evaluate_decimal": ("an arithmetic expression", True),
}
