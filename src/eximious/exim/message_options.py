"""The options that act on messages in the queue: ``-M`` and those that begin so.

Exim specification, "Command line options", from -M to -Mvl.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Final

from eximious.exim.command_line import CommandLine, CommandLineError
from eximious.spool.message_id import is_message_id

MANY: Final = "many"  # all arguments are message ids
FIRST: Final = "first"  # the first argument is an id, the others are for the action

ACTIONS: Final = {
    "": MANY,
    "c": MANY,
    "f": MANY,
    "G": MANY,
    "g": MANY,
    "mad": MANY,
    "rm": MANY,
    "t": MANY,
    "vb": MANY,
    "vc": MANY,
    "vh": MANY,
    "vl": MANY,
    "ar": FIRST,
    "es": FIRST,
    "md": FIRST,
    "set": FIRST,
}
# Options by which Exim hands a connection to another process of its own. Here connections stay where they are.
PRIVATE: Final = frozenset(
    ("C", "CA", "CD", "Cd", "CG", "CK", "CL", "CP", "Cp", "CQ", "Cq", "CS", "CT", "Cr", "Cs", "Ct")
)


def message_option(line: CommandLine, word: str, following: deque[str]) -> int:
    """Read one such option; gives the number of following words that belong to it (all, except for ``-Mset``)."""
    action = word[2:]
    if action in PRIVATE:
        raise CommandLineError(f"exim: {word} passes a connection between processes of Exim; it has no use here")
    if action not in ACTIONS:
        raise CommandLineError(f"exim abandoned: unknown, malformed, or incomplete option {word}")
    words = list(islice(following, 1) if action == "set" else following)
    if action == "G":
        if not words:
            raise CommandLineError(f"exim: bad item for: {word}")
        line.new_queue, words = words[0], words[1:]
    if not words:
        raise CommandLineError(f"exim: no message ids given after {word} option")
    ids = words if ACTIONS[action] is MANY else words[:1]
    for name in ids:
        if not is_message_id(name):
            raise CommandLineError(f"exim: malformed message id {name} after {word} option")
    if action == "set":
        line.load_message = ids[0]
        return 1
    line.message_action = action or "deliver"
    line.message_ids = ids
    line.arguments = words[len(ids) :]
    return len(following)
