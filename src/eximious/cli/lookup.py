"""``eximious lookup``: files for lookups."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

import click

from eximious.lookups.build import KINDS, SUFFIXES, Builder, BuildError

LARGE: Final = 4 * 1024 * 1024  # octets of a source whose progress is shown
LINES_PER_STEP: Final = 5_000

BUILD_EPILOG: Final = """\b
Examples:
  eximious lookup build /etc/aliases /etc/eximious/aliases.mdb
  eximious lookup build --type cdb domains /etc/eximious/domains.cdb
  sort virtual | eximious lookup build --nul - /etc/postfix/virtual.lmdb

\b
In the configuration:
  data = ${lookup{$local_part}lmdb{/etc/eximious/aliases.mdb}}
  domainlist relays = partial-lmdb;/etc/eximious/relays.mdb

A line of the source is a key, a colon or white space, and the data; lines that begin with white space continue the
one before, # begins a comment, and keys in double quotes may contain anything. Everything that an lsearch file can
do for lsearch, the result can do for its own type: `partial-` searches want keys such as *.example.org, the
defaults `*` and `*@` keys such as * and *@example.org. Regular expressions and networks are for wildlsearch and
iplsearch, which read text only.

Keys become lower case, because an indexed lookup is exact about letters; Exim gives domains and local parts in
lower case in lists, and elsewhere ${lc:...} does that.

The old file stays in use until the new one is complete and on disk; running servers notice the change by themselves.
"""


@click.group("lookup")
def command() -> None:
    """Make files for lookups."""


@command.command("build", epilog=BUILD_EPILOG)
@click.option(
    "-t", "--type", "kind", type=click.Choice(KINDS), help="What to make; otherwise the name says it (.mdb, .cdb, .db)."
)
@click.option("--keep-case", is_flag=True, help="Leave the keys as they are written.")
@click.option("--nul", "has_nul", is_flag=True, help="End keys and data with a zero octet, for Postfix and lmdb,nul.")
@click.option(
    "--duplicates", type=click.Choice(["first", "last", "error"]), default="first", show_default=True,
    help="Of lines with the same key, which counts.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Say nothing unless it fails.")
@click.argument("source", type=click.Path(dir_okay=False, allow_dash=True))
@click.argument("target", type=click.Path(dir_okay=False))
def build(
    kind: str | None, keep_case: bool, has_nul: bool, duplicates: str, quiet: bool, source: str, target: str
) -> None:
    """Make an indexed file TARGET from the text file SOURCE (- is standard input), which has lsearch's form."""
    kind = kind or SUFFIXES.get(os.path.splitext(target)[1])
    if kind is None:
        raise click.UsageError(f"{target} does not end in {', '.join(SUFFIXES)}: say --type")
    if has_nul and kind != "lmdb":
        raise click.UsageError("--nul is for lmdb; of the others, dbm has zero octets by itself")
    if os.path.realpath(source) == os.path.realpath(target):
        raise click.UsageError("source and target are the same file")
    builder = Builder(kind, keeps_case=keep_case, has_nul=has_nul, duplicates=duplicates)
    try:
        with _opened(source) as file:
            size, mode = (0, None) if source == "-" else _size_and_mode(file)
            builder.build(source, _lines(file, 0 if quiet else size), target, mode)
    except BuildError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or target}: {error.strerror}") from None
    if not quiet:
        click.echo(_summary(builder, target))


def _summary(builder: Builder, target: str) -> str:
    keys = "1 key" if builder.count == 1 else f"{builder.count:,} keys"
    text = f"{target}: {keys}"
    if builder.duplicate_count:
        lines = "1 line" if builder.duplicate_count == 1 else f"{builder.duplicate_count:,} lines"
        text += f"; {lines} with a key that was there before, of which the {builder.duplicates} counts"
    return text


def _opened(source: str) -> BinaryIO:
    return sys.stdin.buffer if source == "-" else open(source, "rb")


def _size_and_mode(file: BinaryIO) -> tuple[int, int | None]:
    """The size of a source, and the permissions that a file made from it may have."""
    status = os.fstat(file.fileno())
    return status.st_size, stat.S_IMODE(status.st_mode) & 0o666 if stat.S_ISREG(status.st_mode) else None


def _lines(file: BinaryIO, size: int) -> Iterator[str]:
    """The lines of a file; of a large one, somebody who looks at a terminal sees how far they are read."""
    if size < LARGE or not sys.stderr.isatty():
        for line in file:
            yield line.decode("latin-1").removesuffix("\n")
        return
    with click.progressbar(length=size, file=sys.stderr, label="Reading") as progress:
        done = 0
        for count, line in enumerate(file):
            yield line.decode("latin-1").removesuffix("\n")
            done += len(line)
            if count % LINES_PER_STEP == 0:
                progress.update(done)
                done = 0
        progress.update(done)
