"""What bounces, warnings and success notifications are made of.

(Exim specification, "Customizing bounce and warning messages"; RFC 3461 to 3464.)
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final

from eximious.deliver.lines import is_direct
from eximious.errors import Defer, ExpandError
from eximious.expand.template import compile as compile_template
from eximious.octets import SPACE
from eximious.smtp.dsn import RETURN_FULL, RETURN_HEADERS
from eximious.spool.message import DELETED
from eximious.taint import is_tainted

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context
    from eximious.deliver.progress import Progress
    from eximious.expand.template import Template
    from eximious.transports.outcome import Outcome

BLOCK: Final = 8192  # octets: bounce_return_size_limit is rounded up to whole blocks
TRUNCATED: Final = "X-Exim-DSN-Information: Due to administrative limits only headers are returned\n"
ENHANCED: Final = re.compile(r"[245]\d\d[ -]([245]\.\d{1,3}\.\d{1,3})\b")
MARK: Final = "****"
LINE_LENGTH: Final = 78
FIELD_LIMIT: Final = 1023  # characters


def boundary(progress: Progress) -> str:
    """A MIME boundary that nobody can guess."""
    return f"{int(progress.services.now())}-eximdsn-{int.from_bytes(os.urandom(4), 'big') >> 1}"


def sender_line(context: Context) -> str:
    """The From: header of what this program writes: dsn_from, or a default if that fails."""
    main = context.config.main
    try:
        text = main.dsn_from.expand(context)
    except (ExpandError, Defer) as error:
        context.services.logs.panic(f"Failed to expand dsn_from (using default): {error}", context.message.id)
        text = f"Mail Delivery System <Mailer-Daemon@{main.qualify_domain}>"
    return f"From: {text}\n"


def references(context: Context) -> str:
    """The References: header: the message that this is about, and what that one referred to."""
    found = [
        header.text.partition(":")[2].strip(SPACE)
        for header in context.message.headers
        if header.kind == "I" or header.name.lower() == "message-id"
    ]
    old = [
        header.text.partition(":")[2].split()
        for header in context.message.headers
        if header.kind != DELETED and header.name.lower() in ("references", "in-reply-to")
    ]
    ids = [*(old[0] if old else [])[:11], *found[:1]]
    return f"References: {' '.join(ids)}\n" if ids else ""


def multipart(progress: Progress, mark: str) -> str:
    """The headers that make it a report."""
    del progress
    return f"Content-Type: multipart/report; report-type=delivery-status; boundary={mark}\nMIME-Version: 1.0\n"


def charset(progress: Progress) -> str:
    """bounce_charset."""
    try:
        return str(progress.context.config.main.bounce_charset.expand(progress.context))
    except (ExpandError, Defer):
        return "us-ascii"


class Templates:
    """The items of bounce_message_file or warn_message_file; without a file all are empty."""

    def __init__(self, progress: Progress, name: str, what: str) -> None:
        self._progress = progress
        self._items: list[str] = []
        option: Template | None = getattr(progress.context.config.main, name)
        if option is None:
            return
        path = self._path(option, name)
        if path is None:
            return
        try:
            with open(path.encode("latin-1"), encoding="latin-1") as file:
                self._items = _split_items(file.read())
        except OSError as error:
            self._complain(f"Failed to open {path} for {what} message texts: {error.strerror}")

    def _path(self, option: Template, name: str) -> str | None:
        try:
            path = option.expand(self._progress.context)
        except (ExpandError, Defer):
            path = ""
        if not path:
            self._complain(f"Failed to expand {name}: '{option.source}'")
        elif is_tainted(path):
            self._complain(f"{name} is not untainted after expansion: '{path}'")
        elif not path.startswith("/"):
            self._complain(f"{name} is not absolute after expansion: '{path}'")
        else:
            return path
        return None

    def _complain(self, text: str) -> None:
        self._progress.services.logs.panic(text, self._progress.message.id)

    def next(self) -> str | None:
        """The next item, expanded; None if the default is to be used."""
        item = self._items.pop(0) if self._items else ""
        if not item:
            return None
        try:
            return str(compile_template(item).expand(self._progress.context))
        except (ExpandError, Defer) as error:
            self._complain(f"Failed to expand string from message template: {error}")
            return None


def _split_items(text: str) -> list[str]:
    items: list[str] = []
    item = ""
    for line in text.splitlines(keepends=True):
        if line.rstrip("\n") == MARK:
            items.append(item)
            item = ""
        else:
            item += line
    items.append(item)
    return items


def shown_address(address: Address) -> tuple[str, bool]:
    """How a report names an address, and whether it may be told who it is.

    What a redirect router hides is not named; what was generated is followed by the recipient that it comes from.
    """
    is_hidden = "hide_child" in address.flags and address.parent is not None
    if not is_hidden and is_direct(address) and (address.transport is not None or address.redirected_file):
        return _shown_direct(address), True
    name = "an undisclosed address" if is_hidden else address.address
    return f"{name}\n{_origin(address, name)}", not is_hidden


def _origin(address: Address, name: str) -> str:
    top = address.top
    original = top.onetime_parent or top.address
    if top is address or original.lower() == name.lower():
        return ""
    return f"    ({'' if address.parent is top else 'ultimately '}generated from {original})\n"


def _shown_direct(address: Address) -> str:
    if "pipe" in address.flags:
        text = f"pipe to {address.redirected_file}\n"
    elif "file" in address.flags:
        text = f"save to {address.local_part if address.local_part.startswith('/') else address.redirected_file}\n"
    else:
        text = f"mail to {address.redirected_file.removeprefix('>')}\n"
    parent = address.parent
    if parent is None:
        return text
    text += f"    generated by {parent.address}\n"
    return text if parent.parent is None else f"{text}    (ultimately generated from {parent.top.address})\n"


def error_text(address: Address, outcome: Outcome, prefix: str = "") -> str:
    """Why it failed, as far as outsiders may know: the host, and a text indented and broken into lines."""
    del address
    host = ""
    if outcome.host is not None and outcome.host.name:
        host = f"    host {outcome.host.name} [{outcome.host.address}]\n"
    return host + (_indent(prefix, outcome.user_message) if outcome.user_message else "")


def _indent(prefix: str, text: str) -> str:
    """Indented by four; a new line where the text has one, and after a colon where it gets long."""
    out = ["    ", prefix]
    column = 5 + len(prefix)
    text = text.replace("\\n", "\n")
    for position, character in enumerate(text):
        if character == "\n":
            out.append("\n    ")
            column = 0
            continue
        out.append(character)
        column += 1
        if character == ":" and text[position + 1 : position + 2] == " " and column > 45:
            out.append("\n   ")  # the blank that follows makes it four
            column = 0
    return "".join(out) + "\n"


def status_of(outcome: Outcome, default: str) -> str:
    """The status code: the remote host's own (RFC 2034), if it gave one of the same class."""
    for text in (outcome.message, outcome.confirmation):
        match = ENHANCED.search(text)
        if match is not None and match[1][0] == default[0]:
            return match[1]
    return default


def recipient_fields(progress: Progress, address: Address, outcome: Any, action: str, status: str) -> str:
    """The group of fields about one recipient (RFC 3464 section 2.3)."""
    lines = []
    top = address.top
    orcpt = top.recipient.orcpt if top.recipient is not None else ""
    if orcpt:
        lines.append(f"Original-Recipient: {one_line(orcpt)}")
    lines += [f"Action: {action}", f"Final-Recipient: rfc822;{one_line(top.address)}"]
    lines.append(f"Status: {status_of(outcome, status) if outcome is not None else status}")
    if outcome is not None and outcome.host is not None and outcome.host.name:
        lines += _remote_fields(progress, outcome)
    return "\n".join(lines) + "\n\n"


def _remote_fields(progress: Progress, outcome: Outcome) -> list[str]:
    host = outcome.host
    assert host is not None
    lines = [f"Remote-MTA: dns; {one_line(host.name)}"]
    code = diagnostic_code(outcome)
    if progress.context.config.main.bounce_remote_info:
        lines.append(f"Remote-MTA: X-ip; [{host.address}]:{host.port}")
        if outcome.sent is not None and outcome.sent.greeting:
            lines.append(f"X-Remote-MTA-smtp-greeting: X-str; {one_line(first_line(outcome.sent.greeting))}")
        if outcome.sent is not None and outcome.sent.hello_reply:
            lines.append(f"X-Remote-MTA-helo-response: X-str; {one_line(first_line(outcome.sent.hello_reply))}")
        if not code and outcome.message:
            lines.append(folded(f"X-Exim-Diagnostic: X-str; {outcome.message}"))
    if code:
        lines.append(folded(f"Diagnostic-Code: smtp; {code}"))
    return lines


def diagnostic_code(outcome: Outcome) -> str:
    """The remote host's reply, if it is what the failure is about."""
    text = outcome.message
    if not any(f"{protocol} error" in text for protocol in ("SMTP", "LMTP", "PRDR")):
        return ""
    start = text.find(": ")
    return text[start + 2 :].replace("\\n", "\n") if start >= 0 else ""


def first_line(text: str) -> str:
    """Of a reply."""
    return text.split("\n", 1)[0].rstrip("\r")


def folded(text: str) -> str:
    """A field in lines of a decent length, and not too many of them; no line of a reply begins a field."""
    lines = []
    first, *others = text.replace("\r", "")[:FIELD_LIMIT].split("\n")
    for text in (first, *(f" {other}" for other in others if other.strip(SPACE))):
        lines += _cut(text)
    return "\n".join(lines)


def _cut(text: str) -> list[str]:
    lines = []
    while len(text) > LINE_LENGTH:
        place = text.rfind(" ", 1, LINE_LENGTH)
        if place <= 0 or not text[:place].strip(SPACE):
            place = LINE_LENGTH
        lines.append(text[:place])
        text = " " + text[place:].lstrip(" ")
    return [*lines, text]


def one_line(text: str) -> str:
    """A field's value without line ends of its own, so that no remote host can write fields."""
    return text.replace("\r", "").replace("\n", "\\n")


def returned_part(progress: Progress, *, headers_only: bool) -> bytes:
    """The last part: the message, or its header."""
    message = progress.message
    full, is_cut = _returns_body(progress, headers_only=headers_only)
    kind = "message/rfc822" if full else "text/rfc822-headers"
    head = f"Content-type: {kind}\n\nReturn-path: <{message.sender}>\n"
    head += "".join(header.text for header in message.headers if header.kind != DELETED)
    head += f"{TRUNCATED if is_cut else ''}\n"
    octets = head.encode("latin-1", "replace")
    return octets + b"".join(message.body.chunks()) if full else octets


def _returns_body(progress: Progress, *, headers_only: bool) -> tuple[bool, bool]:
    """Whether the body is returned, and whether it is not only because of a limit."""
    main, message = progress.context.config.main, progress.message
    if headers_only or message.dsn_return == RETURN_HEADERS:
        return False, False
    if message.dsn_return != RETURN_FULL and not main.bounce_return_body:
        return False, False
    limit = main.bounce_return_size_limit
    if limit > 0 and message.body_size > (limit // BLOCK + 1) * BLOCK:
        return False, True
    longest = main.bounce_return_linesize_limit
    if 0 < longest < message.max_received_line_length:
        return False, True
    return True, False
