"""The pipe transport: give the message to a command, on its standard input.

(Exim specification, chapter "The pipe transport".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from eximious.config.option import option
from eximious.transports.base import Transport, transports

if TYPE_CHECKING:
    from eximious.config.values import Octal, Size
    from eximious.expand.template import Template
    from eximious.units import Seconds


@transports.register("pipe")
class Pipe(Transport):
    """Give the message to a command, on its standard input."""

    driver_name: ClassVar[str] = "pipe"

    allow_commands: Template | None = option(None, doc="List of commands that may be run.")
    batch_id: Template | None = option(None, doc="Addresses are delivered together only if this is the same for them.")
    batch_max: int = option(1, doc="How many addresses one run may deliver to.")
    check_string: str | None = option(None, doc="What must not stand at the start of a line of the message.")
    command: str | None = option(None, doc="Split into words, and only then expanded: no shell reads it.")
    environment: Template | None = option(None, doc="More environment variables, a list of NAME=value.")
    escape_string: str | None = option(None, doc="What is written in place of check_string.")
    force_command: bool = option(False, doc="Run `command` even if the address names one, in $address_pipe.")
    freeze_exec_fail: bool = option(False, doc="Freeze the message if the command cannot be run.")
    freeze_signal: bool = option(False, doc="Freeze the message if a signal ended the command.")
    ignore_status: bool = option(False, doc="Whatever the exit status, the message is delivered.")
    log_defer_output: bool = option(False, doc="Log the first line of output when the command says: try again.")
    log_fail_output: bool = option(False, doc="Log the first line of output when the command fails.")
    log_output: bool = option(False, doc="Log the first line of output.")
    max_output: Size = option("20K", doc="Stop the command when it writes more than this, in octets.")
    message_prefix: Template | None = option(None, doc="Written before the message.")
    message_suffix: Template | None = option(None, doc="Written after the message.")
    path: Template | None = option("/bin:/usr/bin", doc="PATH for the command, and where it is searched.")
    permit_coredump: bool = option(False, doc="The command may dump core.")
    pipe_as_creator: bool = option(False, doc="Run as the user who was running when the message arrived.")
    restrict_to_path: bool = option(False, doc="Commands have no slash in them and are found in `path`.")
    return_fail_output: bool = option(False, doc="If the command fails, the bounce has its output.")
    return_output: bool = option(False, doc="A command that writes anything has failed, and the bounce has its output.")
    temp_errors: str | None = option("75:73", doc="Exit statuses that mean: try again; ``*`` for all.")
    timeout: Seconds = option("1h", doc="Kill the command after this long; 0 waits for ever.")
    timeout_defer: bool = option(False, doc="A timeout means: try again.")
    umask: Octal = option("022", doc="umask for the command.")
    use_bsmtp: bool = option(False, doc="Write batch SMTP.")
    use_classresources: bool = option(
        False, doc="Set the resource limits of the user's login class.", later="setclassresources()"
    )
    use_crlf: bool = option(False, doc="End lines with CRLF.")
    use_shell: bool = option(False, doc="Expand the command as a whole and have /bin/sh run it.")
