"""``exim_lock``: hold a mailbox locked, as the server locks it, while a command runs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from eximious.exim.utilities import complain, run
from eximious.transports.jobs import lock
from eximious.transports.jobs.trouble import Trouble

USAGE: Final = """\
usage: exim_lock [-v] [-q] [-lockfile] [-fcntl] [-flock] [-mbx]
       [-retries <n>] [-interval <n>] [-timeout <n>] [-restore-times]
       <file name> [command]"""
ALONE: Final = frozenset({"v", "q", "lockfile", "fcntl", "flock", "mbx", "restore-times", "restore_time"})
WITH_NUMBER: Final = frozenset({"retries", "interval", "timeout"})
LOCKFILE_EXPIRES: Final = 1800  # seconds; as the server has it


class Wish:
    """What the command line asks for."""

    def __init__(self) -> None:
        self.flags: set[str] = set()
        self.numbers = {"retries": 10, "interval": 3, "timeout": 0}
        self.path = ""
        self.command = ""

    def say(self, text: str) -> None:
        """Unless -q was given."""
        if "q" not in self.flags:
            print(f"exim_lock: {text}", flush=True)


def console() -> NoReturn:
    """The installed script."""
    run(main)


def main(arguments: list[str]) -> int:
    """Options, a file, perhaps a command."""
    wish = parse(arguments)
    if wish is None:
        return complain(USAGE)
    try:
        with locked(wish):
            wish.say(f"locking {wish.path} succeeded: running the command ...")
            command = wish.command or os.environ.get("SHELL") or "/bin/sh"
            # As documented: the command is the administrator's own, and a shell runs it.
            subprocess.run(["/bin/sh", "-c", command.encode("latin-1")], check=False)
    except Trouble as trouble:
        return complain(f"exim_lock: {trouble}")
    except OSError as error:
        return complain(f"exim_lock: failed to open {wish.path}: {error.strerror}")
    return 0


def parse(arguments: list[str]) -> Wish | None:
    """None for what cannot be understood."""
    wish = Wish()
    words = list(arguments)
    while words and words[0].startswith("-"):
        name = words.pop(0)[1:]
        if name in WITH_NUMBER and words and words[0].isdigit():
            wish.numbers[name] = int(words.pop(0))
        elif name in ALONE:
            wish.flags.add(name)
        else:
            return None
    if not words or len(words) > 2:
        return None
    wish.path = words[0]
    wish.command = words[1] if len(words) == 2 else ""
    return wish


def locking_of(wish: Wish) -> lock.Locking:
    """Without any of the kinds of lock: a lock file, and fcntl."""
    chosen = wish.flags & {"lockfile", "fcntl", "flock", "mbx"} or {"lockfile", "fcntl"}
    options: dict[str, Any] = {
        "use_lockfile": "lockfile" in chosen,
        "use_fcntl_lock": "fcntl" in chosen,
        "use_flock_lock": "flock" in chosen,
        "use_mbx_lock": "mbx" in chosen,
        "lock_fcntl_timeout": wish.numbers["timeout"],
        "lock_flock_timeout": wish.numbers["timeout"],
        "lock_interval": wish.numbers["interval"],
        "lock_retries": wish.numbers["retries"],
        "lockfile_mode": 0o600,
        "lockfile_timeout": LOCKFILE_EXPIRES,
        "primary_hostname": os.uname().nodename,
    }
    return lock.Locking(options)


@contextlib.contextmanager
def locked(wish: Wish) -> Iterator[None]:
    """The mailbox is locked meanwhile. Raises Trouble, OSError."""
    locking = locking_of(wish)
    with contextlib.ExitStack() as undo:
        if locking.use_lockfile:
            name = lock.make_lock_file(wish.path, locking)
            undo.callback(_remove_lock_file, wish, name)
            wish.say("lock file successfully created")
        if locking.use_fcntl or locking.use_flock:
            descriptor = _lock_open(wish, locking)
            undo.callback(wish.say, f"{wish.path} closed")
            undo.callback(os.close, descriptor)
            _lock_mbx(wish, locking, descriptor, undo)
        times = os.stat(wish.path)
        yield
        if wish.flags & {"restore-times", "restore_time"}:
            os.utime(wish.path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _remove_lock_file(wish: Wish, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name)
    wish.say("lock file removed")


def _lock_open(wish: Wish, locking: lock.Locking) -> int:
    """Open the mailbox and lock it; tries as often as was asked for."""
    for attempt in range(locking.tries):
        if attempt:
            print(" ... waiting", file=sys.stderr)
            time.sleep(0 if locking.blocks else locking.interval)
        descriptor = os.open(wish.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        missed = lock.lock_descriptor(descriptor, locking)
        if not missed:
            for kind, used in (("fcntl", locking.use_fcntl), ("flock", locking.use_flock)):
                if used:
                    wish.say(f"{kind}() {'read ' if locking.use_mbx else ''}lock successfully applied")
            return descriptor
        os.close(descriptor)
        print(f"exim_lock: {missed}() failed: somebody else has the mailbox locked", file=sys.stderr)
    raise Trouble("locking failed too many times", 0)


def _lock_mbx(wish: Wish, locking: lock.Locking, descriptor: int, undo: contextlib.ExitStack) -> None:
    """The lock that programs respect which know MBX mailboxes."""
    if not locking.use_mbx:
        return
    held = lock.lock_mbx(descriptor, locking)
    if held is None:
        raise Trouble("somebody else has the MBX lock", 0)
    wish.say("fcntl() lock successfully applied to mbx lock file")
    undo.callback(os.close, held)
