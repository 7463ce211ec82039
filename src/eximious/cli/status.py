"""``eximious status``: what a running server is doing."""

from __future__ import annotations

import json

import click

from eximious.cli.common import configuration_options, invocation


@click.command("status")
@configuration_options
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON.")
def command(config_file: str, macros: tuple[str, ...], as_json: bool) -> None:
    """Ask a running server what it is doing. The exit status is 1 if none runs."""
    from eximious.daemon import control

    answer = control.ask(invocation(config_file, macros).config, "status")
    if answer is None:
        raise click.ClickException("no server answers")
    if as_json:
        click.echo(answer)
        return
    facts = json.loads(answer)
    workers = ", ".join(str(worker["pid"]) + (" (ending)" if worker["retired"] else "") for worker in facts["workers"])
    click.echo(f"server {facts['pid']}, configuration {facts['configuration']}")
    click.echo(f"workers: {workers}")
    click.echo(f"connections: {facts['connections']}   queue runs: {facts['queue_runs']}")
