"""The message as a transport writes it: which headers, in which order, and the body.

(Exim specification, "Adding and removing header lines in routers and transports".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.address.delivery import Address
from eximious.errors import Defer, EximiousError, ExpandError, ForcedFail
from eximious.expand.variables.tod import tod_full
from eximious.routers.items import templates
from eximious.spool.message import DELETED
from eximious.transports.job import Content
from eximious.transports.transform import Transform

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.spool.message import Header
    from eximious.transports.base import Batch, Transport

IN_MEMORY: Final = 512 * 1024  # octets of a body that is handled in one piece


class HeaderChangeFailed(EximiousError):
    """The transport's headers_add, headers_remove or headers_rewrite could not be expanded; `reason` is why."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


def build(transport: Transport, batch: Batch, context: Context, transform: Transform) -> Content:
    """The message for this delivery, without what the transport puts before and after it.

    A large body is left in its file: `descriptor` of the content is then open, and the caller closes it. Raises
    HeaderChangeFailed.
    """
    content = Content()
    message = context.message
    if not transport.body_only:
        content.head = transform.whole(header(transport, batch, context))
    if transport.headers_only:
        return content
    body = message.body
    if body.in_memory or body.size <= IN_MEMORY:
        content.body = transform.whole(body.data())
    else:
        content.descriptor = body.open_fd()
        content.transform = transform
    return content


def header(transport: Transport, batch: Batch, context: Context) -> bytes:
    """The header lines, and the empty line after them. Raises HeaderChangeFailed."""
    removed, added = _changes(transport, batch, context)
    lines = _trace_lines(transport, batch, context)
    headers = context.message.headers
    if transport.headers_rewrite is not None:
        headers = _rewritten(transport, headers, context)
    if removed:
        exact = frozenset(name for name in removed if not name.endswith("*"))
        prefixes = tuple(name[:-1] for name in removed if name.endswith("*"))
        lines += [line.text for line in headers if line.kind != DELETED and not _is_removed(line, exact, prefixes)]
    else:
        lines += [line.text for line in headers if line.kind != DELETED]
    lines += added
    lines.append("\n")
    return "".join(lines).encode("latin-1", "replace")


def _trace_lines(transport: Transport, batch: Batch, context: Context) -> list[str]:
    """Return-path:, Envelope-to: and Delivery-date:, as the transport's options say."""
    lines = []
    if transport.return_path_add:
        lines.append(f"Return-path: <{batch.used_return_path}>\n")
    if transport.envelope_to_add:
        lines.append("Envelope-to: " + ",\n ".join(batch.envelope_to) + "\n")
    if transport.delivery_date_add:
        lines.append(f"Delivery-date: {tod_full(context)}\n")
    return lines


def _changes(transport: Transport, batch: Batch, context: Context) -> tuple[set[str], list[str]]:
    """Names of headers to leave out, in lower case, and texts to add. Raises HeaderChangeFailed."""
    first = batch.addresses[0]
    removed = {name.lower() for text in first.remove_headers for name in _names(text)}
    added = list(first.extra_headers)
    if transport.headers_remove is not None:
        for text in _expanded(transport, "headers_remove", context):
            removed.update(name.lower() for name in _names(text))
    if transport.headers_add is not None:
        added += [text if text.endswith("\n") else text + "\n" for text in _expanded(transport, "headers_add", context)]
    return removed, added


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(":") if name.strip()]


def _expanded(transport: Transport, option: str, context: Context) -> list[str]:
    separator = "\n" if option == "headers_add" else ":"
    texts = []
    for item in templates(getattr(transport, option), separator):
        try:
            text = item.expand(context)
        except ForcedFail:
            continue
        except (ExpandError, Defer) as error:
            raise HeaderChangeFailed(f"failed to expand {option}: {error}", str(error)) from error
        if text:
            texts.append(text)
    return texts


def _is_removed(line: Header, exact: frozenset[str], prefixes: tuple[str, ...]) -> bool:
    name = line.name.lower()
    return name in exact or (bool(prefixes) and name.startswith(prefixes))


def _rewritten(transport: Transport, headers: list[Header], context: Context) -> list[Header]:
    from eximious.rewrite.transport import rewrite_headers

    return rewrite_headers(transport, headers, context)


def bsmtp_envelope(batch: Batch, *, include_affixes: bool, end: str) -> bytes:
    """The envelope of a batch SMTP message. (Exim specification, "Outgoing batched SMTP".)"""
    lines = [f"MAIL FROM:<{batch.used_return_path}>"]
    lines += [f"RCPT TO:<{recipient(address, include_affixes)}>" for address in batch.addresses]
    lines.append("DATA")
    return "".join(line + end for line in lines).encode("latin-1", "replace")


def recipient(address: Address, include_affixes: bool) -> str:
    """An address as it stands in a RCPT command: with or without what a router removed from its local part."""
    text = address.address
    if include_affixes or not (address.local_part_prefix or address.local_part_suffix):
        return text
    local_part, _, domain = text.rpartition("@")
    end = len(local_part) - len(address.local_part_suffix)
    return f"{local_part[len(address.local_part_prefix) : end]}@{domain}"
