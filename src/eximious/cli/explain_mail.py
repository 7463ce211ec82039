"""``eximious explain mail``: why a message is authentic or not, and what would mend it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from eximious.cli.common import configuration_options
from eximious.daemon import privilege
from eximious.errors import ConfigError
from eximious.exim import start
from eximious.exim.command_line import CommandLine, CommandLineError

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.mailauth.explain import Explanation
    from eximious.mailauth.resolver import Resolver

COLOURS: Final = {"pass": "green", "none": "dim", "neutral": "yellow", "softfail": "yellow", "policy": "yellow"}


@click.command("mail")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE")
@click.option("--ip", default="", metavar="ADDRESS", help="IP address of the client.")
@click.option("--helo", default="", metavar="NAME", help="Name that the client gave.")
@click.option("--from", "--sender", "sender", metavar="ADDRESS", help="Envelope sender; empty for the null sender.")
@click.option(
    "--dns",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Answer from the records in this file, and from nowhere else.",
)
@click.option(
    "--dmarc-mode",
    type=click.Choice(["rfc7489", "rfc9989"]),
    help="DMARC with the public suffix list, or with a walk up the DNS tree. Usually as the configuration says.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the findings as JSON.")
@configuration_options
def mail(
    file: str,
    ip: str,
    helo: str,
    sender: str | None,
    dns: str | None,
    dmarc_mode: str | None,
    as_json: bool,
    config_file: str,
    macros: tuple[str, ...],
) -> None:
    """Check the message in FILE and say why each check came out as it did, and what would mend it.

    Who sent it is taken from the topmost Received and Return-Path fields if it is not given; - reads the standard
    input. The exit status is 0 if DMARC passes or no domain asks for it, 1 if it fails, 2 for wrong arguments, and 75
    if it cannot be told since a DNS server failed.
    """
    import asyncio

    from eximious.mailauth.explain import explain

    with click.open_file(file, "rb") as opened:
        message = opened.read()
    records = _records(dns)
    config = _configuration(config_file, macros)
    resolver = records or _resolver(config)
    who = None if sender is None else sender.strip().strip("<>")
    judging = _judging(config, dmarc_mode) | _srs(config)
    try:
        found = asyncio.run(explain(message, resolver, ip=ip, helo=helo, sender=who, **judging))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:  # of a public suffix list
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=2, ensure_ascii=False))
    elif sys.stdout.isatty():
        _print(found)
    else:
        click.echo(str(found))
    sys.exit(found.status)


def _records(dns: str | None) -> Resolver | None:
    """The records of a file, if one is named."""
    if dns is None:
        return None
    from eximious.mailauth import zone

    try:
        return zone.read(Path(dns).read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.UsageError(f"{dns}: {error}") from None


def _configuration(config_file: str, macros: tuple[str, ...]) -> Configuration | None:
    """The configuration, if there is one: a message can be judged without. From here on root is the mail user."""
    line = CommandLine("eximious")
    line.config_files = config_file
    line.macros.update((name.strip(), text.strip()) for name, _, text in (one.partition("=") for one in macros))
    config = None
    try:
        config = start.load_configuration(line)
    except (CommandLineError, ConfigError) as error:
        if config_file:
            raise click.ClickException(f"the configuration cannot be used: {error}") from None
    if privilege.is_root():
        from eximious.config.main import MainOptions

        main = config.main if config is not None else MainOptions()
        privilege.become(main.exim_user, main.exim_group)
    return config


def _resolver(config: Configuration | None) -> Resolver:
    """The server's own."""
    from eximious.dns.resolver import Resolver as ProgramAsker
    from eximious.mailauth.program_resolver import ProgramResolver
    from eximious.services import Services

    return ProgramResolver(ProgramAsker() if config is None else Services(config).dns)


def _judging(config: Configuration | None, dmarc_mode: str | None) -> dict[str, Any]:
    """What the server holds to be good enough: arguments of `explain`."""
    from dataclasses import replace

    from eximious.mailauth.dmarc import Method, SuffixList
    from eximious.receive.dkim import policy_for

    methods = {"rfc7489": Method.SUFFIX_LIST, "rfc9989": Method.TREE_WALK}
    if config is None:
        return {"method": methods[dmarc_mode or "rfc9989"]}
    template = config.main.dmarc_tld_file
    path = template.constant if template is not None else None
    return {
        "method": methods[dmarc_mode or config.main.dmarc_mode],
        "suffix_list": SuffixList(path) if path else None,
        "policy": replace(policy_for(config), checks_times=True),
    }


def _srs(config: Configuration | None) -> dict[str, Any]:
    """Secrets and scheme of the configuration, for rewritten senders: arguments of `explain`."""
    from eximious.routers.srs_scheme import SrsMisconfigured, scheme_for, srs_secrets

    if config is None:
        return {}
    try:
        scheme = scheme_for(config.main, time.time)
    except SrsMisconfigured:
        scheme = None
    return {"srs_secrets": srs_secrets(config.main), "srs_scheme": scheme}


def _print(found: Explanation) -> None:
    """In colour."""
    from rich.console import Console
    from rich.text import Text

    from eximious.mailauth.explain.finding import readable
    from eximious.mailauth.explain.message import METHODS

    console = Console(highlight=False)
    for note in found.envelope.notes:
        console.print(Text(f"({readable(note)})", style="dim"))
    for method in METHODS:
        findings = found.of(method)
        if findings:
            console.print(Text(method, style="bold"))
        for finding in findings:
            styles = {"text": COLOURS.get(finding.result, "red"), "detail": "", "remedy": "cyan"}
            for kind, text in finding.lines:
                console.print(Text(text, style=styles[kind]))
