"""What is logged: the names of `log_selector`, those that are on by default, and how a setting changes them."""

from __future__ import annotations

from typing import Final

from eximious.errors import ConfigError, Place, did_you_mean

DEFAULT: Final = frozenset(
    {
        "acl_warn_skipped",
        "connection_reject",
        "delay_delivery",
        "dkim",
        "dnslist_defer",
        "etrn",
        "host_lookup_failed",
        "lost_incoming_connection",
        "msg_id",
        "outgoing_interface",
        "queue_run",
        "rejected_header",
        "retry_defer",
        "sender_verify_fail",
        "size_reject",
        "skip_delivery",
        "smtp_confirmation",
        "tls_certificate_verified",
        "tls_cipher",
    }
)

ALL: Final = DEFAULT | {
    "8bitmime",
    "address_rewrite",
    "all_parents",
    "arguments",
    "connection_id",
    "deliver_time",
    "delivery_size",
    "dkim_verbose",
    "dmarc",
    "dmarc_verbose",
    "dnssec",
    "dsn",
    "ident_timeout",
    "incoming_interface",
    "incoming_port",
    "millisec",
    "msg_id_created",
    "outgoing_port",
    "pid",
    "pipelining",
    "protocol_detail",
    "proxy",
    "queue_time",
    "queue_time_exclusive",
    "queue_time_overall",
    "receive_time",
    "received_recipients",
    "received_sender",
    "return_path_on_delivery",
    "sender_on_delivery",
    "smtp_connection",
    "smtp_incomplete_transaction",
    "smtp_mailauth",
    "smtp_no_mail",
    "smtp_protocol_error",
    "smtp_syntax_error",
    "spf",
    "spf_verbose",
    "subject",
    "tls_on_connect",
    "tls_peerdn",
    "tls_resumption",
    "tls_sni",
    "unknown_in_list",
}

# Names that other releases have, or had.
ALIASES: Final = {
    "incoming_connection": "smtp_connection",
    "log_all_parents": "all_parents",
    "rejected_headers": "rejected_header",
    "sender_verify_failed": "sender_verify_fail",
}


def parse(text: str, place: Place | None = None) -> frozenset[str]:
    """The names that are on, with a setting such as ``+all -pid`` added to the defaults.

    Raises ConfigError for an unknown name, and for one without its sign.
    """
    chosen = set(DEFAULT)
    rest = text.strip()
    while rest:
        sign = rest[0]
        if sign not in "+-":
            raise ConfigError(f'malformed log_selector setting: + or - expected but found "{rest[:32]}"', place)
        name, rest = _word(rest[1:])
        known = ALL if name == "all" else _known(sign, name, place)
        if sign == "+":
            chosen |= known
        else:
            chosen -= known
    return frozenset(chosen)


def _word(text: str) -> tuple[str, str]:
    """A name at the beginning, which white space may precede and a sign may end; and what follows."""
    text = text.lstrip()
    length = 0
    while length < len(text) and (text[length].isalnum() or text[length] == "_"):
        length += 1
    return text[:length], text[length:].lstrip()


def _known(sign: str, name: str, place: Place | None) -> frozenset[str]:
    name = ALIASES.get(name, name)
    if name not in ALL:
        hint = did_you_mean(name, (*ALL, "all"))
        raise ConfigError(f"unknown log_selector setting: {sign}{name}", place, hint)
    return frozenset({name})
