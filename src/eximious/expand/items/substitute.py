"""``${sg`` and ``${tr``: replacing parts of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from eximious.errors import ExpandError
from eximious.expand.item import item, syntax
from eximious.expand.nodes import LONGEST_RESULT, Node
from eximious.expand.regex import captures, compile
from eximious.taint import Tainted, made_of

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser


@final
class Substitute(Node):
    """Every match of a pattern replaced. The replacement is expanded again for each, where it may say ``$1``."""

    __slots__ = ("pattern", "replacement", "subject")

    def __init__(self, subject: Node, pattern: Node, replacement: Node) -> None:
        self.subject = subject
        self.pattern = pattern
        self.replacement = replacement

    def evaluate(self, context: Context) -> str:
        from eximious.expand.template import expand

        subject = self.subject.evaluate(context)
        pattern = compile(self.pattern.evaluate(context))
        replacement = self.replacement.evaluate(context)
        octets = subject.encode("latin-1")
        tainted = subject.__class__ is Tainted
        saved = context.captures
        parts: list[str] = []
        size = 0
        start = search = 0
        try:
            while search <= len(subject) and (spans := pattern.spans(octets, search)) is not None:
                begin, end = spans[0]
                if begin == end and begin < start:
                    search += 1
                    continue
                context.captures = captures(subject, spans)
                new = expand(replacement, context)
                tainted = tainted or new.__class__ is Tainted
                parts += (subject[start:begin], new)
                size += begin - start + len(new)
                if size > LONGEST_RESULT:
                    raise ExpandError("the expanded string is too long")
                start = end
                search = end if end > begin else end + 1
        finally:
            context.captures = saved
        parts.append(subject[start:])
        result = "".join(parts)
        return made_of(result, [subject, *parts[1::2]]) if tainted else result


@syntax("sg")
def parse_sg(parser: Parser, name: str) -> Node:
    """``${sg{text}{regular expression}{replacement}}``."""
    subject, pattern, replacement = parser.arguments(3, 3, name)
    return Substitute(subject, pattern, replacement)


@item("tr", 3)
def tr(text: str, characters: str, replacements: str) -> str:
    """Each of some characters replaced by its counterpart; if those are fewer, the last one counts for the rest."""
    if not replacements:
        return text
    last = replacements[-1]
    table: dict[int, str] = {}
    for index, character in enumerate(characters):
        table[ord(character)] = replacements[index] if index < len(replacements) else last
    return text.translate(table)
