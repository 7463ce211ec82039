"""An address on its way through routing and delivery, and the hosts that may take it."""

from __future__ import annotations

from typing import Any

from eximious.octets import lower


class Host:
    """A host to try for a remote delivery; `address` is "" until it has been looked up."""

    __slots__ = ("address", "asked_name", "dnssec", "last_try", "mx", "name", "port", "sort_key", "status", "why")

    def __init__(self, name: str, address: str = "", port: int = 0, mx: int | None = None) -> None:
        self.name = name
        self.asked_name = ""  # that the name was found for, if it is another one: what a certificate must be for
        self.address = address
        self.port = port  # 0 means the transport's
        self.mx = mx  # MX preference; None if not from an MX record
        self.sort_key = 0
        self.status = 0  # of the retry lookup
        self.why = ""
        self.last_try = 0.0
        self.dnssec = False

    def __repr__(self) -> str:
        return f"Host({self.name} [{self.address}]:{self.port})"


def unquoted(local_part: str) -> str:
    """A local part without the quotes and backslashes that its syntax needs: ``"john doe"`` is ``john doe``."""
    out: list[str] = []
    characters = iter(local_part)
    for character in characters:
        if character == "\\":
            out.append(next(characters, ""))
        elif character != '"':
            out.append(character)
    return "".join(out)


class Address:
    """One address: as an ACL sees a recipient, as routers work on it, as a transport delivers to it.

    `local_part` and `domain` are what routers see now (prefix and suffix removed, case as the router wants);
    `address` is the whole, unchanged.
    """

    __slots__ = (
        "address",
        "address_data",
        "child_count",
        "current_directory",
        "domain",
        "domain_data",
        "dsn_flags",
        "dsn_orcpt",
        "errno",
        "errors_to",
        "expand_again",
        "extra_headers",
        "fallback_hosts",
        "filter_counters",
        "flags",
        "gid",
        "groups",
        "home_directory",
        "host_list",
        "host_used",
        "initgroups",
        "local_part",
        "local_part_cased",
        "local_part_data",
        "local_part_prefix",
        "local_part_prefix_v",
        "local_part_suffix",
        "local_part_suffix_v",
        "message",
        "mode",
        "more_errno",
        "numeric",
        "onetime_parent",
        "parent",
        "recipient",
        "redirected_file",
        "remove_headers",
        "reply",
        "result",
        "return_file",
        "router",
        "router_variables",
        "self_hostname",
        "special_action",
        "srs",
        "start_router",
        "transport",
        "transport_return",
        "uid",
        "unique",
        "user_message",
    )

    def __init__(self, address: str, parent: Address | None = None) -> None:
        local_part, at, domain = address.rpartition("@")
        if not at:
            local_part, domain = domain, ""
        self.address = address
        # The key by which duplicates are found: the case of letters may matter in local parts.
        self.unique = f"{local_part}@{lower(domain)}" if domain else address
        if '"' in local_part or "\\" in local_part:
            local_part = unquoted(local_part)
        self.local_part_cased = local_part  # without quotes
        self.local_part = lower(local_part)
        self.domain = lower(domain)
        self.parent = parent  # the address this one was generated from
        self.recipient: Any = None  # the spool.message.Recipient it stems from
        self.onetime_parent = ""
        self.child_count = 0
        self.router: Any = None  # the eximious.routers.base.Router that accepted it
        self.transport: Any = None  # the eximious.transports.base.Transport chosen for it
        self.host_list: list[Host] = []
        self.fallback_hosts: list[Host] = []
        self.host_used: Host | None = None
        self.self_hostname = ""
        self.errors_to: str | None = None  # None: as the parent or the sender; "": the null sender
        self.extra_headers: list[str] = []
        self.remove_headers: list[str] = []
        self.home_directory = ""
        self.current_directory = ""
        self.uid: int | None = None
        self.gid: int | None = None
        self.initgroups = False
        self.groups: list[int] = []
        self.address_data: str | None = None
        self.domain_data: str | None = None
        self.local_part_data: str | None = None
        self.local_part_prefix = ""
        self.local_part_prefix_v = ""
        self.local_part_suffix = ""
        self.local_part_suffix_v = ""
        self.router_variables: dict[str, str] = {}  # r_...
        self.numeric: list[str] = []  # $0.. saved for the transport
        self.expand_again = False
        self.filter_counters: list[int] | None = None  # $n0 and so on, for the command of a filter's pipe
        self.flags: set[str] = set()  # "pipe", "file", "autoreply", "unseen", "ignore_error", "local", ...
        self.redirected_file = ""  # for pipe, file and autoreply addresses: the command, path or text
        self.mode: int | None = None  # of the file, for file addresses that a filter gave one
        self.reply: Any = None  # for autoreply addresses: the eximious.filters.actions.Reply that a filter asked for
        self.message = ""  # why it failed or was deferred, for the log
        self.user_message: str | None = None  # the same, for a person outside; None: not for them to know
        self.errno = 0
        self.more_errno = 0
        self.special_action = ""  # "freeze", ...
        self.return_file: Any = None
        self.result: Any = None
        self.transport_return = 0
        self.dsn_flags = 0
        self.dsn_orcpt = ""
        self.srs: str | None = None  # the sender to deliver with, rewritten by a redirect router
        self.start_router: Any = None  # where routing of this address starts; None: at the first router

    def return_path(self, sender: str) -> str:
        """The envelope sender to deliver with, for a message from `sender`."""
        if self.srs is not None:
            return self.srs
        return sender if self.errors_to is None else self.errors_to

    @property
    def top(self) -> Address:
        """The recipient of the message that this address stems from."""
        address = self
        while address.parent is not None:
            address = address.parent
        return address
