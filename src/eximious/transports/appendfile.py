"""The appendfile transport: append the message to a file, or write it into a directory as a file of its own.

(Exim specification, chapter "The appendfile transport".)
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from eximious.config.errors import Fault
from eximious.config.option import option
from eximious.transports.base import Batch, Transport, transports
from eximious.transports.outcome import Outcome

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.config.values import ExpandedBool, Octal
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.units import Seconds

MAILBOX_PREFIX = "From ${if def:return_path{$return_path}{MAILER-DAEMON}} ${tod_bsdinbox}\\n"


@transports.register("appendfile")
class Appendfile(Transport):
    """Deliver to a mailbox file, a maildir, a mailstore, or a file of its own in a directory."""

    driver_name: ClassVar[str] = "appendfile"

    allow_fifo: bool = option(False, doc="Deliver to named pipes too.")
    allow_symlink: bool = option(False, doc="Deliver through symbolic links.")
    batch_id: Template | None = option(None, doc="Addresses are delivered together only if this is the same for them.")
    batch_max: int = option(1, doc="How many addresses one run may deliver to.")
    check_group: bool = option(False, doc="Insist that the file's group is the delivery's.")
    check_owner: bool = option(True, doc="Insist that the file's owner is the delivery's user.")
    check_string: str | None = option(None, doc="What must not stand at the start of a line of the message.")
    create_directory: bool = option(True, doc="Make missing directories.")
    create_file: str = option("anywhere", doc="Where files may be created: anywhere, inhome, belowhome, or a path.")
    directory: Template | None = option(None, doc="Directory to write a new file into.")
    directory_file: Template | None = option(
        "q${base62:$tod_epoch}-$inode", doc="Name of the new file where it is neither maildir nor mailstore."
    )
    directory_mode: Octal = option("0700", doc="Mode of directories that are made.")
    escape_string: str | None = option(None, doc="What is written in place of check_string.")
    file: Template | None = option(None, doc="File to append to.")
    file_format: str | None = option(
        None, doc="Pairs of a string that files start with and the transport for such files."
    )
    file_must_exist: bool = option(False, doc="Do not create the file.")
    lock_fcntl_timeout: Seconds = option("0s", doc="How long an fcntl lock may block; 0 means: ask, and ask again.")
    lock_flock_timeout: Seconds = option("0s", doc="How long an flock lock may block; 0 means: ask, and ask again.")
    lock_interval: Seconds = option("3s", doc="Pause between attempts to lock.")
    lock_retries: int = option(10, doc="How many attempts to lock.")
    lockfile_mode: Octal = option("0600", doc="Mode of lock files.")
    lockfile_timeout: Seconds = option("30m", doc="A lock file older than this was left behind, and is removed.")
    mailbox_filecount: Template | None = option(None, doc="Number of files in the mailbox, if known from elsewhere.")
    mailbox_size: Template | None = option(None, doc="Size of the mailbox, if known from elsewhere.")
    maildir_format: bool = option(False, doc="The directory is a maildir.")
    maildir_quota_directory_regex: str = option(
        "^(?:cur|new|\\..*)$", doc="Which directories of a maildir count for the quota."
    )
    maildir_retries: int = option(10, doc="How many names to try for a file in a maildir.")
    maildir_tag: Template | None = option(None, doc="Added to the names of files in a maildir.")
    maildir_use_size_file: ExpandedBool = option(False, doc="Keep the maildirsize file.")
    maildirfolder_create_regex: str | None = option(
        None, doc="Directories that match get a maildirfolder file when they are made."
    )
    mailstore_format: bool = option(False, doc="Each message is two files, envelope and content.")
    mailstore_prefix: Template | None = option(None, doc="First lines of a mailstore envelope file.")
    mailstore_suffix: Template | None = option(None, doc="Last lines of a mailstore envelope file.")
    mbx_format: bool = option(False, doc="The file is an MBX mailbox.")
    message_prefix: Template | None = option(None, doc="Written before each message.")
    message_suffix: Template | None = option(None, doc="Written after each message.")
    mode: Octal = option("0600", doc="Mode of files; those with more rights are made narrower.")
    mode_fail_narrower: bool = option(True, doc="Defer if the file's mode is narrower than `mode`.")
    notify_comsat: bool = option(False, doc="Tell the comsat service of new mail.", later="comsat notification")
    quota: Template | None = option(None, doc="Limit for the size of the mailbox; K, M or G may follow the number.")
    quota_directory: Template | None = option(None, doc="Directory whose contents count for the quota.")
    quota_filecount: Template | None = option(None, doc="Limit for the number of files in the mailbox.")
    quota_is_inclusive: bool = option(True, doc="The message itself counts for the quota.")
    quota_size_regex: str | None = option(None, doc="Finds a file's size in its name.")
    quota_warn_message: Template | None = option(
        "To: $local_part@$domain\n"
        "Subject: Your mailbox\n"
        "\n"
        "This message is automatically created by mail delivery software (Exim).\n\n"
        "The size of your mailbox has exceeded a warning threshold that is\n"
        "set by the system administrator.\n",
        doc="Message to send when the mailbox grows beyond the warning threshold.",
    )
    quota_warn_threshold: Template | None = option(None, doc="When to warn: a size, or a percentage of the quota.")
    use_bsmtp: bool = option(False, doc="Write batch SMTP.")
    use_crlf: bool = option(False, doc="End lines with CRLF.")
    use_fcntl_lock: bool = option(True, doc="Lock files with fcntl().")
    use_flock_lock: bool = option(False, doc="Lock files with flock().")
    use_lockfile: bool = option(True, doc="Lock files with a lock file beside them.")
    use_mbx_lock: bool = option(False, doc="Lock as programs that understand MBX mailboxes do.")

    def check(self, config: Configuration) -> None:
        """Check the options together, and set defaults that depend on others."""
        super().check(config)
        whose = f"{self.name} transport"
        if self.file is not None and self.directory is not None:
            raise Fault('only one of "file" or "directory" can be specified', whose=whose)
        if self.maildir_format and self.mailstore_format:
            raise Fault("only one of maildir and mailstore may be specified", whose=whose)
        if not self.create_file:
            self.create_file = "anywhere"
        if self.create_file not in ("anywhere", "inhome", "belowhome") and not self.create_file.startswith("/"):
            raise Fault(f"invalid value given for \"create_file\" for the {whose}: '{self.create_file}'")
        self._set_locks()
        has_lock = self.use_fcntl_lock or self.use_flock_lock or self.use_lockfile or self.use_mbx_lock
        if self.file is not None and not has_lock:
            raise Fault("no locking configured", whose=whose)
        if len(self.format_items) % 2:
            raise Fault(f"{whose}: file_format must have an even number of items")
        if self.use_bsmtp:
            self.check_string, self.escape_string = ".", ".."
        elif self.directory is None and not self.maildir_format and not self.mailstore_format:
            self.set_default("check_string", "From ")
            self.set_default("escape_string", ">From ")
            self.set_default("message_prefix", MAILBOX_PREFIX)
            self.set_default("message_suffix", "\\n")

    def _set_locks(self) -> None:
        names = ("use_lockfile", "use_fcntl_lock", "use_flock_lock", "use_mbx_lock")
        if self.mbx_format and not any(map(self.is_set, names)):
            self.use_mbx_lock = True
        if self.use_mbx_lock:
            self.set_default("use_lockfile", "false")
        if self.use_flock_lock or self.use_mbx_lock:
            self.set_default("use_fcntl_lock", "false")

    @cached_property
    def format_items(self) -> list[str]:
        """The items of file_format."""
        from eximious.config.lists import split

        return split(self.file_format or "")

    @cached_property
    def formats(self) -> list[list[str]]:
        """Pairs of how files start and the transport for them."""
        items = self.format_items
        return [[start, name] for start, name in zip(items[::2], items[1::2], strict=True)]

    def deliver(self, batch: Batch, context: Context) -> list[Outcome]:
        """Write the message once, for all addresses of the batch."""
        from eximious.transports.append import Delivery

        outcome = Delivery(self, batch, context).run()
        return [outcome] + [outcome.copy() for _ in batch.addresses[1:]]

    def find_room(self, batch: Batch, context: Context) -> Outcome:
        """Whether a quota would prevent a delivery; nothing is written."""
        from eximious.transports.append import Delivery

        return Delivery(self, batch, context).find_room()
