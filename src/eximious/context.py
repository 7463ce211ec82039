"""What policy sees: the explicit place of everything that a string, a list or an ACL may refer to.

One context belongs to one thing going on: a session with its messages, a message being delivered, an expansion on the
command line. Variables are accessors on it; nothing about a message is ever kept in a module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eximious.address.delivery import Address
from eximious.spool.message import Client, Message

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.services import Services

NOWHERE = Address("")


class Context:
    """The present moment, for expansion: configuration, services, who is connected, which message, which address."""

    __slots__ = (
        "acl_arguments",
        "acl_depth",
        "acl_where",
        "address",
        "captures",
        "client",
        "config",
        "depth",
        "dnslist",
        "event",
        "facts",
        "host",
        "item",
        "lookup_value",
        "message",
        "named_list_cache",
        "reception",
        "router_name",
        "sending",
        "services",
        "session",
        "smtp_command",
        "trace",
        "transport_name",
        "verifying",
    )

    def __init__(self, config: Configuration, services: Services) -> None:
        self.config = config
        self.services = services
        self.client = Client()
        self.message = Message(self.client)
        self.address: Address = NOWHERE  # whose $local_part, $domain, ... are seen
        self.session: Any = None  # eximious.receive.session.Session while a client is connected
        self.reception: Any = None  # eximious.acl.settings.Reception while a message is received: what ACLs want done
        self.sending: Any = None  # eximious.send.connection.Connection while a transport talks to a host ($tls_out_...)
        self.host: Any = None  # eximious.address.delivery.Host that a transport talks to ($host, $host_address, ...)
        self.router_name = ""
        self.transport_name = ""
        self.captures: list[str] = []  # $0, $1, ... of the last match
        self.lookup_value: str | None = None  # $value
        self.item: str | None = None  # $item, in forany, map, filter, reduce, sort
        self.acl_arguments: list[str] = []  # $acl_arg1 ...
        self.acl_depth = 0  # of ACLs that call ACLs
        self.acl_where = ""  # which ACL is running ("RCPT", "DATA", ...), "" outside
        self.verifying = ""  # "R" or "S" while an address is verified ($verify_mode)
        self.smtp_command = ""
        self.dnslist: Any = None  # the last DNS list that matched ($dnslist_...)
        self.event: Any = None
        self.facts: dict[str, Any] = {}  # what features found out for the present moment, by feature
        self.named_list_cache: dict[Any, Any] = {}  # results of named lists, per subject; emptied with each message
        self.depth = 0  # of nested expansions
        self.trace: Any = None  # a collector of steps for -d and `explain`; None when nobody is looking
