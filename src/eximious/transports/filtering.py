"""transport_filter: the message passes through a command on its way out.

(Exim specification, option transport_filter.)
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from eximious.transports.argv import BadCommand, expanded
from eximious.transports.content import IN_MEMORY, build
from eximious.transports.identity import remote_identity
from eximious.transports.job import FILTER, Content, Job
from eximious.transports.outcome import DELIVERED, FILTER_FAILED, Unable, deferred
from eximious.transports.transform import Transform

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.transports.base import Batch, Transport
    from eximious.transports.job import Ended

PASS_UNCHANGED: Final = Transform()


class FilterTimeout(Unable):
    """The command gave no sign of life for too long."""


def message_content(
    transport: Transport, batch: Batch, context: Context, transform: Transform, where: str = ""
) -> Content:
    """The message as the transport writes it, through its filter if it has one.

    The filter sees the message before `transform` is applied to it. `where` tells in the report of a failure what was
    being written. Raises Unable, HeaderChangeFailed.
    """
    if transport.transport_filter is None:
        return build(transport, batch, context, transform)
    argv = _command(transport, batch, context)
    if not argv:
        return build(transport, batch, context, transform)
    content = build(transport, batch, context, PASS_UNCHANGED)
    try:
        ended = _run(transport, batch, context, argv, content)
    finally:
        if content.descriptor is not None:
            os.close(content.descriptor)
    if ended.status != DELIVERED:
        raise _failure(ended, where, is_panic=transport.driver_name in ("appendfile", "pipe"))
    return _result(ended, transform)


def _command(transport: Transport, batch: Batch, context: Context) -> list[str]:
    assert transport.transport_filter is not None
    source = transport.transport_filter.source
    if not source.strip():
        return []
    try:
        return expanded(source, context, batch.addresses, "transport filter")
    except BadCommand as error:
        raise Unable(deferred(str(error))) from error


def _run(transport: Transport, batch: Batch, context: Context, argv: list[str], content: Content) -> Ended:
    if batch.identity is None:
        batch.identity = remote_identity(transport, context)
    arguments = {"argv": argv, "environment": {}, "timeout": transport.transport_filter_timeout}
    job = Job(FILTER, batch.identity, arguments, content, directory=batch.directory)
    ended: Ended = context.services.local.run(job)
    return ended


def _failure(ended: Ended, where: str, *, is_panic: bool) -> Unable:
    if ended.values.get("timed_out"):
        return FilterTimeout(deferred("", errno.ETIMEDOUT))
    if ended.errno != FILTER_FAILED:
        return Unable(deferred(ended.message, ended.errno))
    detail = ": unable to execute command" if ended.more_errno == 127 else ""
    text = f"transport filter process failed ({ended.more_errno}){where}{detail}"
    outcome = deferred(text, FILTER_FAILED)
    outcome.is_panic = is_panic
    return Unable(outcome)


def _result(ended: Ended, transform: Transform) -> Content:
    assert ended.descriptor is not None
    content = Content()
    size = os.fstat(ended.descriptor).st_size
    if size > IN_MEMORY:
        content.descriptor = ended.descriptor
        content.transform = transform
        return content
    with os.fdopen(ended.descriptor, "rb") as file:
        content.body = transform.whole(file.read())
    return content
