"""Jobs: what has to be done as another user, as a small fixed record, and how it ended.

A transport that touches a user's files, or runs a command for one, does not do so itself: it describes the job, and
`context.services.local.run(job)` has it done by a process that is that user (see `eximious.deliver.local`). What a job
can do is written in `eximious.transports.jobs`: one module a kind, using nothing but the system.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, Final

from eximious.errors import EximiousError
from eximious.transports.transform import Transform

CHUNK: Final = 64 * 1024  # octets of a body that are in memory at a time

# Kinds of jobs, and the module in `eximious.transports.jobs` whose `perform` does it.
APPEND: Final = "append"  # append to a file
NEW_FILE: Final = "new_file"  # write a file of its own into a directory: maildir, mailstore, or plain
COMMAND: Final = "command"  # run a command with the message on its standard input
SPAWN: Final = "spawn"  # start a command and hand back a stream to it
CONNECT: Final = "connect"  # connect to a Unix-domain socket and hand back the stream
FILTER: Final = "filter"  # pass the message through a command
READ: Final = "read"  # read a file
USER_FILTER: Final = "user_filter"  # run a filter file
EXPAND: Final = "expand"  # expand what a user has written
QUEUE_FILES: Final = "queue_files"  # copy a message's spool files
REMEMBER: Final = "remember"  # the log and the memory of the autoreply transport
KINDS: Final = (APPEND, NEW_FILE, COMMAND, FILTER, SPAWN, CONNECT, READ, QUEUE_FILES, REMEMBER, USER_FILTER, EXPAND)


class JobLost(EximiousError):
    """The process that was to do the job ended before it said how the job ended."""


class Identity:
    """As whom a job is done."""

    __slots__ = ("gid", "groups", "uid")

    def __init__(self, uid: int, gid: int, groups: tuple[int, ...] = ()) -> None:
        self.uid = uid
        self.gid = gid
        self.groups = groups  # supplementary groups, in full

    @property
    def key(self) -> tuple[int, int, tuple[int, ...]]:
        """For dictionaries."""
        return (self.uid, self.gid, self.groups)

    def __repr__(self) -> str:
        return f"Identity({self.uid}, {self.gid}, {self.groups})"


def own_identity() -> Identity:
    """The one that this process has."""
    return Identity(os.geteuid(), os.getegid(), tuple(sorted(os.getgroups())))


class Content:
    """The octets of a message as a delivery writes them: what stands before the body, the body, what comes after it.

    `head` and `tail` go out as they are. The body is octets that are complete already, or an open file, read from
    where it stands and transformed on the way.
    """

    __slots__ = ("body", "descriptor", "head", "tail", "transform")

    def __init__(self, head: bytes = b"", body: bytes = b"", tail: bytes = b"") -> None:
        self.head = head
        self.body = body
        self.tail = tail
        self.descriptor: int | None = None  # a file with the body, in place of `body`; whoever made the job closes it
        self.transform = Transform()

    def pieces(self) -> Iterator[bytes]:
        """Everything, in order."""
        if self.head:
            yield self.head
        if self.descriptor is not None:
            yield from self.transform.pieces(_read_file(self.descriptor))
        elif self.body:
            yield self.body
        if self.tail:
            yield self.tail

    def joined(self) -> bytes:
        """Everything in one piece, for content that is known to be small."""
        return b"".join(self.pieces())


def _read_file(descriptor: int) -> Iterator[bytes]:
    position = 0
    start = os.lseek(descriptor, 0, os.SEEK_CUR)
    while chunk := os.pread(descriptor, CHUNK, start + position):
        position += len(chunk)
        yield chunk


class Job:
    """One thing to do as another user."""

    __slots__ = ("arguments", "content", "directory", "identity", "kind", "umask")

    def __init__(
        self,
        kind: str,
        identity: Identity,
        arguments: dict[str, Any],
        content: Content | None = None,
        *,
        directory: str = "/",
        umask: int = 0o022,
    ) -> None:
        self.kind = kind
        self.identity = identity
        self.arguments = arguments  # what JSON can carry; the job's module says what
        self.content = content or Content()  # what to write
        self.directory = directory  # to work in
        self.umask = umask

    def encode(self) -> bytes:
        """The job for another process, octets of the content included; an open file with the body travels beside it."""
        content = self.content
        record = {
            "kind": self.kind,
            "arguments": self.arguments,
            "directory": self.directory,
            "umask": self.umask,
            "sizes": (len(content.head), len(content.body), len(content.tail)),
            "transform": None if content.descriptor is None else content.transform.record(),
        }
        line = json.dumps(record).encode("ascii")
        return b"".join((b"%d\n" % len(line), line, content.head, content.body, content.tail))

    @classmethod
    def decode(cls, octets: bytes, descriptor: int | None, identity: Identity) -> Job:
        """What `encode` made. Raises ValueError, KeyError or TypeError for anything else."""
        length, _, rest = octets.partition(b"\n")
        record = json.loads(rest[: int(length)])
        content = Content()
        position = int(length)
        for name, size in zip(("head", "body", "tail"), record["sizes"], strict=True):
            setattr(content, name, rest[position : position + size])
            position += size
        if record["transform"] is not None:
            content.descriptor = descriptor
            content.transform = Transform.of(record["transform"])
        job = cls(record["kind"], identity, record["arguments"], content)
        job.directory = record["directory"]
        job.umask = record["umask"]
        return job


class Ended:
    """How a job ended: well (`status` "delivered"), to be tried again ("deferred"), or badly ("failed")."""

    __slots__ = ("descriptor", "errno", "message", "more_errno", "special_action", "status", "values")

    def __init__(self, status: str, message: str = "", errno: int = 0, more_errno: int = 0) -> None:
        self.status = status
        self.message = message
        self.errno = errno
        self.more_errno = more_errno
        self.special_action = ""
        self.values: dict[str, Any] = {}  # what else there is to tell, as the job's module says
        self.descriptor: int | None = None  # an open file or socket that is handed over

    def encode(self) -> bytes:
        """For another process; a descriptor travels beside it."""
        record = (self.status, self.message, self.errno, self.more_errno, self.special_action, self.values)
        return json.dumps(record).encode("ascii")

    @classmethod
    def decode(cls, octets: bytes) -> Ended:
        """What `encode` made. Raises JobLost if it is anything else."""
        try:
            status, message, errno, more_errno, special_action, values = json.loads(octets)
        except (ValueError, TypeError) as error:
            raise JobLost(f"unintelligible report of a local job: {error}") from None
        if not isinstance(status, str) or not isinstance(message, str) or not isinstance(values, dict):
            raise JobLost("unintelligible report of a local job")
        ended = cls(status, message, int(errno), int(more_errno))
        ended.special_action = str(special_action)
        ended.values = values
        return ended
