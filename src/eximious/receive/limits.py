"""Limits that are options: how long to wait, how large, how many, how fast."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from eximious.errors import Defer, ExpandError

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.receive.session import Session
    from eximious.services import Services

ASK_AGAIN: Final = 1.0  # seconds for which what the kernel said of a file system's free space is believed


def receive_timeout(session: Session) -> float:
    """How long to wait for a command or for data, in seconds; 0 for ever. ``smtp_receive_timeout`` may be expanded."""
    value = session.main.smtp_receive_timeout
    return value if isinstance(value, (int, float)) else _expanded_time(value, session.context)


def _expanded_time(template: object, context: Context) -> float:
    from eximious.config.numbers import seconds

    try:
        return seconds(template.expand(context))  # type: ignore[attr-defined]
    except (ExpandError, Defer, ValueError) as error:
        context.services.logs.panic(f"bad smtp_receive_timeout: {error}")
        return 300


def message_size_limit(context: Context, fault: str = "invalid") -> int:
    """The largest message that is accepted, in bytes; 0 for no limit. Raises ExpandError with the words for the log."""
    option = context.config.main.message_size_limit
    from eximious.expand.numbers import integer

    try:
        text = option.constant if option.constant is not None else option.expand(context)
    except (ExpandError, Defer) as error:
        raise ExpandError(f"unable to expand message_size_limit: {error}") from error
    if not text.strip():
        return 0
    try:
        return integer(text)
    except ExpandError as error:
        raise ExpandError(f"{fault} message_size_limit: {error}") from error


def expanded_integer(option: object, context: Context) -> int:
    """The number that an expanded option holds; a fault is logged, and counts as 0 (no limit)."""
    if option is None:
        return 0
    from eximious.config.numbers import integer

    try:
        constant = option.constant  # type: ignore[attr-defined]
        text = option.expand(context) if constant is None else constant  # type: ignore[attr-defined]
        return integer(text.strip()) if text.strip() else 0
    except (ExpandError, Defer, ValueError) as error:
        context.services.logs.panic(f"bad number in configuration: {error}")
        return 0


def has_space(context: Context, size: int) -> bool:
    """True if the file systems of spool and logs have room for a message of `size` bytes, and for what is to be kept
    free (``check_spool_space`` and its kin). What is missing is logged."""
    main = context.config.main
    checks = [("spool", main.spool_directory, main.check_spool_space, main.check_spool_inodes, size)]
    if main.check_log_space or main.check_log_inodes:
        folder = _log_directory(context)
        if folder:
            checks.append(("log", folder, main.check_log_space, main.check_log_inodes, 0))
    return all(_has_room(context, *check) for check in checks)


def _has_room(context: Context, what: str, folder: str, space: int, inodes: int, size: int) -> bool:
    if not space and not inodes and not size:
        return True
    status = _file_system(context.services, folder)
    if status is None:
        return True  # writing will fail, or not
    free = status.f_bavail * status.f_frsize
    has_inodes = status.f_files == 0 or status.f_favail >= inodes
    if free >= space + size and has_inodes:
        return True
    context.services.logs.main(f"{what} directory space check failed: space={free // 1024} inodes={status.f_favail}")
    return False


def _file_system(services: Services, folder: str) -> os.statvfs_result | None:
    """What the kernel says of a file system, as of now or not long ago: each message asks, twice."""
    now = services.now()
    known = services.file_systems.get(folder)
    if known is None or not 0 <= now - known[0] < ASK_AGAIN:
        try:
            known = (now, os.statvfs(folder))
        except OSError:
            return None
        services.file_systems[folder] = known
    return known[1]


def _log_directory(context: Context) -> str:
    path = context.services.logs.destinations.path
    return path.rpartition("/")[0] if path else ""
