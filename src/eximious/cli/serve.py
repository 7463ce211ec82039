"""``eximious serve``: the server in the foreground, as ``exim -bdf``."""

from __future__ import annotations

import os
import sys

import click


@click.command("serve")
@click.option("-C", "config_file", default="", metavar="FILE", help="Use this configuration.")
@click.option("-D", "macros", multiple=True, metavar="NAME[=TEXT]", help="Set a macro of the configuration.")
@click.option("-q", "--queue", "interval", default="", metavar="TIME", help="Run the queue that often: 15m, 1h, ...")
@click.option("--listen", default="", metavar="LIST", help="Listen there instead: '25 : 587', '127.0.0.1.2525'.")
@click.option("--check/--no-check", default=True, help="Check the whole configuration first (default: yes).")
@click.option("-v", "--verbose", is_flag=True, help="Show log lines here, too.")
def command(config_file: str, macros: tuple[str, ...], interval: str, listen: str, check: bool, verbose: bool) -> None:
    """Run the server in the foreground.

    Everything that is wrong with the configuration is said before the server starts. SIGHUP makes it read the
    configuration again without dropping a connection; SIGTERM or ctrl-C stops it.
    """
    from eximious.exim.main import leave, main

    if check:
        _check(config_file, macros)
    words = ["exim", "-bdf"]
    words += ["-C", config_file] if config_file else []
    words += [f"-D{macro}" for macro in macros]
    words += [f"-q{interval}"] if interval else []
    words += ["-oX", listen] if listen else []
    words += ["-v"] if verbose else []
    click.echo("The server runs until it is stopped with ctrl-C.", err=True)
    leave(main(words))


def _check(config_file: str, macros: tuple[str, ...]) -> None:
    from eximious.cli.check import default_file
    from eximious.cli.checks.everything import check
    from eximious.config.errors import with_caret

    path = config_file or default_file()
    given = {name: text for name, _, text in (macro.partition("=") for macro in macros)}
    findings = check(os.path.abspath(path), given)
    for found in (*findings.errors, *findings.warnings):
        click.echo(with_caret(found), err=True)
    if findings.errors:
        click.echo(f"{path}: the server does not start with this configuration", err=True)
        sys.exit(1)
