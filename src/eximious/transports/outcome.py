"""How a delivery ended, for each address: what transports give back and everything after them works with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eximious.errors import EximiousError

if TYPE_CHECKING:
    from eximious.address.delivery import Host
    from eximious.tls_session import TlsSession

# Status of an outcome.
DELIVERED: Final = "delivered"
DEFERRED: Final = "deferred"
FAILED: Final = "failed"

# Error numbers beyond the system's `errno`, as Exim shows them in ``defer (-22)`` and keeps them in retry hints.
UNKNOWN: Final = -1
NOT_REGULAR_FILE: Final = -4
NOT_DIRECTORY: Final = -5
BAD_OWNER: Final = -6
BAD_MODE: Final = -7
INODE_CHANGED: Final = -8
LOCK_FAILED: Final = -9
CONNECTION_CLOSED: Final = -18
BAD_REPLY: Final = -19
NOT_ABSOLUTE: Final = -21
QUOTA: Final = -22
HELD: Final = -23
FILTER_FAILED: Final = -24
HEADER_CHANGE_FAILED: Final = -25
EXPAND_FAILED: Final = -27
NO_GROUP: Final = -28
NO_USER: Final = -29
BAD_TRANSPORT: Final = -30
UNKNOWN_HOST: Final = -32
UNKNOWN_FORMAT: Final = -33
BAD_CREATION: Final = -34
LIST_DEFER: Final = -35
TLS_FAILURE: Final = -37
TLS_REQUIRED: Final = -38
AUTHENTICATION_FAILED: Final = -42
CONNECT_TIMEOUT: Final = -43
RCPT_4XX: Final = -44
MAIL_4XX: Final = -45
DATA_4XX: Final = -46
ROUTING_RETRY: Final = -52  # the retry time for routing has not come
LOCAL_RETRY: Final = -53  # ... for a local delivery
HOST_RETRY: Final = -54  # ... for any of the hosts
LOCAL_ONLY: Final = -55  # queue_smtp_domains, or a run for local deliveries only
QUEUE_DOMAIN: Final = -56  # in queue_domains
TRANSPORT_BUSY: Final = -57  # max_parallel

EXPLICITLY_QUEUED: Final = "SMTP delivery explicitly queued"

# `special_action` of an outcome.
FREEZE: Final = "freeze"


class Sent:
    """What is worth logging about the connection and transaction that carried a message; shared by its recipients."""

    __slots__ = (
        "authenticated_id",
        "authenticator",
        "chunking",
        "dane",
        "dkim",
        "dnssec",
        "early_pipelining",
        "fast_open",
        "greeting",
        "hello_reply",
        "interface",
        "interface_port",
        "mailauth_sender",
        "pipelining",
        "prdr",
        "proxy",
        "reused",
        "shows_identity",
        "steps",
        "tls",
    )

    def __init__(self) -> None:
        self.authenticator = ""
        self.authenticated_id = ""
        self.mailauth_sender = ""
        self.chunking = False
        self.dane = False
        self.dkim = ""  # domains and selectors of the signatures that were put on
        self.dnssec = False
        self.early_pipelining = False
        self.fast_open = False
        self.greeting = ""  # of the remote host
        self.hello_reply = ""  # to EHLO, HELO or LHLO
        self.interface = ""  # our end of the connection
        self.interface_port = 0
        self.pipelining = False
        self.prdr = False
        self.proxy: tuple[str, int] | None = None  # our address as a SOCKS proxy or such shows it
        self.reused = False  # not the first message on this connection: the ``*`` after the host
        self.shows_identity = True  # who each side is goes into the log; not where another message came first
        self.steps = ""  # of the start: s TLS, e EHLO, h HELO, l LHLO, a authentication
        self.tls: TlsSession | None = None


class Outcome:
    """How the delivery to one address ended."""

    __slots__ = (
        "confirmation",
        "dsn_relayed",
        "errno",
        "follows",
        "host",
        "is_first",
        "is_panic",
        "log_output",
        "message",
        "more_errno",
        "output",
        "retries",
        "retry_skipped",
        "return_output",
        "return_path",
        "sent",
        "shadow_message",
        "shadow_name",
        "size",
        "special_action",
        "started_at",
        "status",
        "took",
        "tries_fallback",
        "user_message",
    )

    def __init__(self, status: str, message: str = "", errno: int = 0, more_errno: int = 0) -> None:
        self.status = status
        self.message = message  # for the log; "" if the error number says it all
        self.user_message = ""  # for the bounce; "" if it shall not say why
        self.errno = errno  # the system's, or one of the negative ones above
        self.more_errno = more_errno  # for retry rules: ``quota_7d``, ``rcpt_45x``, ``timeout_A``, ...
        self.special_action = ""
        self.is_panic = False  # something that the postmaster must look at: for the panic log too
        self.host: Host | None = None  # that took or refused the message
        self.sent: Sent | None = None
        self.is_first = False  # of the transaction's addresses, delivered or not: its line shows the DKIM signatures
        self.follows = False  # delivered in the same transaction as an address before it: ``->``, not ``=>``
        self.confirmation = ""  # the host's last words
        self.dsn_relayed = False  # the next host promised to send delivery status notifications itself
        self.output: bytes | None = None  # of a command
        self.return_output = False  # in the bounce
        self.log_output = False  # its first line
        self.retries: list[Any] = []  # eximious.retry.updates.RetryUpdate: what was learnt about hosts and the address
        self.retry_skipped = False  # some host was left alone since its retry time has not come
        self.tries_fallback = False  # no host could be reached: fallback hosts may do
        self.return_path: str | None = None  # as delivered, if the transport changed it
        self.shadow_name = ""
        self.shadow_message = ""  # why the shadow delivery failed
        self.size = 0  # octets delivered
        self.started_at = 0.0
        self.took = 0.0  # seconds

    def copy(self) -> Outcome:
        """The same for another address."""
        other = Outcome(self.status)
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    def __repr__(self) -> str:
        return f"Outcome({self.status}, {self.message!r}, {self.errno})"


def delivered() -> Outcome:
    """A success."""
    return Outcome(DELIVERED)


def deferred(message: str, errno: int = UNKNOWN, more_errno: int = 0) -> Outcome:
    """To be tried again later."""
    return Outcome(DEFERRED, message, errno, more_errno)


def panicked(message: str, errno: int = UNKNOWN) -> Outcome:
    """To be tried again later, when the postmaster has put something right."""
    outcome = Outcome(DEFERRED, message, errno)
    outcome.is_panic = True
    return outcome


def failed(message: str, errno: int = UNKNOWN) -> Outcome:
    """Never to be tried again: the message bounces."""
    return Outcome(FAILED, message, errno)


class Unable(EximiousError):
    """Nothing of a batch can be delivered: the outcome for all its addresses."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome
