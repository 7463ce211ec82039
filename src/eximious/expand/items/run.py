"""``${run``: what a command prints, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from eximious.errors import Defer, ExpandError
from eximious.expand.fault import Fault
from eximious.expand.item import syntax
from eximious.expand.nodes import Choice, Node
from eximious.expand.refusal import refuse_tainted
from eximious.expand.words import split_words
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser
    from eximious.expand.template import Template


@final
class Run(Choice):
    """A command, without a shell. ``$runrc`` is its exit status; what it prints is ``$value``."""

    __slots__ = ("text", "whole", "words")

    def __init__(self, text: str, words: list[Template] | None, whole: Node | None, yes: Node | None, no: Node) -> None:
        super().__init__(yes, no)
        self.text = text
        self.words = words  # split first, each word expanded; None with preexpand
        self.whole = whole  # with preexpand: expanded first, then split

    def evaluate(self, context: Context) -> str:
        from eximious.expand.spawn import run_command

        if context.facts.get("forbid_run"):
            raise ExpandError("running a command is not permitted")
        ended = run_command(self._argv(context))
        context.facts["runrc"] = ended.status
        context.lookup_value = ended.output  # stays afterwards, unlike that of other items
        if self.yes is None and ended.status == 0:
            return ended.output
        chosen = self.yes if ended.status == 0 and self.yes is not None else self.no
        return chosen.evaluate(context)

    def _argv(self, context: Context) -> list[str]:
        if self.words is None:
            assert self.whole is not None
            text = self.whole.evaluate(context)
            if text.__class__ is Tainted:
                raise refuse_tainted(context, f"Tainted '{text}' (command for ${{run}} expansion) not permitted")
            argv = split_words(text)
        else:
            argv = [self._word(word, context) for word in self.words]
        if not argv:
            return [""]
        if argv[0].__class__ is Tainted:
            raise refuse_tainted(context, f"Attempt to exec tainted path: '{argv[0]}'")
        return argv

    def _word(self, word: Template, context: Context) -> str:
        try:
            return word.expand(context)
        except (ExpandError, Defer) as error:
            message = f'Expansion of "{word.source}" from command "{self.text}" in ${{run}} expansion failed: {error}'
            raise type(error)(message) from None


@syntax("run")
def parse_run(parser: Parser, name: str) -> Node:
    """``${run{command}{yes}{no}}``; ``${run,preexpand{...}...}`` expands the command before it is split."""
    from eximious.expand.template import compile

    preexpand = _options(parser)
    parser.expect("{", "missing '{' for command arg of run")
    start = parser.at
    try:
        whole = parser.braced()
    except Fault as fault:
        if fault.message == "missing } at end of string":
            raise Fault("missing '}' closing command arg of run", fault.position) from None
        raise
    text = parser.text[start : parser.at - 1]
    yes, no = parser.branches(name)
    if preexpand:
        return Run(text, None, whole, yes, no)
    return Run(text, [compile(word) for word in split_words(text)], None, yes, no)


def _options(parser: Parser) -> bool:
    preexpand = False
    while parser.text[parser.at : parser.at + 1] == ",":
        parser.at += 1
        word = parser.word()
        if word != "preexpand":
            raise Fault(f"bad option '{word}' for run", parser.at)
        preexpand = True
    return preexpand
