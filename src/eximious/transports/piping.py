"""One delivery by the pipe transport: which command, with what, and what its end means.

(Exim specification, chapter "The pipe transport".)
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, Final

from eximious.config.lists import split
from eximious.taint import is_tainted
from eximious.transports.argv import BadCommand, TaintedArgument, expanded, expanded_by_user
from eximious.transports.base import expand
from eximious.transports.content import HeaderChangeFailed, bsmtp_envelope
from eximious.transports.expanding import expand_as_user
from eximious.transports.filtering import FilterTimeout, message_content
from eximious.transports.job import COMMAND, Content, Ended, Job
from eximious.transports.outcome import (
    DELIVERED,
    FILTER_FAILED,
    FREEZE,
    HEADER_CHANGE_FAILED,
    Outcome,
    Unable,
    deferred,
    delivered,
    failed,
    panicked,
)
from eximious.transports.transform import Transform

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context
    from eximious.errors import ExpandError
    from eximious.transports.base import Batch
    from eximious.transports.pipe import Pipe

EXEC_FAILED: Final = 127
# What exit statuses usually mean (sysexits.h), in Exim's words.
MEANINGS: Final = {
    64: "usage or syntax error",
    65: "error in input data",
    66: "input data missing",
    67: "user nonexistent",
    68: "host nonexistent",
    69: "service or program unavailable",
    70: "internal software error",
    71: "internal operating system error",
    72: "system file missing",
    73: "can't create output file",
    74: "input/output error",
    75: "temporary error",
    76: "protocol error",
    77: "permission denied",
    78: "configuration error",
    127: "unable to exec or command does not exist",
}
# For the bounce: no details of what happens on this host.
HIDDEN: Final = "local delivery failed"
TOO_MUCH: Final = b"\n\n*** Too much output - remainder discarded ***\n"


class Delivery:
    """Giving one message to one command."""

    def __init__(self, transport: Pipe, batch: Batch, context: Context) -> None:
        self.transport = transport
        self.batch = batch
        self.context = context
        self.what = f"{transport.name} transport"
        self.command_text = ""  # as it was given

    def run(self) -> Outcome:
        """Do it. Raises Unable."""
        argv = self._command()
        environment = self._environment()
        content = self._content()
        arguments = {
            "argv": argv,
            "environment": environment,
            "timeout": self.transport.timeout,
            "max_output": self.transport.max_output,
            "permit_coredump": self.transport.permit_coredump,
        }
        try:
            ended = self._run_job(arguments, content)
        finally:
            if content.descriptor is not None:
                os.close(content.descriptor)
        if ended.status != DELIVERED:
            return deferred(ended.message, ended.errno)
        outcome = judge(self.transport, argv, self.command_text, ended.values)
        _handle_output(self.transport, outcome, ended.values, has_sender=bool(self.context.message.sender))
        outcome.size = len(content.head) + len(content.body) + len(content.tail)
        return outcome

    def _run_job(self, arguments: dict[str, Any], content: Content) -> Ended:
        assert self.batch.identity is not None
        job = Job(COMMAND, self.batch.identity, arguments, content)
        job.directory = self.batch.directory
        job.umask = self.transport.umask
        ended: Ended = self.context.services.local.run(job)
        return ended

    # --- the command ------------------------------------------------------------------------------------------------

    def _command(self) -> list[str]:
        transport, address = self.transport, self.batch.addresses[0]
        is_given = "pipe" in address.flags and not (transport.force_command and transport.command)
        # What a redirection names is expanded only if it comes from a filter.
        is_expanded = not is_given or address.expand_again
        text = address.redirected_file.removeprefix("|").strip() if is_given else (transport.command or "")
        self.command_text = text
        if not text:
            raise Unable(deferred(f"no command specified for {self.what}", 0))
        if is_given and is_tainted(address.redirected_file):
            raise Unable(panicked(f"Tainted '{text}' (command for {self.what}) not permitted", 0))
        try:
            if transport.use_shell:
                return self._shell_command(text, is_expanded, is_given)
            if is_given and address.expand_again:
                argv = expanded_by_user(text, self.batch.addresses, self.what, self._expand_as_user)
            else:
                argv = expanded(
                    text,
                    self.context,
                    self.batch.addresses,
                    self.what,
                    expand=is_expanded,
                    expander=self._expand_as_user,
                )
        except TaintedArgument as error:
            raise Unable(failed(str(error), 0)) from error
        except BadCommand as error:
            raise Unable(panicked(str(error), 0)) from error
        argv[0] = self._permitted(argv[0])
        return argv

    def _expand_as_user(self, texts: list[str]) -> list[str | ExpandError]:
        """What a user's filter has written is expanded with the user's rights, not with ours."""
        identity = self.batch.identity
        assert identity is not None
        return expand_as_user(texts, self.context, identity, self.batch.addresses[0])

    def _shell_command(self, text: str, is_expanded: bool, is_given: bool) -> list[str]:
        from eximious.transports.argv import expanded_text

        if is_expanded:
            expander = self._expand_as_user if is_given else None
            text = expanded_text(text, self.context, self.batch.addresses, self.what, expander)
        return ["/bin/sh", "-c", text]

    def _permitted(self, name: str) -> str:
        """The path of the command. Raises Unable if it may not be run, or is not found."""
        transport = self.transport
        if transport.allow_commands is not None:
            if name in split(expand(transport, "allow_commands", self.context)):
                return self._found(name)
            if not transport.restrict_to_path:
                raise Unable(failed(f'"{name}" command not permitted by {self.what}', 0))
        if transport.restrict_to_path and "/" in name:
            text = f'"/" found in "{name}" (command for {self.what}) - failed for security reasons'
            raise Unable(failed(text, 0))
        return self._found(name)

    def _found(self, name: str) -> str:
        if name.startswith("/"):
            return name
        for directory in expand(self.transport, "path", self.context).split(":"):
            path = f"{directory}/{name}"
            if directory and os.path.exists(path.encode("latin-1")):
                return path
        raise Unable(failed(f'"{name}" command not found for {self.what}', 0))

    # --- what it gets -----------------------------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        """The variables that the specification lists, and those of the option. Raises Unable."""
        context, address = self.context, self.batch.addresses[0]
        seen = context.address
        main = context.config.main
        # After a redirection, the address that was redirected is what the command is told about.
        local_part = seen.local_part
        environment = {
            "LOCAL_PART": local_part,
            "LOGNAME": local_part,
            "USER": local_part,
            "LOCAL_PART_PREFIX": seen.local_part_prefix,
            "LOCAL_PART_SUFFIX": seen.local_part_suffix,
            "DOMAIN": seen.domain,
            "HOME": self.batch.home,
            "MESSAGE_ID": context.message.id,
            "PATH": expand(self.transport, "path", context),
            "RECIPIENT": _whole(address.top) if "pipe" in address.flags else f"{local_part}@{seen.domain}",
            "QUALIFY_DOMAIN": main.qualify_domain,
            "SENDER": context.message.sender,
            "SHELL": "/bin/sh",
        }
        if address.host_list:
            environment["HOST"] = address.host_list[0].name
        if main.timezone:
            environment["TZ"] = main.timezone
        for item in split(expand(self.transport, "environment", context)):
            name, _, value = item.partition("=")
            environment[name] = value
        return {name: value.replace("\0", "") for name, value in environment.items()}

    def _content(self) -> Content:
        transport = self.transport
        end = "\r\n" if transport.use_crlf else "\n"
        has_both = transport.check_string is not None and transport.escape_string is not None
        transform = Transform(
            (transport.check_string or "").encode("latin-1") if has_both else b"",
            (transport.escape_string or "").encode("latin-1") if has_both else b"",
            transport.use_crlf,
        )
        try:
            content = message_content(transport, self.batch, self.context, transform)
        except HeaderChangeFailed as error:
            text = str(error).replace("failed to expand headers_add", "Failed to expand headers_add or headers_remove")
            text = text.replace("failed to expand headers_remove", "Failed to expand headers_add or headers_remove")
            raise Unable(panicked(text, HEADER_CHANGE_FAILED)) from error
        except FilterTimeout as error:
            outcome = (deferred if transport.timeout_defer else failed)(
                "transport filter timeout while writing to pipe", 0
            )
            outcome.user_message = "" if transport.timeout_defer else HIDDEN
            raise Unable(outcome) from error
        except Unable as error:
            if error.outcome.errno == FILTER_FAILED:
                error.outcome.message = error.outcome.message.replace("transport filter", "Transport filter", 1)
            raise
        prefix = expand(transport, "message_prefix", self.context).encode("latin-1", "replace")
        suffix = expand(transport, "message_suffix", self.context).encode("latin-1", "replace")
        if transport.use_bsmtp:
            prefix += bsmtp_envelope(self.batch, include_affixes=transport.rcpt_include_affixes, end=end)
            suffix = f".{end}".encode() + suffix
        content.head = prefix + content.head
        content.tail += suffix
        return content


def judge(transport: Pipe, argv: list[str], command: str, ended: dict[str, Any]) -> Outcome:
    """What the end of a command means: see `eximious.transports.jobs.command` for what `ended` holds."""
    status = ended["status"]
    what = f"{transport.name} transport"
    if ended["timed_out"]:
        outcome = (deferred if transport.timeout_defer else failed)("pipe delivery process timed out", 0)
        outcome.user_message = "" if transport.timeout_defer else HIDDEN
        return outcome
    if ended["exec_errno"] and transport.freeze_exec_fail:
        outcome = deferred(f'pipe process failed to exec "{argv[0]}"', 0)
        outcome.special_action = FREEZE
        return outcome
    if status < 0:
        return _by_signal(transport, command, what, -status)
    if status == 0 or transport.ignore_status:
        return delivered()
    meaning = f" (could mean {MEANINGS[status]})" if status in MEANINGS else ""
    if status > 128:
        meaning = f" (could mean shell command ended by signal {status - 128} ({_signal_name(status - 128)}))"
    text = f"Child process of {what} returned {status}{meaning} from command: {argv[0]}"
    if transport.temporary is None or status in transport.temporary:
        return deferred(text, 0)
    outcome = failed(text, 0)
    outcome.user_message = HIDDEN
    return outcome


def _by_signal(transport: Pipe, command: str, what: str, number: int) -> Outcome:
    name = _signal_name(number)
    shown = command.replace('"', '\\"')
    text = f'Child process of {what} (running command "{shown}") was terminated by signal {number} ({name})'
    if transport.freeze_signal:
        outcome = deferred(text, 0)
        outcome.special_action = FREEZE
        return outcome
    if transport.ignore_status:
        return delivered()
    outcome = failed(text, 0)
    outcome.user_message = HIDDEN
    return outcome


def _signal_name(number: int) -> str:
    try:
        return signal.strsignal(number) or f"Unknown signal {number}"
    except ValueError:
        return f"Unknown signal {number}"


def _handle_output(transport: Pipe, outcome: Outcome, ended: dict[str, Any], *, has_sender: bool) -> None:
    """Whether the command's output is logged, returned, or makes the delivery a failure."""
    output = ended["output"].encode("latin-1")
    if not output:
        return
    outcome.output = output + TOO_MUCH if ended["too_much_output"] else output
    is_failed, is_deferred = outcome.status == "failed", outcome.status == "deferred"
    outcome.log_output = (
        transport.log_output
        or (transport.log_fail_output and is_failed)
        or (transport.log_defer_output and is_deferred)
    )
    if not has_sender:
        return
    if transport.return_output:
        outcome.return_output = True
        if not is_failed:
            outcome.status = "failed"
            outcome.message = outcome.message if is_deferred else "return message generated"
            outcome.errno = 0
            outcome.user_message = HIDDEN if is_deferred else ""
    elif transport.return_fail_output and is_failed:
        outcome.return_output = True


def _whole(address: Address) -> str:
    """The address, with its domain even if it is written without one."""
    return address.address if "@" in address.address else f"{address.address}@{address.domain}"
