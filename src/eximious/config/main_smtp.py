"""Main options about SMTP sessions in which we are the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.config.option import Options, option

if TYPE_CHECKING:
    from eximious.config.values import ExpandedSeconds
    from eximious.expand.template import Template
    from eximious.lists.domain import DomainList
    from eximious.lists.host import HostList


class SmtpOptions(Options):
    """Who may connect, what is offered, how much is allowed."""

    accept_8bitmime: bool = option(True, doc="Offer 8BITMIME.")
    auth_advertise_hosts: HostList | None = option("*", doc="Clients to which AUTH is offered.")
    chunking_advertise_hosts: HostList | None = option("*", doc="Clients to which CHUNKING is offered.")
    dsn_advertise_hosts: HostList | None = option(None, doc="Clients to which DSN is offered.")
    helo_accept_junk_hosts: HostList | None = option(None, doc="Clients that may say anything in HELO and EHLO.")
    helo_allow_chars: str | None = option(None, doc="More characters that are allowed in HELO and EHLO.")
    helo_lookup_domains: DomainList | None = option(
        "@ : @[]", doc="Names in HELO that make us look up the client's real name."
    )
    helo_try_verify_hosts: HostList | None = option(None, doc="Clients whose HELO is verified, to no consequence.")
    helo_verify_hosts: HostList | None = option(None, doc="Clients that are refused if their HELO does not verify.")
    host_reject_connection: HostList | None = option(None, doc="Clients that are refused when they connect.")
    hosts_require_helo: HostList | None = option("*", doc="Clients that must say HELO or EHLO before MAIL.")
    limits_advertise_hosts: HostList | None = option("*", doc="Clients to which LIMITS is offered.")
    message_size_limit: Template = option("50M", doc="Largest message to accept; 0 for no limit.")
    pipelining_advertise_hosts: HostList | None = option("*", doc="Clients to which PIPELINING is offered.")
    pipelining_connect_advertise_hosts: HostList | None = option(
        "*", doc="Clients to which PIPECONNECT is offered.", later="early pipelining"
    )
    prdr_enable: bool = option(False, doc="Offer PRDR: answers for each recipient after the data.")
    recipient_unqualified_hosts: HostList | None = option(
        None, doc="Clients that may send recipients without a domain."
    )
    recipients_max: Template = option("50000", doc="Recipients of one message; 0 for no limit.")
    recipients_max_reject: bool = option(
        False, doc="Refuse a message with too many recipients instead of deferring those that are too many."
    )
    sender_unqualified_hosts: HostList | None = option(None, doc="Clients that may send senders without a domain.")
    smtp_accept_max_nonmail: int = option(10, doc="Commands without mail in one session, before it is ended.")
    smtp_accept_max_nonmail_hosts: HostList | None = option("*", doc="Clients to which that limit applies.")
    smtp_accept_max_per_connection: Template = option("1000", doc="Messages in one session; 0 for no limit.")
    smtp_accept_max_per_host: Template | None = option(None, doc="Connections from one host at the same time.")
    smtp_accept_queue: int = option(0, doc="With more connections than this, mail is queued; 0 for no limit.")
    smtp_accept_queue_per_connection: int = option(10, doc="Messages of one session that are delivered at once.")
    smtp_active_hostname: Template | None = option(
        None, doc="Our name in the session; the primary host name if it is empty or fails to expand."
    )
    smtp_banner: Template = option(
        "$smtp_active_hostname ESMTP Exim $version_number $tod_full", doc="The greeting, without its 220."
    )
    smtp_check_spool_space: bool = option(True, doc="Check that there is space for the SIZE that MAIL announces.")
    smtp_enforce_sync: bool = option(True, doc="End sessions of clients that speak before they are asked.")
    smtp_etrn_command: Template | None = option(None, doc="Command to run for ETRN.", later="ETRN")
    smtp_etrn_serialize: bool = option(True, doc="Only one ETRN at a time for the same argument.")
    smtp_max_synprot_errors: int = option(3, doc="Syntax and protocol errors in one session, before it is ended.")
    smtp_max_unknown_commands: int = option(3, doc="Unknown commands in one session, before it is ended.")
    smtp_ratelimit_hosts: HostList | None = option(None, doc="Clients to which smtp_ratelimit_mail and _rcpt apply.")
    smtp_ratelimit_mail: str | None = option(
        None, doc="``first,delay,factor,longest``: delays for MAIL in one session, growing."
    )
    smtp_ratelimit_rcpt: str | None = option(None, doc="``first,delay,factor,longest``: delays for RCPT in a message.")
    smtp_receive_timeout: ExpandedSeconds = option("5m", doc="How long to wait for a client; 0 for ever.")
    smtp_reserve_hosts: HostList | None = option(None, doc="Clients for which connections are kept free.")
    smtp_return_error_details: bool = option(False, doc="Tell clients why, in more detail.")
    smtputf8_advertise_hosts: HostList | None = option(
        "*", doc="Clients to which SMTPUTF8 is offered.", later="internationalised mail"
    )
    wellknown_advertise_hosts: HostList | None = option(
        None, doc="Clients to which XWELLKNOWN is offered.", later="XWELLKNOWN"
    )
