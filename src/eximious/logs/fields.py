"""The fields of log lines that several kinds of line share: hosts, TLS, authentication, sender.

Each function gives text to append, with a space before it, or nothing. What is shown depends on `log_selector`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.logs.printing import printing
from eximious.spool.sender_host import says_more

if TYPE_CHECKING:
    from eximious.spool.message import Client
    from eximious.tls_session import TlsSession


class Fields:
    """Writes fields as the options log_selector, log_ports and print_topbitchars want them."""

    __slots__ = ("_ports", "selected", "top_bit")

    def __init__(self, selected: frozenset[str], ports: PortList | None = None, top_bit: bool = False) -> None:
        self.selected = selected
        self._ports = ports
        self.top_bit = top_bit

    def printing(self, text: str) -> str:
        """Text from outside, made fit for a log line."""
        return printing(text, top_bit=self.top_bit)

    def quoted(self, text: str) -> str:
        """The same between double quotes, with those inside escaped."""
        return '"' + printing(text.replace("\\", "\\\\").replace('"', '\\"'), top_bit=self.top_bit) + '"'

    def logs_port(self, port: int) -> bool:
        """True if log_ports lets the port be seen."""
        return port > 0 and (self._ports is None or self._ports.contains(port))

    # --- who is it --------------------------------------------------------------------------------------------------

    def full_host(self, client: Client) -> str:
        """``name (helo) [address]:port``, the value of $sender_fullhost; "" for a local submission."""
        if not client.host_address:
            return ""
        port = f":{client.host_port}" if "incoming_port" in self.selected and client.host_port > 0 else ""
        address = f"[{client.host_address}]{port}"
        name, helo = client.host_name, client.helo_name
        if not name:
            return f"({self.printing(helo)}) {address}" if helo else address
        if not says_more(helo, client):
            return f"{self.printing(name)} {address}"
        return f"{self.printing(name)} ({self.printing(helo)}) {address}"

    def host(self, client: Client) -> str:
        """`` H=name (helo) [address]:port I=[interface]:port``, with `` DS`` before it if DNSSEC says who it is."""
        if not client.host_address:
            return ""
        secure = " DS" if client.host_dnssec and "dnssec" in self.selected else ""
        return f"{secure} H={self.full_host(client)}{self.interface(client.interface_address, client.interface_port)}"

    def interface(self, address: str, port: int) -> str:
        """`` I=[address]:port``: our end of a connection."""
        if not address or "incoming_interface" not in self.selected:
            return ""
        return f" I=[{address}]:{port}" if self.logs_port(port) else f" I=[{address}]"

    def ident(self, client: Client) -> str:
        """`` U=ident``, of a local caller or by RFC 1413, and `` Ci=`` with the id of the connection."""
        ident = f" U={self.printing(client.ident)}" if client.ident else ""
        if client.connection_id and "connection_id" in self.selected:
            return f"{ident} Ci={client.connection_id}"
        return ident

    def host_and_ident(self, client: Client) -> str:
        """``H=name (helo) [address]:port I=[...]:25 U=ident``, without a space before it."""
        return (self.host(client) + self.ident(client)).lstrip(" ")

    # --- over what did it come --------------------------------------------------------------------------------------

    def tls(self, tls: TlsSession | None, *, is_arrival: bool = False) -> str:
        """`` X=cipher CV=yes DN="..." SNI=name`` of a TLS session, or of None. A line for an arrival
        has CV=no also for clients without a certificate, where any are asked for one."""
        if tls is None or not tls.cipher:
            return ""
        text = ""
        if "tls_cipher" in self.selected:
            resumed = "*" if tls.resumption & 4 and "tls_resumption" in self.selected else ""
            text += f" X={tls.cipher}{resumed}"
        if "tls_certificate_verified" in self.selected and (tls.peer_certificate or (is_arrival and tls.may_be_asked)):
            text += f" CV={('dane' if tls.dane else 'yes') if tls.is_verified else 'no'}"
        if "tls_peerdn" in self.selected and tls.peer_dn:
            text += f" DN={self.quoted(tls.peer_dn)}"
        if "tls_sni" in self.selected and tls.sni:
            text += f" SNI={self.printing(tls.sni)}"
        return text

    def authenticated(self, name: str, identity: str = "", sender: str = "") -> str:
        """`` A=authenticator:id:sender``; the last only with smtp_mailauth."""
        if not name:
            return ""
        text = f" A={name}"
        if identity:
            text += f":{self.printing(identity)}"
            if sender and "smtp_mailauth" in self.selected:
                text += f":{self.printing(sender)}"
        return text

    def proxy(self, external_address: str) -> str:
        """`` PRX=address``: the proxy through which the connection came."""
        return f" PRX={external_address}" if external_address and "proxy" in self.selected else ""


class PortList:
    """The option log_ports: numbers, ``!number`` and ``*``; the first that fits decides."""

    __slots__ = ("_rules",)

    def __init__(self, items: list[str]) -> None:
        self._rules = [(item.lstrip("! "), not item.startswith("!")) for item in map(str.strip, items) if item]

    def contains(self, port: int) -> bool:
        """True if the port is in the list; one that no item speaks of is if the last item is negated."""
        for text, wanted in self._rules:
            if text == "*" or text == str(port):
                return wanted
        return bool(self._rules) and not self._rules[-1][1]
