"""The log line of a message's arrival, and what the reject log shows of a message that was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.logs.fields import Fields
from eximious.logs.printing import entry, printing
from eximious.logs.timestamp import duration

if TYPE_CHECKING:
    from eximious.spool.message import Message

LONGEST_SUBJECT: Final = 256


class Arrival:
    """What an arrival line tells besides what is in the message itself."""

    __slots__ = (
        "chunking",
        "dkim_domain",
        "dmarc",
        "dsn",
        "eight_bit",
        "header_id",
        "header_id_was_added",
        "is_arc_good",
        "pipelining",
        "prdr",
        "proxy_address",
        "recipients",
        "reference",
        "sender_before_rewriting",
        "spf",
        "subject",
        "tcp_fast_open",
    )

    def __init__(self) -> None:
        self.chunking = False
        self.dkim_domain = ""  # a domain whose signature was verified
        self.dmarc = ""  # "accept", "none", ...
        self.dsn: list[str] = []  # names of the DSN extensions used: ret, envid, orcpt, notify
        self.eight_bit = 0  # BODY= of the MAIL command: 0 not given, 7, 8
        self.header_id = ""  # value of Message-Id:, without its angle brackets
        self.header_id_was_added = False
        self.is_arc_good = False  # the ARC chain passes
        self.pipelining = ""  # "L", "L-", "L.", ...: whether PIPELINING was used; "" if it was not offered
        self.prdr = False
        self.recipients: list[str] | None = None  # as they were given, if some are no longer the message's
        self.proxy_address = ""
        self.reference = ""  # id of the message that a locally made bounce is about
        self.sender_before_rewriting = ""
        self.spf = ""  # "pass", "none", ...
        self.subject: str | None = None  # decoded; None: there is none
        self.tcp_fast_open = ""  # "TFO" or "TFO*"


def arrival_line(message: Message, arrival: Arrival, fields: Fields, flag: str = "<=") -> str:
    """``<= sender H=... P=... S=...``: the entry in the main log for a message that was accepted.

    `flag` is ``(=`` for one that was accepted while the client was told otherwise.
    """
    text = f"{flag} {_arrival(message, arrival, fields)}"
    if "received_sender" in fields.selected:
        text += f" from <{_address(message.sender_rewritten_from or message.sender)}>"
    if "received_recipients" in fields.selected:
        addresses = arrival.recipients
        if addresses is None:
            addresses = [recipient.given or recipient.address for recipient in message.recipients]
        text += " for " + " ".join(map(_address, addresses))
    return text


def message_log_line(message: Message, arrival: Arrival, fields: Fields) -> str:
    """What the message's own log says of its arrival."""
    return f"Received from {_arrival(message, arrival, fields)}"


def _arrival(message: Message, arrival: Arrival, fields: Fields) -> str:
    selected, client = fields.selected, message.client
    parts = [_address(message.sender) or "<>"]
    add = parts.append
    if arrival.reference:
        add(f" R={arrival.reference}")
    add(fields.host(client))
    if arrival.tcp_fast_open:
        add(f" {arrival.tcp_fast_open}")
    add(fields.ident(client))
    if message.received_protocol:
        add(f" P={fields.printing(message.received_protocol)}")
    if arrival.pipelining and "pipelining" in selected:
        add(f" {arrival.pipelining}")
    add(fields.tls(client.tls, is_arrival=True))
    add(fields.authenticated(client.authenticator_name, client.authenticated_id, message.authenticated_sender))
    add(fields.proxy(arrival.proxy_address))
    if arrival.prdr:
        add(" PRDR")
    if arrival.chunking:
        add(" K")
    add(verdict_tag("SPF", arrival.spf, "pass", selected))
    add(f" S={message.size}")
    if "8bitmime" in selected:
        add(f" M8S={arrival.eight_bit}")
    if arrival.dsn and "dsn" in selected:
        add(f" DSN={','.join(arrival.dsn)}")
    if arrival.dkim_domain and "dkim" in selected:
        add(f" DKIM={fields.printing(arrival.dkim_domain)}")
    add(verdict_tag("DMARC", arrival.dmarc, "accept", selected))
    if arrival.is_arc_good:
        add(" ARC")
    if "receive_time" in selected:
        add(f" RT={duration(message.received_complete_seconds, 'millisec' in selected)}")
    if message.queue_name:
        add(f" Q={fields.printing(message.queue_name)}")
    if arrival.header_id and _shows_id(arrival, selected):
        add(f" id{'*' if arrival.header_id_was_added else ''}={fields.printing(arrival.header_id)}")
    if "subject" in selected and arrival.subject is not None:
        add(f" T={fields.quoted(arrival.subject[:LONGEST_SUBJECT])}")
    return "".join(parts)


def _address(text: str) -> str:
    """An address in a log line; octets above 127 are UTF-8 and stay."""
    return printing(text, top_bit=True)


def verdict_tag(tag: str, verdict: str, good: str, selected: frozenset[str]) -> str:
    """``TAG=verdict`` with the verbose selector, ``TAG`` alone for the good verdict with the plain one."""
    if verdict and f"{tag.lower()}_verbose" in selected:
        return f" {tag}={verdict}"
    return f" {tag}" if verdict == good and tag.lower() in selected else ""


def _shows_id(arrival: Arrival, selected: frozenset[str]) -> bool:
    return "msg_id" in selected and (not arrival.header_id_was_added or "msg_id_created" in selected)


def rejected_header(message: Message, selected: frozenset[str]) -> str:
    """Envelope and headers of a refused message, for the reject log: lines with newlines, or "" if not wanted."""
    if "rejected_header" not in selected or not message.headers:
        return ""
    parts = [f"Envelope-from: <{_address(message.sender)}>\n"]
    for number, recipient in enumerate(message.recipients):
        parts.append(f"{'    ' if number else 'Envelope-to: '}<{_address(recipient.address)}>\n")
    for header in message.headers:
        parts.append(f"{header.kind} {entry(header.text)}\n")
    return "".join(parts)
