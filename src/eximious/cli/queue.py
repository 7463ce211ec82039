"""``eximious queue``: the queue, as a person wants to see it; ``--json`` for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from eximious.cli.common import console, invocation, readable, require_admin
from eximious.exim import show as columns
from eximious.spool.errors import SpoolError

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation
    from eximious.spool.message import Message


@click.group("queue", invoke_without_command=True)
@click.option("-C", "config_file", default="", metavar="FILE", help="Use this configuration.")
@click.option("-D", "macros", multiple=True, metavar="NAME[=TEXT]", help="Set a macro of the configuration.")
@click.option("--name", default="", metavar="NAME", help="A named queue; the default queue otherwise.")
@click.pass_context
def command(context: click.Context, config_file: str, macros: tuple[str, ...], name: str) -> None:
    """Look at the queue and change it. Without a command, list it."""
    context.obj = (config_file, macros, name)
    if context.invoked_subcommand is None:
        context.invoke(list_queue)


def _open(context: click.Context) -> tuple[Invocation, str]:
    """The call, as an administrator, with everything in spool files; and the name of the queue."""
    from eximious.daemon import control

    config_file, macros, name = context.obj
    call = invocation(config_file, macros)
    require_admin(call)
    control.spill(call.services)
    call.line.queue_name = name
    return call, name


@command.command("list")
@click.option("--frozen", is_flag=True, help="Only frozen messages.")
@click.option("--to", "recipient", default="", metavar="TEXT", help="Only with such a recipient.")
@click.option("--from", "sender", default="", metavar="TEXT", help="Only from such a sender.")
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON, one object a message.")
@click.pass_context
def list_queue(
    context: click.Context, frozen: bool = False, recipient: str = "", sender: str = "", as_json: bool = False
) -> None:
    """List the messages that wait."""
    call, name = _open(context)
    chosen = [
        message
        for message in _messages(call, name)
        if (not frozen or message.is_frozen)
        and sender.lower() in message.sender.lower()
        and (not recipient or any(recipient.lower() in each.address.lower() for each in message.recipients))
    ]
    if as_json:
        for message in chosen:
            click.echo(json.dumps(_facts(call, message), ensure_ascii=False))
        return
    _print_table(call, chosen)


def _messages(call: Invocation, name: str) -> list[Message]:
    found = []
    for message_id in call.services.spool.list_ids(name):
        try:
            message = call.services.spool.read(message_id, name)
        except SpoolError as error:
            click.echo(f"{message_id}: {error}", err=True)
            continue
        if message is not None:
            found.append(message)
    return found


def _facts(call: Invocation, message: Message) -> dict[str, Any]:
    """A message for programs."""
    return {
        "id": message.id,
        "queue": message.queue_name,
        "sender": readable(message.sender),
        "size": _size(call, message),
        "received_at": message.received_at,
        "frozen": message.is_frozen,
        "recipients": [
            {"address": readable(each.address), "delivered": each.address in message.nonrecipients}
            for each in message.recipients
        ],
    }


def _size(call: Invocation, message: Message) -> int:
    from eximious.exim.mailq import size

    return size(call.services.spool, message)


def _print_table(call: Invocation, messages: list[Message]) -> None:
    from rich.table import Table
    from rich.text import Text

    if not messages:
        click.echo("The queue is empty.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Id", "Age", "Size", "From", "To"):
        table.add_column(title, overflow="fold")
    now = call.services.now()
    for message in messages:
        left = [readable(each.address) for each in message.recipients if each.address not in message.nonrecipients]
        done = len(message.recipients) - len(left)
        to = Text(", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else ""))
        to.append(f" ({done} done)" if done else "", "green")
        to.append(" frozen" if message.is_frozen else "", "bold blue")
        age, size = columns.age(now - message.received_at).strip(), columns.size(_size(call, message)).strip()
        table.add_row(message.id, age, size, readable(message.sender) or "<>", to)
    screen = console()
    screen.print(table)
    screen.print(f"{len(messages)} message{'s' if len(messages) != 1 else ''}")


@command.command("show")
@click.argument("message_id")
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON.")
@click.pass_context
def show_message(context: click.Context, message_id: str, as_json: bool) -> None:
    """One message: envelope, headers, and what became of it so far."""
    call, name = _open(context)
    try:
        message = call.services.spool.read(message_id, name)
        log = call.services.spool.logs.read(message_id, name) or ""
    except SpoolError as error:
        raise click.ClickException(f"{message_id}: {error}") from error
    if message is None:
        raise click.ClickException(f"there is no message {message_id}")
    headers = [readable(header.text) for header in message.headers if header.kind != "*"]
    if as_json:
        facts = _facts(call, message) | {"headers": headers, "log": readable(log).splitlines()}
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    _print_table(call, [message])
    for title, text in (("Headers", "".join(headers)), ("So far", readable(log))):
        click.secho(f"\n{title}", bold=True)
        click.echo(text.rstrip("\n"))


def _action(name: str, function: str, help_text: str) -> None:
    """Declare a subcommand that does to messages what a function of `eximious.exim.change_messages` does."""

    @command.command(name, help=help_text, short_help=help_text)
    @click.argument("message_ids", nargs=-1, required=True, metavar="ID...")
    @click.pass_context
    def act(context: click.Context, message_ids: tuple[str, ...]) -> None:
        from eximious.exim import change_messages

        call, _ = _open(context)
        change: Callable[[Invocation, str], bool] = getattr(change_messages, function)
        done = [change(call, message_id) for message_id in message_ids]
        sys.exit(0 if all(done) else 1)


_action("freeze", "freeze", "Try no delivery until the message is thawed.")
_action("thaw", "thaw", "Let deliveries be tried again.")
_action("remove", "remove", "Forget the message; nobody is told.")


@command.command("run")
@click.argument("message_ids", nargs=-1, metavar="[ID...]")
@click.option("--force", is_flag=True, help="Try whatever the retry times say.")
@click.option("--frozen", is_flag=True, help="Try frozen messages, too.")
@click.pass_context
def run_queue(context: click.Context, message_ids: tuple[str, ...], force: bool, frozen: bool) -> None:
    """Try to deliver: the whole queue, or these messages now."""
    from eximious.exim.main import leave, main

    config_file, macros, name = context.obj
    words = ["exim", *(["-C", config_file] if config_file else []), *(f"-D{macro}" for macro in macros)]
    if message_ids:
        words += [f"-qG{name}"] if name else []
        leave(main([*words, "-M", *message_ids]))
    flags = "ff" if frozen else "f" * force
    leave(main([*words, f"-q{flags}" + (f"G{name}" if name else "")]))
