"""``exim -bV``: the version, what is built in, and whether the configuration can be read."""

from __future__ import annotations

import sys

import eximious
from eximious.config.configuration import Configuration
from eximious.errors import OldName
from eximious.exim import features
from eximious.exim.command_line import EXIT_SUCCESS
from eximious.exim.invocation import Invocation


def print_version() -> None:
    """All that does not need a configuration; this comes first, so that it is seen even with a faulty one."""
    lines = [
        f"Exim version {eximious.EXIM_VERSION} (Eximious {eximious.__version__})",
        "Eximious is free software under the GNU General Public License, version 2 or later.",
        "Hints DB:",
        " LMDB",
        "Support for: " + " ".join(features.SUPPORT),
        "Lookups (built-in): " + " ".join(features.lookups()),
        "Authenticators (built-in): " + " ".join(features.AUTHENTICATORS),
        "Routers (built-in): " + " ".join(features.ROUTERS),
        "Transports (built-in): " + " ".join(features.TRANSPORTS),
        "Fixed never_users: 0",
        "Configure owner: 0:0",
        "Size of off_t: 8",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def run(invocation: Invocation) -> int:
    """What is known once the configuration has been read."""
    from eximious.config import paths

    if not invocation.line.config_files:
        invocation.print("Configuration file search path is " + ":".join(paths.CONFIGURATIONS))
    invocation.print(f"Configuration file is {invocation.config.file}")
    _warn_of_old_names(invocation.config)
    return EXIT_SUCCESS


def _warn_of_old_names(config: Configuration) -> None:
    """On standard error, where they do not disturb whoever reads the version: one line for each name."""
    from eximious.cli.checks.old_names import old_names

    for warning in (*(one for one in config.warnings if isinstance(one, OldName)), *old_names(config)):
        where = "" if warning.place is None else f" in line {warning.place.line} of {warning.place.file}"
        sys.stderr.write(f"Warning: {warning.message}{where}: {warning.hint}\n")
