"""``eximious version``."""

from __future__ import annotations

import json
import platform

import click

import eximious
from eximious.exim import features


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON.")
def command(as_json: bool) -> None:
    """Say what this installation is and can do."""
    facts = {
        "version": eximious.__version__,
        "follows_exim": eximious.EXIM_VERSION,
        "python": platform.python_version(),
        "features": features.SUPPORT,
        "lookups": features.lookups(),
        "authenticators": features.AUTHENTICATORS,
        "routers": features.ROUTERS,
        "transports": features.TRANSPORTS,
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(f"Eximious {facts['version']}, follows Exim {facts['follows_exim']}, Python {facts['python']}")
    for name, value in facts.items():
        if not isinstance(value, str):
            click.echo(f"{name + ':':16}{' '.join(value)}")
