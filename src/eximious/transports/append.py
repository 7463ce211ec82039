"""One delivery by the appendfile transport: where to, in which format, how much may be there; then the job."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.taint import is_tainted
from eximious.transports.base import expand
from eximious.transports.content import HeaderChangeFailed, bsmtp_envelope
from eximious.transports.filtering import message_content
from eximious.transports.job import APPEND, NEW_FILE, Content, Ended, Job
from eximious.transports.outcome import (
    DELIVERED,
    HEADER_CHANGE_FAILED,
    NOT_ABSOLUTE,
    QUOTA,
    Outcome,
    Unable,
    deferred,
    delivered,
    panicked,
)
from eximious.transports.transform import Transform

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.transports.appendfile import Appendfile
    from eximious.transports.base import Batch

UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
NUMBER: Final = re.compile(r"(\d+(?:\.\d*)?)([KMG]?)(/no_check)?", re.IGNORECASE)
DISK_FULL: Final = (122, 28)  # EDQUOT, ENOSPC

# Options that jobs know by their own names, with the values that they have.
PASSED_ON: Final = (
    "allow_fifo",
    "allow_symlink",
    "check_group",
    "check_owner",
    "create_directory",
    "create_file",
    "directory_mode",
    "file_must_exist",
    "lock_fcntl_timeout",
    "lock_flock_timeout",
    "lock_interval",
    "lock_retries",
    "lockfile_mode",
    "lockfile_timeout",
    "maildir_quota_directory_regex",
    "maildir_retries",
    "mbx_format",
    "mode",
    "mode_fail_narrower",
    "quota_is_inclusive",
    "quota_size_regex",
    "use_fcntl_lock",
    "use_flock_lock",
    "use_lockfile",
    "use_mbx_lock",
)


class Delivery:
    """Delivering one message to one file or directory."""

    def __init__(self, transport: Appendfile, batch: Batch, context: Context) -> None:
        self.transport = transport
        self.batch = batch
        self.context = context
        self.path = ""
        self.is_directory = False
        self.only_looks = False  # nothing is to be written
        self.must_be_below = False  # an outsider had a say in the path: it counts only where create_file permits it

    def run(self) -> Outcome:
        """Do it. Raises Unable."""
        self._find_path()
        if self.path == "/dev/null":
            return delivered()
        content = self._content()
        try:
            ended = self._run_job(content)
        finally:
            if content.descriptor is not None:
                os.close(content.descriptor)
        other = ended.values.get("other_transport")
        if other:
            return self._pass_on(other)
        return self._judge(ended)

    def find_room(self) -> Outcome:
        """Only see whether a quota would prevent the delivery. Raises Unable."""
        self._find_path()
        if self.path == "/dev/null":
            return delivered()
        self.only_looks = True
        return self._judge(self._run_job(Content()))

    # --- where ------------------------------------------------------------------------------------------------------

    def _find_path(self) -> None:
        transport, address = self.transport, self.batch.addresses[0]
        template = transport.directory or transport.file
        if template is None:
            if "file" not in address.flags:
                raise Unable(panicked(f"Mandatory file or directory option missing from {transport.name} transport"))
            path = address.redirected_file
            self.is_directory = path.endswith("/") or transport.maildir_format or transport.mailstore_format
        else:
            path = expand(transport, "file or directory name", self.context, template)
            self.is_directory = transport.directory is not None
        self.must_be_below = is_tainted(path)
        if self.must_be_below and transport.create_file in ("anywhere", "inhome"):
            text = f"Tainted '{path}' (file or directory name for {transport.name} transport) not permitted"
            raise Unable(panicked(text))
        if not path.startswith("/"):
            raise Unable(deferred(f'appendfile: file or directory name "{path}" is not absolute', NOT_ABSOLUTE))
        self.path = path.rstrip("/") or "/"
        for each in self.batch.addresses:
            if "file" in each.flags:
                each.local_part = path

    def _format(self) -> str:
        if self.transport.maildir_format:
            return "maildir"
        return "mailstore" if self.transport.mailstore_format else "plain"

    # --- what -------------------------------------------------------------------------------------------------------

    def _content(self) -> Content:
        transport = self.transport
        end = "\r\n" if transport.use_crlf else "\n"
        transform = Transform(
            (transport.check_string or "").encode("latin-1"),
            (transport.escape_string or "").encode("latin-1"),
            transport.use_crlf,
        )
        try:
            content = message_content(transport, self.batch, self.context, transform, f" while writing to {self.path}")
        except HeaderChangeFailed as error:
            name = self.path
            text = f"failed to expand headers_add or headers_remove while writing to {name}: {error.reason}"
            raise Unable(panicked(text, HEADER_CHANGE_FAILED)) from error
        prefix = expand(transport, "message_prefix", self.context).encode("latin-1", "replace")
        suffix = expand(transport, "message_suffix", self.context).encode("latin-1", "replace")
        if transport.use_bsmtp:
            envelope = bsmtp_envelope(self.batch, include_affixes=transport.rcpt_include_affixes, end=end)
            prefix += envelope
            suffix = f".{end}".encode() + suffix
        content.head = prefix + content.head
        content.tail += suffix
        return content

    # --- how --------------------------------------------------------------------------------------------------------

    def _run_job(self, content: Content) -> Ended:
        arguments = self._arguments()
        if not self.is_directory:
            return self._run(APPEND, arguments, content)
        form = arguments["format"] = self._format()
        arguments["maildir_use_size_file"] = form == "maildir" and self._use_size_file()
        arguments["make_maildirfolder"] = self._wants_maildirfolder()
        arguments["quota_directory"] = self._quota_directory()
        arguments["shown_path"] = self.path
        arguments["tag"] = arguments["file_name"] = arguments["envelope"] = arguments["base_name"] = ""
        if form == "maildir":
            arguments["shown_path"] = f"tmp/MAILDIR.{self.context.config.main.primary_hostname}"
            arguments["tag"] = self._tag(content)
            return self._run(NEW_FILE, arguments, content)
        if form == "mailstore":
            self._set_mailstore(arguments)
            return self._run(NEW_FILE, arguments, content)
        return self._run_plain(arguments, content)

    def _run(self, kind: str, arguments: dict[str, Any], content: Content) -> Ended:
        identity = self.batch.identity
        assert identity is not None
        job = Job(kind, identity, arguments, content, directory=self.batch.directory)
        ended: Ended = self.context.services.local.run(job)
        return ended

    def _run_plain(self, arguments: dict[str, Any], content: Content) -> Ended:
        """A plain file gets its name when it has been written, since the name may contain the inode."""
        ended = self._run(NEW_FILE, arguments, content)
        if ended.status != DELIVERED or self.only_looks:
            return ended
        facts = self.context.facts
        facts["inode"] = ended.values["inode"]
        rename = arguments | {"format": "rename", "temporary": ended.values["file"]}
        try:
            rename["file_name"] = expand(self.transport, "directory_file", self.context)
        except Unable:
            self._run(NEW_FILE, rename, Content())  # without a name: remove it
            raise
        finally:
            del facts["inode"]
        renamed = self._run(NEW_FILE, rename, Content())
        if renamed.status == DELIVERED:
            renamed.values = ended.values | renamed.values
        return renamed

    def _arguments(self) -> dict[str, Any]:
        transport = self.transport
        arguments = {name: getattr(transport, name) for name in PASSED_ON}
        quota, no_check = self._quantity("quota")
        files, files_no_check = self._quantity("quota_filecount")
        arguments.update(
            path=self.path,
            only_looks=self.only_looks,
            home=self.batch.home,
            must_be_below=self.must_be_below,
            force_mode=False,
            file_format=transport.formats if transport.file_format else [],
            transport_name=transport.name,
            primary_hostname=self.context.config.main.primary_hostname,
            message_size=self.context.message.size,
            quota=quota,
            quota_no_check=no_check,
            quota_filecount=files,
            quota_filecount_no_check=files_no_check,
            warn_threshold=self._threshold(quota),
            mailbox_size=self._known("mailbox_size"),
            mailbox_filecount=self._known("mailbox_filecount"),
        )
        return arguments

    def _quantity(self, option: str) -> tuple[int, bool]:
        """The value of a quota option in octets or files, 0 for none, and whether exceeding it does no harm."""
        if getattr(self.transport, option) is None:
            return 0, False
        text = self._expanded(option).strip()
        match = NUMBER.fullmatch(text)
        if match is None:
            raise self._malformed(option, text)
        return int(float(match[1]) * UNITS[match[2].upper()]), match[3] is not None

    def _expanded(self, option: str) -> str:
        template = getattr(self.transport, option)
        try:
            return str(template.expand(self.context))
        except (ExpandError, Defer) as error:
            text = f'Expansion of "{template.source}" in {self.transport.name} transport failed: {error}'
            raise Unable(panicked(text)) from error

    def _malformed(self, option: str, text: str) -> Unable:
        source = getattr(self.transport, option).source
        return Unable(
            panicked(f'Malformed value "{text}" (expansion of "{source}") in {self.transport.name} transport')
        )

    def _threshold(self, quota: int) -> int:
        if self.transport.quota_warn_threshold is None:
            return 0
        text = self._expanded("quota_warn_threshold").strip()
        if text.endswith("%"):
            try:
                percentage = float(text[:-1])
            except ValueError:
                raise self._malformed("quota_warn_threshold", text) from None
            return int(quota * percentage / 100)
        match = NUMBER.fullmatch(text)
        if match is None:
            raise self._malformed("quota_warn_threshold", text)
        return int(float(match[1]) * UNITS[match[2].upper()])

    def _known(self, option: str) -> int | None:
        if getattr(self.transport, option) is None:
            return None
        return self._quantity(option)[0]

    # --- directories ------------------------------------------------------------------------------------------------

    def _use_size_file(self) -> bool:
        value = self.transport.maildir_use_size_file
        if isinstance(value, bool):
            return value
        text = expand(self.transport, "maildir_use_size_file", self.context).strip().lower()
        if text in ("", "0", "no", "false"):
            return False
        if text in ("yes", "true") or text.lstrip("-").isdigit():
            return True
        raise self._malformed("maildir_use_size_file", text)

    def _wants_maildirfolder(self) -> bool:
        pattern = self.transport.maildirfolder_create_regex
        if not pattern or not self.transport.maildir_format:
            return False
        import pcre2

        return pcre2.compile(pattern.encode("latin-1")).search(self.path.encode("latin-1")) is not None

    def _quota_directory(self) -> str:
        return expand(self.transport, "quota_directory", self.context).rstrip("/")

    def _tag(self, content: Content) -> str:
        """maildir_tag, with $message_size being the number of octets that are written."""
        template = self.transport.maildir_tag
        if template is None:
            return ""
        message = self.context.message
        before = message.size
        message.size = sum(map(len, content.pieces())) if "message_size" in template.source else before
        try:
            tag = template.expand(self.context)
        except ForcedFail:
            return ""
        except (ExpandError, Defer) as error:
            name = self.transport.name
            text = f'Expansion of "{template.source}" (maildir_tag for {name} transport) failed: {error}'
            raise Unable(panicked(text)) from error
        finally:
            message.size = before
        tag = "".join(character for character in tag if character.isprintable() and character != "/")
        return f":{tag}" if tag[:1].isalnum() else tag

    def _set_mailstore(self, arguments: dict[str, Any]) -> None:
        """Name and envelope of a mailstore delivery."""
        batch, context = self.batch, self.context
        base_name = f"{context.message.id}-{_base62(_next_number())}"
        context.facts["mailstore_basename"] = f"{self.path}/{base_name}"
        try:
            prefix = self._mailstore_text(self.transport.mailstore_prefix, "mailstore_prefix")
            suffix = self._mailstore_text(self.transport.mailstore_suffix, "mailstore_suffix")
        finally:
            del context.facts["mailstore_basename"]
        lines = [context.message.sender, *(address.address for address in batch.addresses)]
        arguments["base_name"] = base_name
        arguments["envelope"] = prefix + "".join(f"{line}\n" for line in lines) + suffix

    def _mailstore_text(self, template: Template | None, option: str) -> str:
        if template is None:
            return ""
        try:
            text = template.expand(self.context)
        except ForcedFail:
            return ""
        except (ExpandError, Defer) as error:
            name = self.transport.name
            text = f'Expansion of "{template.source}" ({option} for {name} transport) failed: {error}'
            raise Unable(panicked(text)) from error
        return text if text.endswith("\n") or not text else text + "\n"

    # --- how it ended -----------------------------------------------------------------------------------------------

    def _pass_on(self, name: str) -> Outcome:
        """The file has the format of another transport."""
        other = self.context.config.transports.get(name)
        if other is None or other is self.transport or not other.is_local:
            return deferred(f"{name} transport (for {self.path} format) not found", -33)
        outcome: Outcome = other.deliver(self.batch, self.context)[0]
        return outcome

    def _judge(self, ended: Ended) -> Outcome:
        outcome = Outcome(ended.status, ended.message, ended.errno, ended.more_errno)
        outcome.special_action = ended.special_action
        if ended.status != DELIVERED:
            if ended.errno == QUOTA or ended.errno in DISK_FULL[:1]:
                outcome.user_message = "mailbox is full"
            return outcome
        outcome.size = ended.values.get("size", 0)
        if ended.values.get("warn"):
            outcome.special_action = "warn"
        return outcome


_number = 0


def _next_number() -> int:
    """A number that no other file of this process has had."""
    global _number
    _number = max(_number, os.getpid()) + 1
    return _number


def _base62(number: int) -> str:
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    text = ""
    while number or not text:
        number, digit = divmod(number, 62)
        text = digits[digit] + text
    return text.rjust(11, "0")
