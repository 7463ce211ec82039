"""How full a mailbox of many files is, and the maildirsize file that remembers it.

(Exim specification, option quota of the appendfile transport, "Using a maildirsize file"; the Maildir++ format.)
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from eximious.transports.jobs.trouble import Trouble

# Maildir++: a maildirsize file larger than this, or older than this when the mailbox seems full, is computed anew.
MAX_SIZE_FILE: Final = 5120  # octets
MAX_AGE: Final = 15 * 60  # seconds

Usage = tuple[int, int]  # octets and files


def usage(directory: str, size_in_name: str | None) -> Usage:
    """Octets and files in a directory and those below it. Links are not followed; hard links share a file's size.

    `size_in_name` is a regular expression whose first group is a file's size in its name. Raises Trouble.
    """
    find_size = _matcher(size_in_name)
    size = count = 0
    waiting = [directory]
    while waiting:
        for entry in _entries(waiting.pop()):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
                continue
            count += 1
            size += _size_of(entry, find_size)
    return size, count


def _matcher(pattern: str | None) -> Callable[[str], int | None] | None:
    """A function that finds a size in a name; None without a pattern."""
    if not pattern:
        return None
    import pcre2

    compiled = pcre2.compile(pattern.encode("latin-1"))

    def find(name: str) -> int | None:
        match = compiled.search(os.fsencode(name))
        if match is None or compiled.groups < 1:
            return None
        digits = match.group(1)
        return int(digits) if digits and digits.isdigit() else None

    return find


def _entries(directory: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            yield from entries
    except FileNotFoundError:
        return


def _size_of(entry: os.DirEntry[str], find_size: Callable[[str], int | None] | None) -> int:
    if find_size is not None:
        found = find_size(entry.name)
        if found is not None:
            return found
    try:
        state = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return 0
    if not stat.S_ISREG(state.st_mode):
        return 0
    return state.st_size // max(1, state.st_nlink)


class SizeFile:
    """An open maildirsize file: what the mailbox holds, and the place to add what is delivered."""

    __slots__ = ("count", "descriptor", "size")

    def __init__(self, descriptor: int, size: int, count: int) -> None:
        self.descriptor = descriptor
        self.size = size
        self.count = count

    def record(self, size: int) -> None:
        """One more message of this many octets."""
        with contextlib.suppress(OSError):
            os.write(self.descriptor, b"%d 1\n" % size)

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)


def open_size_file(directory: str, options: dict[str, Any]) -> SizeFile:
    """The maildirsize file of a maildir, made anew if it is missing, old, or for another quota. Raises Trouble."""
    quota, files = options["quota"], options["quota_filecount"]
    path = f"{directory}/maildirsize"
    found = _read_size_file(path, quota, files)
    if found is not None:
        full = _is_full(found, options)
        state = os.fstat(found.descriptor)
        if not full or (state.st_size <= _one_line(found, quota, files) and time.time() - state.st_mtime <= MAX_AGE):
            return found
        found.close()
    return _make_size_file(directory, path, options)


def _is_full(found: SizeFile, options: dict[str, Any]) -> bool:
    quota, files = options["quota"], options["quota_filecount"]
    message = options["message_size"] if options["quota_is_inclusive"] else 0
    one = 1 if options["quota_is_inclusive"] else 0
    return bool((quota and found.size + message > quota) or (files and found.count + one > files))


def _one_line(found: SizeFile, quota: int, files: int) -> int:
    """The length of a file in which nothing has been added since it was computed."""
    return len(_head(quota, files)) + len(f"{found.size} {found.count}\n")


def _head(quota: int, files: int) -> str:
    return f"{quota}S,{files}C\n"


def _read_size_file(path: str, quota: int, files: int) -> SizeFile | None:
    """None if there is none that can be used as it is."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Trouble(f"failed to open {path}", error.errno or 0) from None
    text = os.pread(descriptor, MAX_SIZE_FILE + 1, 0).decode("latin-1")
    sums = _sum(text, quota, files) if len(text) <= MAX_SIZE_FILE else None
    if sums is None:
        os.close(descriptor)
        return None
    return SizeFile(descriptor, *sums)


def _sum(text: str, quota: int, files: int) -> Usage | None:
    """The totals in a maildirsize file; None if it is damaged or was made for another quota."""
    head, newline, rest = text.partition("\n")
    if not newline or _limits(head) != (quota, files):
        return None
    size = count = 0
    for line in rest.splitlines():
        words = line.split()
        try:
            size += int(words[0])
            count += int(words[1])
        except (ValueError, IndexError):
            return None
    return None if size < 0 or count < 0 else (size, count)


def _limits(head: str) -> Usage | None:
    size = count = 0
    for item in head.split(","):
        digits, unit = item[:-1], item[-1:]
        if not digits.isdigit():
            return None
        if unit == "S":
            size = int(digits)
        elif unit == "C":
            count = int(digits)
        else:
            return None
    return size, count


def _make_size_file(directory: str, path: str, options: dict[str, Any]) -> SizeFile:
    """Compute what the maildir holds and write it down."""
    size, count = _maildir_usage(directory, options["quota_size_regex"], options["maildir_quota_directory_regex"])
    now = time.time()
    host = options["primary_hostname"]
    temporary = f"{directory}/tmp/{int(now)}.H{int(now % 1 * 1e6)}P{os.getpid()}.{host}"
    try:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, options["mode"] | 0o600)
        head = _head(options["quota"], options["quota_filecount"])
        os.write(descriptor, f"{head}{size} {count}\n".encode())
        os.rename(temporary, path)
    except OSError as error:
        raise Trouble(f"while opening or reading {path}", error.errno or 0) from None
    return SizeFile(descriptor, size, count)


def _maildir_usage(directory: str, size_in_name: str | None, counted: str) -> Usage:
    """Octets and files in those directories of the maildir that count."""
    import pcre2

    pattern = pcre2.compile(counted.encode("latin-1"))
    find_size = _matcher(size_in_name)
    size = count = 0
    waiting = [(directory, 0)]
    while waiting:
        place, depth = waiting.pop()
        for entry in _entries(place):
            if entry.is_dir(follow_symlinks=False):
                if depth > 0 and entry.name not in ("cur", "new"):
                    continue
                if depth == 0 and pattern.search(os.fsencode(entry.name)) is None:
                    continue
                waiting.append((entry.path, depth + 1))
            elif depth > 0 and os.path.basename(place) in ("cur", "new"):
                count += 1
                size += _size_of(entry, find_size)
    return size, count


def counts(directory: str, quota_directory: str, pattern: str) -> bool:
    """True if deliveries into the maildir `directory` count for the quota of `quota_directory`."""
    if directory == quota_directory or not directory.startswith(quota_directory + "/"):
        return True
    import pcre2

    folder = directory[len(quota_directory) + 1 :].partition("/")[0]
    return pcre2.compile(pattern.encode("latin-1")).search(os.fsencode(folder)) is not None
