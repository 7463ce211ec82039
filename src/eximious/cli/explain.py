"""``eximious explain``: how the program comes to its results, step by step."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from eximious.cli.common import configuration_options, invocation
from eximious.cli.explain_mail import mail
from eximious.cli.moment import Moment
from eximious.cli.secrets import hider
from eximious.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.text import Text
    from rich.tree import Tree

    from eximious.expand.traced import Step

INDENT = 4  # columns for a level of the tree
LEAST_WIDTH = 60  # columns for a step
LONGEST_SHOWN = 200  # characters of one value; --json has all of it


@click.group("explain")
def command() -> None:
    """Show how a result comes about."""


command.add_command(mail)


@command.command("expand")
@click.argument("string")
@configuration_options
@click.option(
    "--message",
    type=click.Path(dir_okay=False, exists=True, allow_dash=True),
    metavar="FILE",
    help="A message, for $h_... and the like; - for standard input.",
)
@click.option("--sender", metavar="ADDRESS", help="Envelope sender.")
@click.option("--recipient", metavar="ADDRESS", help="Recipient, for $local_part, $domain and the like.")
@click.option("--client-ip", metavar="ADDRESS", help="IP address of the client.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Give a variable a value.")
@click.option("--json", "as_json", is_flag=True, help="Write the steps as JSON.")
def expand(
    string: str,
    config_file: str,
    macros: tuple[str, ...],
    message: str | None,
    sender: str | None,
    recipient: str | None,
    client_ip: str | None,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Expand STRING and show each step: what was looked up where, what matched, what it gave, and how long it took.

    Nothing is logged and no mail is sent, but lookups and commands in the string are really made. The exit status is 1
    if the expansion fails.
    """
    from eximious.exim.test_logs import show_logs
    from eximious.expand.traced import expand_with_steps

    moment = Moment(sender, recipient, client_ip, settings)
    descriptor = None if message is None else _open(message)
    call = invocation(config_file, macros)
    show_logs(call, names_them=True)
    context = call.context()
    moment.enter(context, descriptor)
    steps, faults = expand_with_steps(octets(string), context)
    root = steps.root
    _hide_secrets(root, hider(call.config))
    if as_json:
        click.echo(json.dumps(_as_json(root) | {"complete": not steps.is_full}, indent=2, ensure_ascii=False))
    else:
        _print(root, faults, is_full=steps.is_full)
    sys.exit(1 if root.error else 0)


def _open(path: str) -> int:
    return os.dup(0) if path == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _hide_secrets(step: Step, hide: Callable[[str], str]) -> None:
    """Take out of a step, and those below it, what the configuration hides."""
    step.source, step.error = hide(step.source), hide(step.error)
    if isinstance(step.result, str):
        step.result = hide(step.result)
    step.notes = list(map(hide, step.notes))
    step.facts = {name: hide(value) for name, value in step.facts.items()}
    for child in step.children:
        _hide_secrets(child, hide)


def octets(text: str) -> str:
    """Text of the command line as the program has it, one character an octet."""
    return os.fsencode(text).decode("latin-1")


def characters(text: str) -> str:
    """Octets as a person reads them."""
    return text.encode("latin-1", "replace").decode("utf-8", "replace")


def _print(root: Step, faults: list[ConfigError], *, is_full: bool) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    # A step a line for whatever reads it; in a terminal, room for deep steps, whose lines it folds itself.
    console.width = max(console.width, INDENT * _depth(root) + LEAST_WIDTH) if console.is_terminal else 10_000
    is_one = len(root.children) == 1 and root.children[0].source == root.source
    console.print(_tree(root.children[0] if is_one else root))
    if is_full:
        console.print("(there were more steps than are shown)")
    for fault in faults:
        if fault.hint:
            console.print(f"{_shortened(fault.message)}: {_shortened(fault.hint)}", style="green", markup=False)


def _depth(step: Step) -> int:
    return 1 + max(map(_depth, step.children), default=0)


def _tree(step: Step) -> Tree:
    from rich.tree import Tree

    tree = Tree(_line(step), guide_style="dim")
    for child in step.children:
        tree.children.append(_tree(child))
    # The one note of a lookup that tried one key says nothing new.
    for note in step.notes if step.kind != "lookup" or len(step.notes) > 1 else ():
        tree.add(_note(note))
    return tree


def _note(note: str) -> Text:
    from rich.text import Text

    return Text(_shortened(note), style="dim")


def _line(step: Step) -> Text:
    """A step in one line: its text, its result, its time."""
    from rich.text import Text

    line = Text(_shortened(step.source), style="bold" if step.kind == "string" else "")
    line.append("  ")
    if step.error:
        is_below = any(step.error == child.error for child in step.children)
        line.append("failed" if is_below else "failed: " + _shortened(step.error), style="red")
    elif step.kind == "condition":
        line.append("true" if step.result else "false", style="green" if step.result else "yellow")
    elif step.result is None:
        line.append("found nothing", style="yellow")
    else:
        line.append("→ ", style="dim").append(f'"{_shortened(str(step.result))}"', style="cyan")
    if step.is_tainted:
        line.append(" (tainted)", style="magenta")
    if "cached" in step.facts:
        line.append(" (remembered)", style="blue")
    return line.append(f"  {duration(step.seconds)}", style="dim")


def duration(seconds: float) -> str:
    """A time as it is read easily."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _shortened(text: str) -> str:
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in characters(text))
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}… ({len(text)} octets)"


def _as_json(step: Step) -> dict[str, Any]:
    result = characters(step.result) if isinstance(step.result, str) else step.result
    made: dict[str, Any] = {"kind": step.kind, "text": characters(step.source), "result": result}
    if step.error:
        made["error"] = characters(step.error)
    if step.is_tainted:
        made["tainted"] = True
    made |= {name: characters(value) for name, value in step.facts.items()}
    if step.notes:
        made["notes"] = list(map(characters, step.notes))
    made["seconds"] = round(step.seconds, 9)
    made["steps"] = list(map(_as_json, step.children))
    return made
