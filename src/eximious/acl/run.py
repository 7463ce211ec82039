"""One run of an ACL: the verbs, and what the statements have said so far. (Exim specification, "ACL verbs".)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eximious.acl.compiled import UNKNOWN, Acl, Item, Statement
from eximious.acl.find import find
from eximious.acl.settings import Reception
from eximious.acl.verdict import ACCEPT, DEFER, DENY, DISCARD, DROP, ERROR, MAIN_AND_REJECT, AclError, Verdict
from eximious.acl.where import NOTQUIT, QUIT
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.logs.printing import printing
from eximious.lookups.base import Unanswered

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.template import Template

AT_END: Final = frozenset({QUIT, NOTQUIT})  # where nothing can be refused any more
MAX_DEPTH: Final = 20  # of ACLs that call ACLs
MAX_ARGUMENTS: Final = 9

# Outcomes of a statement's conditions.
TRUE: Final = "succeeded"
FALSE: Final = "failed"
FALSE_DROP: Final = "failed with drop"
DEFERRED: Final = "deferred"
DISCARDED: Final = "succeeded with discard"
BROKEN: Final = "error"

# What a verb makes of its conditions' outcome; None goes on with the next statement.
RESULTS: Final[dict[str, dict[str, str | None]]] = {
    "accept": {TRUE: ACCEPT, FALSE: None, FALSE_DROP: None},
    "discard": {TRUE: DISCARD, FALSE: None, FALSE_DROP: None},
    "defer": {TRUE: DEFER, FALSE: None, FALSE_DROP: None},
    "deny": {TRUE: DENY, FALSE: None, FALSE_DROP: None},
    "drop": {TRUE: DROP, FALSE: None, FALSE_DROP: None},
    "require": {TRUE: None, FALSE: DENY, FALSE_DROP: DROP},
    "warn": {TRUE: None, FALSE: None, FALSE_DROP: None},
}


class Discarded(Exception):
    """A nested ACL said "discard": the statement ends at once."""


class Run:
    """What conditions and modifiers work on: the context, and what the run has gathered."""

    __slots__ = (
        "context",
        "drop_seen",
        "log_message",
        "log_targets",
        "log_template",
        "may_tell",
        "message_template",
        "ratelimits",
        "statement",
        "trace",
        "user_message",
        "where",
    )

    def __init__(self, context: Context, where: str) -> None:
        self.context = context
        self.where = where
        self.trace = context.trace
        self.statement: Statement | None = None
        self.message_template: Template | None = None  # of the present statement
        self.log_template: Template | None = None
        self.user_message = ""  # what the conditions, or a verb's message, want the client to be told
        self.log_message = ""
        self.log_targets: tuple[str, ...] = MAIN_AND_REJECT
        self.ratelimits: dict[str, float] = {}  # measured during this run
        self.may_tell = False  # why a condition is deferred may be told to the client
        self.drop_seen = False  # the last nested ACL ended with "drop"

    @property
    def session(self) -> Any:
        """The SMTP session, or None."""
        return self.context.session

    @property
    def reception(self) -> Reception:
        """How the message that is being received is to be treated."""
        if self.context.reception is None:
            self.context.reception = Reception()
        reception: Reception = self.context.reception
        return reception

    def call(self, text: str) -> str:
        """Run the ACL of that name, in that file, or of that text; the result is one of `verdict`'s."""
        context = self.context
        if context.acl_depth >= MAX_DEPTH:
            raise AclError("ACL nested too deep: possible loop")
        context.acl_depth += 1
        try:
            return self._obey(find(text, context))
        finally:
            context.acl_depth -= 1

    def _obey(self, acl: Acl) -> str:
        label = f"ACL {acl.name}" if acl.name else "inline ACL"
        if self.trace is not None and acl.name:
            self.trace.acl(f'using ACL "{acl.name}"')
        saved = self.statement
        try:
            for statement in acl.statements:
                result = self._statement(statement, label)
                if result is not None:
                    return result
        finally:
            self.statement = self.context.facts["acl_statement"] = saved
        if self.trace is not None:
            self.trace.acl(f"end of {label}: implicit DENY")
        return DENY

    def _statement(self, statement: Statement, label: str) -> str | None:
        """Obey one statement: the ACL's result, or None to go on with the next."""
        verb = statement.verb
        trace = self.trace
        self.statement = self.context.facts["acl_statement"] = statement
        self.message_template = self.log_template = None
        self.user_message = self.log_message = ""
        self.may_tell = False
        if trace is not None:
            place = statement.place
            trace.acl(
                f'processing {label} "{verb}"' + (f" ({place.file} {place.line})" if place and place.file else "")
            )
        outcome, failed_at = self._outcome(statement)
        trace = self.trace  # control = debug may have changed it
        if trace is not None:
            trace.acl(f"{verb}: condition test {outcome} in {label}")
            if outcome in (BROKEN, DEFERRED) and self.log_message:
                trace.acl(f"{verb}: {self.log_message}")
        result = self._result(statement, outcome, failed_at)
        if self.where in AT_END and result in (DENY, DROP, DEFER) and self.context.acl_depth == 1:
            self.log_message = f"QUIT or not-QUIT toplevel ACL may not fail ('{verb}' verb used incorrectly)"
            result = ERROR
        self.context.facts.pop("acl_verify_message", None)
        if trace is not None and result is not None and outcome in (TRUE, DISCARDED):
            trace.acl(f"end of {label}: {result.upper()}")
        return result

    def _outcome(self, statement: Statement) -> tuple[str, int]:
        """How the conditions turned out, and at which item they were given up."""
        try:
            return self._test(statement)
        except Defer as later:
            self.log_message = self.log_message or str(later)
            return DEFERRED, 0
        except Discarded:
            return DISCARDED, 0
        except AclError as error:
            self.user_message = ""
            self.log_message = str(error)
            return BROKEN, 0

    def _result(self, statement: Statement, outcome: str, failed_at: int) -> str | None:
        verb = statement.verb
        if outcome == BROKEN:
            return ERROR
        if outcome == DEFERRED:
            return self._deferred(verb)
        if outcome == DISCARDED:
            return self._discarded(verb)
        result = RESULTS[verb][outcome]
        if result is None and 0 <= statement.endpass_at <= failed_at and outcome != TRUE:
            if self.trace is not None:
                self.trace.acl(f"{verb}: endpass encountered - denying access")
            result = DROP if outcome == FALSE_DROP else DENY
        self._say(verb, statement, outcome)
        if verb == "warn" and outcome == TRUE and (self.message_template or self.log_template):
            self._warn()
        return result

    def _test(self, statement: Statement) -> tuple[str, int]:
        """Whether all conditions are true, and the index of the first that is not."""
        where = self.where
        for index, item in enumerate(statement.items):
            declaration = item.declaration
            if where not in declaration.allowed:
                doing = "use" if declaration.is_modifier else "test"
                raise AclError(f"cannot {doing} {declaration.name} condition in {where} ACL")
            if self.trace is not None:
                self._trace_item(item)
            try:
                value = item.value
                if value is UNKNOWN:
                    value = self._value(item)
                answer = item.function(value, self)
            except ForcedFail:
                if not item.declaration.argument.list_module:
                    continue  # as if the condition were not there
                answer = False  # of a list: nothing is on it
            except ExpandError as error:
                source = printing(item.source)
                raise AclError(f'failed to expand ACL string "{source}": {error}') from error
            if not declaration.is_modifier and (not answer) is not item.negated:
                return (FALSE_DROP if self.drop_seen and item.name == "acl" and not item.negated else FALSE), index
        return TRUE, len(statement.items)

    def _value(self, item: Item) -> Any:
        assert item.template is not None
        try:
            text = item.template.expand(self.context)
        except Defer as error:
            if isinstance(error, Unanswered) and error.why:
                raise Defer(error.why) from error
            source = printing(item.source)
            raise Defer(f'failed to expand ACL string "{source}": {error}') from error
        return item.parse(text) if item.parse is not None else text

    def _trace_item(self, item: Item) -> None:
        if item.name == "message":
            self.trace.acl(f"  message: {item.source}")
        elif item.name == "log_message":
            self.trace.acl(f"l_message: {item.source}")
        else:
            self.trace.acl(f"check {item!r}")

    def _discarded(self, verb: str) -> str:
        if verb in ("accept", "discard"):
            return DISCARD
        self.user_message = ""
        self.log_message = (
            f'nested ACL returned "discard" for "{verb}" command (only allowed with "accept" or "discard")'
        )
        return ERROR

    def _deferred(self, verb: str) -> str | None:
        """A condition that cannot be told now defers the whole, but only makes ``warn`` pass."""
        if verb != "warn":
            if not (self.may_tell or self.context.config.main.smtp_return_error_details):
                self.user_message = ""
            return DEFER
        if "acl_warn_skipped" not in self.context.services.logs.selected:
            return None
        why = f": {self.log_message}" if self.log_message else ""
        self.log_main(f'{self.client_text()} Warning: ACL "warn" statement skipped: condition test deferred{why}')
        return None

    def _say(self, verb: str, statement: Statement, outcome: str) -> None:
        """Expand ``message`` and ``log_message``, if the verb's outcome wants them."""
        if not self._wants_message(verb, statement, outcome):
            self.user_message = self.log_message = ""
            return
        message, log = self.message_template, self.log_template
        if message is not None or log is not None:
            text = self._expanded(message)
            if log is not None and self.log_message and not self.context.facts.get("acl_verify_message"):
                self.context.facts["acl_verify_message"] = self.log_message  # what the log is to hear, not the client
            log_text = self._expanded(log)
            if verb == "warn":
                self.user_message, self.log_message = text, log_text
                return
            if text:
                self.user_message = text
            if log_text:
                self.log_message = f"{log_text}: {self.log_message}" if self.log_message else log_text
        if not self.log_message and verb != "warn":
            self.log_message = self.user_message

    def _wants_message(self, verb: str, statement: Statement, outcome: str) -> bool:
        """True if what the statement says is for this outcome; it may yet serve for the implicit denial."""
        if verb == "require":
            return outcome != TRUE
        if verb in ("accept", "discard"):
            # With endpass the message is only for those who are turned away.
            return outcome != TRUE or statement.endpass_at < 0
        return outcome == TRUE

    def _expanded(self, template: Template | None) -> str:
        if template is None:
            return ""
        try:
            return template.expand(self.context)
        except ForcedFail:
            return ""
        except (ExpandError, Defer) as error:
            self.context.services.logs.panic(
                f'failed to expand ACL message "{template.source}": {error}', self.context.message.id
            )
            return ""

    def _warn(self) -> None:
        """Log what a ``warn`` has to say, once a message; and the old meaning of ``message``: a header to add."""
        reception = self.reception
        if self.log_message:
            text = self.log_message.replace("\n", " ")
            if text not in reception.warned:
                reception.warned.add(text)
                self.log_main(f"{self.client_text()} Warning: {text}")
        if self.user_message:
            reception.add_headers(self.user_message)

    def client_text(self) -> str:
        """The client as log lines name it: ``H=name (helo) [address]``; for local submission ``U=login``."""
        context = self.context
        return context.services.logs.fields.host_and_ident(context.client)

    def log_main(self, text: str) -> None:
        """Write a line to the main log."""
        self.context.services.logs.main(text, self.context.message.id)

    def blame(self, user_message: str, log_message: str = "") -> None:
        """Note why a condition is false: for the client, and for the log."""
        self.user_message = user_message
        self.log_message = log_message
        self.context.facts["acl_verify_message"] = user_message

    def nested(self, text: str, arguments: list[str]) -> bool:
        """The condition ``acl``: run another ACL; True if it accepts. Raises Discarded, Defer or AclError."""
        result = self.called(text, arguments)
        self.drop_seen = result == DROP
        if result == ACCEPT:
            self.user_message = self.log_message = ""
            return True
        if result == DISCARD:
            raise Discarded
        if result == DEFER:
            self.may_tell = True
            raise Defer(self.log_message or self.user_message)
        if result == ERROR:
            raise AclError(self.log_message)
        return False

    def called(self, text: str, arguments: list[str]) -> str:
        """Run another ACL with arguments, and come back to the present statement."""
        context = self.context
        saved = (self.statement, self.message_template, self.log_template, context.acl_arguments)
        context.acl_arguments = arguments[:MAX_ARGUMENTS]
        try:
            return self.call(text)
        finally:
            self.statement, self.message_template, self.log_template, context.acl_arguments = saved


def verdict(run: Run, result: str) -> Verdict:
    """What the run has come to, for whoever asked."""
    verdict = Verdict(result, run.user_message, run.log_message)
    verdict.log_targets = run.log_targets
    return verdict
