"""A message and where it came from: what the -H file of the spool holds, as plain records.

Text is octets in `str` (latin-1). Times are UNIX times in seconds; sizes are bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from eximious.tls_session import TlsSession

# Types of header lines, as in -H files: what kind of header a line is, or that it is deleted ("*").
DELETED: Final = "*"
OTHER: Final = " "


class Header:
    """One header, folded lines and all: `text` ends with a newline and has only LF inside."""

    __slots__ = ("kind", "text")

    def __init__(self, text: str, kind: str = OTHER) -> None:
        self.text = text
        self.kind = kind  # one character: B Bcc, C Cc, F From, I Message-Id, P Received, R Reply-To, S Sender, T To

    @property
    def name(self) -> str:
        """The field's name as written, without the colon or white space before it."""
        return self.text.partition(":")[0].rstrip(" \t")


class Recipient:
    """One envelope recipient, with what its RCPT command asked for."""

    __slots__ = ("address", "bmi_optin", "dsn_flags", "errors_to", "given", "orcpt", "parent_number")

    def __init__(self, address: str) -> None:
        self.address = address  # local_part@domain
        self.given = ""  # while the message comes in: what the sender gave, if that was made complete or rewritten
        self.errors_to = ""  # set by redirect routers with one_time
        self.parent_number = -1  # index of the parent recipient, with one_time; -1 for none
        self.orcpt = ""  # RFC 3461 ORCPT
        self.dsn_flags = 0  # RFC 3461 NOTIFY: 1 success, 2 failure, 4 delay, 8 never (see eximious.smtp.dsn)
        self.bmi_optin = ""


class Client:
    """Who gave us the message, and over what: one for each connection, shared by its messages.

    A local submission has `host_address` "" (and a login in `ident`).
    """

    __slots__ = (
        "acl_variables",
        "active_host_name",
        "auth_results",
        "authenticated_fail_id",
        "authenticated_id",
        "authenticator_name",
        "authenticator_public_name",
        "connection_id",
        "helo_name",
        "helo_verified",
        "host_address",
        "host_dnssec",
        "host_lookup_deferred",
        "host_lookup_failed",
        "host_name",
        "host_port",
        "ident",
        "interface_address",
        "interface_port",
        "is_interactive",
        "is_local",
        "proxy",
        "tls",
    )

    def __init__(self) -> None:
        self.host_address = ""
        self.host_port = 0
        self.host_name: str | None = None  # verified by reverse lookup; None while not looked up or not found
        self.host_dnssec = False
        self.host_lookup_failed = False
        self.host_lookup_deferred = False
        self.interface_address = ""
        self.interface_port = 0
        self.helo_name = ""
        self.helo_verified = False
        self.ident = ""
        self.authenticated_id = ""
        self.authenticated_fail_id = ""
        self.authenticator_name = ""
        self.connection_id = ""  # Ci= in the log
        self.authenticator_public_name = ""  # as in the AUTH command: PLAIN, CRAM-MD5, ...
        self.auth_results: list[str] = []
        self.is_local = False  # submitted on this machine, by command line or -bs
        self.is_interactive = False
        self.active_host_name = ""  # $smtp_active_hostname
        self.tls: TlsSession | None = None
        self.proxy: Any = None
        self.acl_variables: dict[str, str] = {}  # acl_c...: "c0", "c_name" without the "acl_"


class Message:
    """A message from its MAIL command to its last delivery."""

    __slots__ = (
        "acl_variables",
        "age_warnings",
        "allow_unqualified_recipient",
        "allow_unqualified_sender",
        "authenticated_sender",
        "body",
        "body_line_count",
        "body_size",
        "body_zero_count",
        "client",
        "deliver_first_time",
        "dont_deliver",
        "dsn_envid",
        "dsn_return",
        "facts",
        "frozen_at",
        "has_8bit",
        "headers",
        "id",
        "is_frozen",
        "is_locally_submitted_error",
        "line_count",
        "login",
        "manual_thaw",
        "max_received_line_length",
        "no_delay",
        "nonrecipients",
        "originator_gid",
        "originator_uid",
        "queue_name",
        "received_at",
        "received_complete_seconds",
        "received_protocol",
        "recipients",
        "sender",
        "sender_is_local",
        "sender_rewritten_from",
        "sender_set_untrusted",
        "size",
        "smtp_utf8",
        "spool_extra",
        "utf8_downconvert",
        "warning_count",
    )

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client()
        self.id = ""  # 23 characters, "" before one is assigned
        self.queue_name = ""  # "" is the default queue
        self.sender = ""  # "" is the null sender (bounces)
        self.sender_is_local = False
        self.sender_rewritten_from = ""  # $sender_address before rewriting, "" if unchanged
        self.sender_set_untrusted = False
        self.authenticated_sender = ""
        self.recipients: list[Recipient] = []
        self.nonrecipients: set[str] = set()  # addresses that are done with: delivered or failed
        self.headers: list[Header] = []
        self.body: Any = None  # an eximious.spool.body.Body
        self.body_size = 0
        self.body_line_count = 0
        self.body_zero_count = 0
        self.max_received_line_length = 0
        self.line_count = 0
        self.size = 0  # headers and body, as delivered to a mailbox
        self.login = ""  # of the submitting user
        self.originator_uid = 0
        self.originator_gid = 0
        self.received_at = 0.0
        self.received_complete_seconds = 0.0  # how long reception took
        self.received_protocol = ""
        self.acl_variables: dict[str, str] = {}  # acl_m...: "m0", "m_name"
        self.allow_unqualified_recipient = False
        self.allow_unqualified_sender = False
        self.is_locally_submitted_error = False  # -local_error: a bounce made here
        self.deliver_first_time = True
        self.is_frozen = False
        self.frozen_at = 0
        self.manual_thaw = False
        self.no_delay = False
        self.has_8bit = False
        self.smtp_utf8 = False
        self.utf8_downconvert = 0  # control=utf8_downconvert: 1 always, -1 only if the next host cannot SMTPUTF8
        self.dont_deliver = False  # -N: go through the motions of delivery only
        self.dsn_envid = ""
        self.dsn_return = 0  # RFC 3461 RET: 0 not given, 1 FULL, 2 HDRS
        self.warning_count = 0  # delay warnings sent so far
        self.age_warnings = 0
        self.spool_extra: list[str] = []  # lines of the -H file that this version does not know, kept as they are
        self.facts: dict[str, Any] = {}  # what features found out (an SPF verdict, a spam report), by feature
