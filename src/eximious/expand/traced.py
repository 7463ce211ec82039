"""Expansion that shows its steps: every item, variable and condition, what it gave, and how long it took.

The string is parsed into a tree in which each of them is wrapped; the ordinary evaluator runs that tree and knows
nothing of it, so whoever does not look pays nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, final

from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.expand.condition import Condition, Not
from eximious.expand.items.lookup import Lookup
from eximious.expand.items.run import Run
from eximious.expand.nodes import Node
from eximious.expand.parse import Parser
from eximious.expand.refusal import TaintRefused
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.errors import ConfigError
    from eximious.lookups.base import LookupSpec

NO_REASON: Final = "(no reason given)"
MOST_STEPS: Final = 10_000  # that are kept: a loop over a long list could make any number


class Step:
    """One step: `source` is its text, `result` what it gave (None: nothing was found, or it failed)."""

    __slots__ = ("children", "error", "facts", "is_tainted", "kind", "notes", "result", "seconds", "source")

    def __init__(self, kind: str, source: str) -> None:
        self.kind = kind  # "string", "item", "variable", "condition", "lookup"
        self.source = source
        self.result: str | bool | None = None
        self.error = ""  # why it failed
        self.is_tainted = False
        self.seconds = 0.0
        self.facts: dict[str, str] = {}  # of a lookup: "type", "file" or "query", "key"; "cached" if it was remembered
        self.notes: list[str] = []  # what lookups, lists and the like said on the way
        self.children: list[Step] = []


class Steps:
    """Collects the steps of an expansion; also what a context's `trace` is meanwhile."""

    def __init__(self) -> None:
        self.root = Step("string", "")
        self._open = [self.root]
        self._count = 0
        self.is_full = False  # there were more steps than are kept

    def run(self, step: Step, function: Callable[[], Any]) -> Any:
        """Do the step. Raises what it raises."""
        self._count += 1
        if self._count > MOST_STEPS:
            self.is_full = True
            return function()
        self._open[-1].children.append(step)
        self._open.append(step)
        begun = time.perf_counter()
        try:
            result = step.result = function()
        except (ExpandError, Defer) as error:
            step.error = _reason(error)
            raise
        finally:
            step.seconds = time.perf_counter() - begun
            self._open.pop()
        step.is_tainted = result.__class__ is Tainted
        return result

    def note(self, text: str) -> None:
        """Something that the present step did."""
        step = self._open[-1]
        if len(step.notes) < MOST_STEPS:
            step.notes.append(text)

    def expand(self, text: str) -> None:
        """Whole strings and conditions: they are steps themselves."""

    def __getattr__(self, category: str) -> Callable[[str], None]:
        """Whatever else is traced (lookups, lists, ACLs, ...) is noted."""
        if category.startswith("__"):
            raise AttributeError(category)
        return self.note


@final
class TracedNode(Node):
    """A node whose evaluation is a step."""

    __slots__ = ("node", "source", "steps")

    def __init__(self, node: Node, source: str, steps: Steps) -> None:
        self.node = node
        self.source = source
        self.steps = steps

    def evaluate(self, context: Context) -> str:
        kind = "variable" if not self.source.startswith("${") or self.source[2:-1].isidentifier() else "item"
        return self.steps.run(Step(kind, self.source), lambda: self.node.evaluate(context))  # type: ignore[no-any-return]


@final
class TracedCondition(Condition):
    """A condition whose test is a step; what it caught is noted."""

    __slots__ = ("condition", "source", "steps")

    def __init__(self, condition: Condition, source: str, steps: Steps) -> None:
        self.condition = condition
        self.source = source
        self.steps = steps

    def holds(self, context: Context) -> bool:
        step = Step("condition", self.source)
        captures, value = context.captures, context.lookup_value
        holds = self.steps.run(step, lambda: self.condition.holds(context))
        if any(child.kind == "condition" for child in step.children):
            return bool(holds)  # what it caught is told where it was caught
        if holds and context.captures is not captures:
            step.notes += [f"${number} = {text!r}" for number, text in enumerate(context.captures)]
        if holds and context.lookup_value is not value and context.lookup_value:
            step.notes.append(f"$value = {str(context.lookup_value)!r}")
        return bool(holds)


@final
class TracedSpec:
    """A lookup that is a step; stands in for its LookupSpec."""

    __slots__ = ("spec", "steps")

    def __init__(self, spec: LookupSpec, steps: Steps) -> None:
        self.spec = spec
        self.steps = steps

    def find(self, context: Context, source: str, key: str | None) -> str | None:
        """As LookupSpec.find."""
        kind = self.spec.lookup.name
        if key is None:
            step = Step("lookup", f"{kind} {source}")
            step.facts = {"type": kind, "query": source}
        else:
            step = Step("lookup", f"{kind} of {key!s} in {source}")
            step.facts = {"type": kind, "file": source, "key": key}
        found: str | None = self.steps.run(step, lambda: self.spec.find(context, source, key))
        if not step.notes and source.strip() and key != "":
            step.facts["cached"] = "yes"  # what is really looked up is noted
        return found


class TracingParser(Parser):
    """Wraps what the parser makes."""

    __slots__ = ("steps",)

    shares = False

    def __init__(self, text: str, steps: Steps) -> None:
        super().__init__(text)
        self.steps = steps

    def _reference(self, found: re.Match[str]) -> Node:
        node = super()._reference(found)
        if isinstance(node, Lookup):
            node.spec = TracedSpec(node.spec, self.steps)  # type: ignore[assignment]
        elif isinstance(node, Run):
            for word in node.words or ():
                if word.constant is None:
                    word.root = TracingParser(word.source, self.steps).whole()
        return TracedNode(node, self.text[found.end(1) : self.at], self.steps)

    def on_condition(self, condition: Condition, start: int) -> Condition:
        """A condition has been read; exclamation marks before it belong to it."""
        if isinstance(condition, Not):
            while self.text[start - 1] in "! \t\n":
                start -= 1
        return TracedCondition(condition, self.text[start : self.at].strip(), self.steps)


def expand_with_steps(text: str, context: Context) -> tuple[Steps, list[ConfigError]]:
    """Expand a string; gives the steps, of which the root has result or error, and the faults of the string."""
    from eximious.expand.template import Template, compile

    steps = Steps()
    root = steps.root
    root.source = text
    template = Template(text, TracingParser(text, steps).whole(), [])
    context.trace = steps
    begun = time.perf_counter()
    try:
        root.result = template.expand(context)
        root.is_tainted = root.result.__class__ is Tainted
    except (ExpandError, Defer) as error:
        root.error = ("forced failure: " if isinstance(error, ForcedFail) else "") + _reason(error)
    finally:
        root.seconds = time.perf_counter() - begun
        context.trace = None
    return steps, compile(text).faults


def _reason(error: Exception) -> str:
    """Why it failed, never empty; for text that was refused because of its taint, what the log is told."""
    return error.why if isinstance(error, TaintRefused) else str(error) or NO_REASON
