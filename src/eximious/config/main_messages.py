"""Main options about messages as they arrive: addresses, header lines, local submission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.config.option import Options, option

if TYPE_CHECKING:
    from eximious.config.values import Seconds, StringList
    from eximious.expand.template import Template
    from eximious.lists.domain import DomainList
    from eximious.lists.host import HostList

RECEIVED_HEADER = (
    "Received: ${if def:sender_rcvhost {from $sender_rcvhost\n\t}"
    "{${if def:sender_ident {from ${quote_local_part:$sender_ident} }}"
    "${if def:sender_helo_name {(helo=$sender_helo_name)\n\t}}}}"
    "by $primary_hostname ${if def:received_protocol {with $received_protocol }}"
    "${if def:tls_in_ver        { ($tls_in_ver)}}"
    "${if def:tls_in_cipher_std { tls $tls_in_cipher_std\n\t}}"
    "(Exim $version_number)\n\t"
    "${if def:sender_address {(envelope-from <$sender_address>)\n\t}}"
    "id $message_exim_id"
    "${if def:received_for {\n\tfor $received_for}}"
)
UUCP_FROM = (
    r"^From\s+(\S+)\s+(?:[a-zA-Z]{3},?\s+)?"
    r"(?:[a-zA-Z]{3}\s+\d?\d|\d?\d\s+[a-zA-Z]{3}\s+\d\d(?:\d\d)?)\s+\d\d?:\d\d?"
)


class MessageOptions(Options):
    """What addresses may look like, what is added to messages, how they are identified."""

    allow_domain_literals: bool = option(False, doc="Addresses may have an IP address in brackets for a domain.")
    allow_utf8_domains: bool = option(False, doc="Domains may be in UTF-8.")
    bi_command: str | None = option(None, doc="The command that -bi runs, to rebuild alias databases.")
    check_rfc2047_length: bool = option(True, doc="Encoded words longer than 75 characters are not decoded.")
    delivery_date_remove: bool = option(True, doc="Remove Delivery-date: from messages that arrive.")
    drop_cr: bool = option(False, doc="Drop the CR at the end of lines.", no_effect="line ends are always put right")
    envelope_to_remove: bool = option(True, doc="Remove Envelope-to: from messages that arrive.")
    exim_version: str = option(lambda: _version(), doc="The version that we say we are.")
    extract_addresses_remove_arguments: bool = option(
        True, doc="With -t, addresses on the command line are taken away from the recipients."
    )
    header_line_maxsize: int = option(0, doc="Longest logical header line to accept, in bytes; 0 for no limit.")
    header_maxsize: int = option(1048576, doc="Largest header to accept, in bytes.")
    headers_charset: str | None = option("UTF-8", doc="Character set to which encoded words are decoded.")
    ignore_fromline_hosts: HostList | None = option(None, doc="Clients whose messages may begin with a From line.")
    ignore_fromline_local: bool = option(False, doc="The same for -bs.")
    local_from_check: bool = option(True, doc="Add Sender: if From: of a local submission is not the caller.")
    local_from_prefix: StringList | None = option(None, doc="Prefixes of local parts that this check ignores.")
    local_from_suffix: StringList | None = option(None, doc="Suffixes of local parts that this check ignores.")
    local_sender_retain: bool = option(False, doc="Keep Sender: lines of local submissions.")
    localhost_number: Template | None = option(None, doc="Number of this host among those that share a queue, 0 to 16.")
    message_body_newlines: bool = option(False, doc="$message_body and $message_body_end keep newlines.")
    message_body_visible: int = option(500, doc="How much of the body these variables show, in bytes.")
    message_id_header_domain: Template | None = option(None, doc="Domain for Message-ID: lines that we add.")
    message_id_header_text: Template | None = option(None, doc="More text for Message-ID: lines that we add.")
    percent_hack_domains: DomainList | None = option(
        None, doc="Domains whose local parts may hold another address, as in a%b@c."
    )
    primary_hostname: str = option(lambda: _host_name(), doc="The name of this host.")
    qualify_domain: str = option("", doc="Domain for addresses without one; the primary host name unless set.")
    qualify_recipient: str = option("", doc="The same for recipients; qualify_domain unless set.")
    receive_timeout: Seconds = option("0s", doc="How long to wait for a local submission; 0 for ever.")
    received_header_text: Template = option(RECEIVED_HEADER, doc="The Received: line that every message gets.")
    received_headers_max: int = option(30, doc="A message with more Received: lines goes in circles.")
    return_path_remove: bool = option(True, doc="Remove Return-path: from messages that arrive.")
    strip_excess_angle_brackets: bool = option(False, doc="Take ``<<a@b>>`` for ``<a@b>``.")
    strip_trailing_dot: bool = option(False, doc="Take a dot at the end of a domain away.")
    uucp_from_pattern: str | None = option(UUCP_FROM, doc="Regular expression for UUCP's From line.")
    uucp_from_sender: Template | None = option("$1", doc="The sender, from what uucp_from_pattern matched.")


def _version() -> str:
    from eximious import EXIM_VERSION

    return EXIM_VERSION


def _host_name() -> str:
    from eximious.config.paths import host_name

    return host_name()
