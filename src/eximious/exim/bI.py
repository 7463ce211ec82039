"""``exim -bI:...``: what this program knows, one item a line, for other programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from eximious.exim.command_line import EXIT_FAILURE, EXIT_SUCCESS

if TYPE_CHECKING:
    from eximious.exim.command_line import CommandLine

HELP = """\
The -bI: flag takes a string indicating which information to provide.
If the string is not recognised, you'll get this help (on stderr).

  exim -bI:help    this information
  exim -bI:dscp    list of known dscp value keywords
  exim -bI:sieve   list of supported sieve extensions
"""


def run(line: CommandLine) -> int:
    """Print what was asked for; needs no configuration."""
    wanted = line.information.lower()
    if wanted == "dscp":
        from eximious.net.dscp import NAMES

        sys.stdout.writelines(f"{name}\n" for name in NAMES)
    elif wanted == "sieve":
        pass  # there is no Sieve, and so it has no extensions
    elif wanted == "help":
        sys.stdout.write(HELP)
    else:
        sys.stderr.write(HELP)
        return EXIT_FAILURE
    return EXIT_SUCCESS
