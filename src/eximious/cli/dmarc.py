"""``eximious dmarc``: aggregate reports about other domains' mail, sent or looked at, and those that others send us."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any, Final

import click

from eximious.cli.common import configuration_options, console, invocation, require_admin
from eximious.errors import Defer

if TYPE_CHECKING:
    from eximious.deliver.dmarc.aggregate import Made
    from eximious.deliver.dmarc.sending import Result
    from eximious.mailauth.reports.aggregate import Report

EPILOG: Final = """\b
In the configuration:
  dmarc_aggregate_reports
  dmarc_report_sender = DMARC reports <dmarc@example.org>

With that, each message whose sender's domain has a DMARC record with rua= is counted, and a running server sends each
such domain one report a day, in the hours after midnight UTC. A server that is not a daemon runs
`eximious dmarc report` from cron, once an hour.

\b
Try:
  eximious dmarc list                    what has been counted, and what will be sent when?
  eximious dmarc report --dry-run --now  what would be sent at this moment, and to whom?
  eximious dmarc read report.xml.gz      what does a report say that somebody has sent us?
"""
REPORT_EPILOG: Final = """\b
Examples:
  eximious dmarc report                        send what is due, as the daemon does
  eximious dmarc report --now                  send all that has been counted, today's as well
  eximious dmarc report --now --dry-run        only say what would be sent, and to whom
  eximious dmarc report --now --output /tmp/r  write the reports to files, and send nothing
  eximious dmarc report --now --domain example.net --json

A report goes to an address in another domain only if that domain agrees, with a TXT record at
DOMAIN._report._dmarc.OTHER. What has been reported is not reported again; with --dry-run and --output it stays.
"""
WORDS: Final = {"sent": "sent to", "made": "would go to", "nobody": "goes to nobody", "later": "is tried again later"}
COLOURS: Final = {"sent": "green", "made": "cyan", "nobody": "yellow", "later": "yellow"}


@click.group("dmarc", epilog=EPILOG)
def command() -> None:
    """Look at reports about DMARC, and send them."""


@command.command("report", epilog=REPORT_EPILOG)
@configuration_options
@click.option("--now", "is_now", is_flag=True, help="Not only what is due, but all there is, up to this moment.")
@click.option("--domain", default="", metavar="DOMAIN", help="Only about this domain.")
@click.option("--dry-run", is_flag=True, help="Make the reports, and send nothing.")
@click.option(
    "--output", type=click.Path(file_okay=False), metavar="DIR", help="Write the reports to this folder; send nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON, one object a report.")
def report(
    config_file: str,
    macros: tuple[str, ...],
    is_now: bool,
    domain: str,
    dry_run: bool,
    output: str | None,
    as_json: bool,
) -> None:
    """Send the aggregate reports that are due.

    The exit status is 1 if another process is sending reports, or if one could not be sent and will be tried again.
    """
    from eximious.deliver.dmarc import sending

    sends = not dry_run and output is None
    path = os.path.abspath(output) if output is not None else ""
    call = invocation(config_file, macros, delivers=sends)
    require_admin(call)
    folder = _folder(path) if path else None
    wanted = sending.Wanted(is_now=is_now, domain=domain.lower().rstrip("."), sends=sends)
    count = is_late = 0
    try:
        for result in sending.run(call.services, wanted):
            count += 1
            is_late += result.outcome == sending.LATER
            name = _write(folder, result.made) if folder is not None else ""
            click.echo(json.dumps(_facts(result, name), ensure_ascii=False) if as_json else _line(result, name))
    except sending.Busy:
        raise click.ClickException("another process is sending reports") from None
    except Defer as error:
        raise click.ClickException(f"no reports are sent: {error}") from error
    if not count and not as_json:
        click.echo("No report is due." if not is_now else "Nothing has been counted.")
    if is_late:
        raise click.exceptions.Exit(1)


def _folder(path: str) -> int:
    """The folder for the reports, which is made if need be."""
    try:
        os.makedirs(path, exist_ok=True)
        if os.access(path, os.W_OK):
            return os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
    raise click.ClickException(f"{path}: the mail user may not write there")


def _write(folder: int, made: Made) -> str:
    """A report in a file; the name."""
    from eximious.mailauth.reports.aggregate import packed

    name = made.report.file_name(made.receiver)
    with open(
        name, "wb", opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW, 0o644, dir_fd=folder)
    ) as file:
        file.write(packed(made.report))
    return name


def _line(result: Result, path: str) -> str:
    """A report for people."""
    found = result.made.report
    what = f"{found.published.domain}: {_count(result.made.messages, 'message')} from {_moment(found.begin)} UTC"
    word = click.style(WORDS[result.outcome], fg=COLOURS[result.outcome])
    text = f"{what}, {word} {', '.join(result.recipients)}".rstrip()
    if path:
        text += f"\n    written to {path}"
    return "".join([text, *(f"\n    {note}" for note in result.notes)])


def _facts(result: Result, path: str) -> dict[str, Any]:
    """A report for programs."""
    found = result.made.report
    facts: dict[str, Any] = {
        "domain": found.published.domain,
        "report_id": found.report_id,
        "begin": found.begin,
        "end": found.end,
        "messages": result.made.messages,
        "records": len(found.rows),
        "outcome": result.outcome,
        "recipients": result.recipients,
        "notes": result.notes,
    }
    return facts | {"file": path} if path else facts


@command.command("list")
@configuration_options
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON, one object a domain and day.")
def list_gathered(config_file: str, macros: tuple[str, ...], as_json: bool) -> None:
    """Show what has been counted and not been reported yet."""
    from rich.table import Table

    from eximious.deliver.dmarc import gathered, sending

    call = invocation(config_file, macros)
    require_admin(call)
    main, hints = call.config.main, call.services.hints
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Domain", "Since", "Messages", "Failed", "Report"):
        table.add_column(title, overflow="fold", justify="right" if title in ("Messages", "Failed") else "left")
    for one in gathered.domains(hints):
        found = list(gathered.rows(hints, one))
        failed = sum(count for _, count, row in found if "pass" not in (row.dkim, row.spf))
        messages = sum(count for _, count, _ in found) + one.head.omitted
        if not messages:
            continue
        due = sending.due_at(one, main.dmarc_report_spread, main.primary_hostname)
        if as_json:
            facts = {"domain": one.domain, "begin": one.head.begin, "messages": messages, "failed": failed, "due": due}
            click.echo(json.dumps(facts | {"policy": one.head.policy}))
        table.add_row(one.domain, _moment(one.head.begin), str(messages), str(failed), _moment(due))
    if as_json:
        return
    if not table.row_count:
        hint = "" if main.dmarc_aggregate_reports else "; dmarc_aggregate_reports is not set"
        click.echo(f"Nothing has been counted{hint}.")
        return
    console().print(table)


@command.command("read")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False), metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON, one object a report.")
def read(files: tuple[str, ...], as_json: bool) -> None:
    """Show what aggregate reports say that others have sent: XML, compressed or not, or the whole mail.

    The exit status is 1 if one of the files is no report.
    """
    import dataclasses

    from eximious.mailauth.reports import aggregate

    is_bad = False
    for path in files:
        with open(path, "rb") as file:
            data = file.read(aggregate.SIZE_LIMIT + 1)
        try:
            found = aggregate.from_mail(data)
        except aggregate.ReportFault as fault:
            click.echo(f"{path}: {fault}", err=True)
            is_bad = True
            continue
        if as_json:
            click.echo(json.dumps(dataclasses.asdict(found), ensure_ascii=False))
        else:
            _show(found)
    if is_bad:
        raise click.exceptions.Exit(1)


def _show(found: Report) -> None:
    """A report as a table."""
    from rich.table import Table
    from rich.text import Text

    screen = console()
    policy = found.published
    screen.print(Text(f"{found.organization} about {policy.domain}", "bold"))
    screen.print(
        Text(f"{_moment(found.begin)} to {_moment(found.end)} UTC, policy {policy.policy}, id {found.report_id}")
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Source", "Messages", "From:", "DKIM", "SPF", "Done", "Why"):
        table.add_column(title, overflow="fold", justify="right" if title == "Messages" else "left")
    for row in found.rows:
        dkim, spf = (Text(word, "green" if word == "pass" else "red") for word in (row.dkim, row.spf))
        why = ", ".join(f"{one.type} {one.comment}".strip() for one in row.reasons)
        cells = (row.source_ip, str(row.count), row.header_from, dkim, spf, row.disposition, why)
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))
    screen.print(table)
    for error in found.errors:
        screen.print(Text(error, "yellow"))


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds))


def _count(number: int, word: str) -> str:
    return f"1 {word}" if number == 1 else f"{number} {word}s"
