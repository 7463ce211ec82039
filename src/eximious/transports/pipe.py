"""The pipe transport: give the message to a command, on its standard input.

(Exim specification, chapter "The pipe transport".)
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from eximious.config.errors import Fault
from eximious.config.option import option
from eximious.transports.appendfile import MAILBOX_PREFIX
from eximious.transports.base import Batch, Transport, transports
from eximious.transports.outcome import Outcome

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.config.values import Octal, Size
    from eximious.context import Context
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

    def check(self, config: Configuration) -> None:
        """Check the options together, and set defaults that depend on others."""
        super().check(config)
        whose = f"{self.name} transport"
        if self.pipe_as_creator and (self.user is not None or self.group is not None):
            raise Fault(f"both pipe_as_creator and an explicit uid/gid are set for the {whose}")
        if self.temp_errors != "*" and not all(item.strip().isdigit() for item in (self.temp_errors or "").split(":")):
            raise Fault(f"temp_errors must be a list of numbers or an asterisk for the {whose}")
        if self.return_output and self.return_fail_output:
            raise Fault(f"both return_output and return_fail_output set for {whose}")
        if self.log_output and (self.log_fail_output or self.log_defer_output):
            which = "log_fail_output" if self.log_fail_output else "log_defer_output"
            raise Fault(f"both log_output and {which} set for the {whose}")
        if self.use_shell and self.restrict_to_path:
            raise Fault(f"both restrict_to_path and use_shell set for {whose}")
        if self.use_shell and self.allow_commands is not None:
            raise Fault(f"both allow_commands and use_shell set for {whose}")
        if self.use_bsmtp:
            self.check_string, self.escape_string = ".", ".."
        else:
            self.set_default("message_prefix", MAILBOX_PREFIX)
            self.set_default("message_suffix", "\\n")

    @cached_property
    def temporary(self) -> frozenset[int] | None:
        """Exit statuses that mean: try again; None for all."""
        if self.temp_errors == "*":
            return None
        return frozenset(int(item) for item in (self.temp_errors or "").split(":"))

    def deliver(self, batch: Batch, context: Context) -> list[Outcome]:
        """Run the command once, for all addresses of the batch."""
        from eximious.transports.piping import Delivery

        outcome = Delivery(self, batch, context).run()
        return [outcome] + [outcome.copy() for _ in batch.addresses[1:]]
