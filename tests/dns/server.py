"""A DNS server for tests: answers on loopback, over UDP and TCP, from zone text. The messages are dnspython's."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone

from eximious.dns.resolv_conf import ResolvConf

Change = Callable[[dns.message.Message, dns.message.Message, bool], dns.message.Message | bytes | None]


def _sockets() -> tuple[socket.socket, socket.socket]:
    """One for UDP and one for TCP, on the same port."""
    for _ in range(50):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        try:
            return udp, socket.create_server(("127.0.0.1", udp.getsockname()[1]))
        except OSError:  # somebody else has that port for TCP
            udp.close()
    raise RuntimeError("no port is free")


class Server:
    """`change` may replace a response (by another, by octets, by none at all) before it is sent."""

    def __init__(self, zone: str = "", change: Change | None = None) -> None:
        self.change = change
        self.asked: list[tuple[str, str, bool]] = []  # name, type, over TCP
        self.queries: list[dns.message.Message] = []
        self._records: dict[tuple[str, str], dns.rrset.RRset] = {}
        for line in filter(None, map(str.strip, zone.splitlines())):
            name, kind, data = line.split(None, 2)
            added = dns.rrset.from_text(name, 300, "IN", kind, data)
            known = self._records.setdefault((name.lower(), kind), added)
            known.update(added)  # type: ignore[no-untyped-call]
        self._udp, self._tcp = _sockets()
        self.port = self._udp.getsockname()[1]
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    def conf(self) -> ResolvConf:
        conf = ResolvConf()
        conf.servers = [("127.0.0.1", self.port)]
        conf.timeout = 1.0
        conf.trust_ad = True
        return conf

    def close(self) -> None:
        for sock in (self._udp, self._tcp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join()

    def _serve_udp(self) -> None:
        while True:
            try:
                wire, client = self._udp.recvfrom(65535)
            except OSError:
                return
            if not wire:
                return
            octets = self._answer(wire, over_tcp=False)
            if octets is not None:
                with contextlib.suppress(OSError):  # closed meanwhile
                    self._udp.sendto(octets, client)

    def _serve_tcp(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            with connection:
                octets = self._answer(connection.recv(65535)[2:], over_tcp=True)
                if octets is not None:
                    # In two pieces, as networks do.
                    octets = len(octets).to_bytes(2, "big") + octets
                    connection.sendall(octets[:1])
                    connection.sendall(octets[1:])

    def _answer(self, wire: bytes, *, over_tcp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        self.queries.append(query)
        question = query.question[0]
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind, over_tcp))
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA | dns.flags.AD
        exists = False
        while True:
            exists = exists or any(known == name for known, _ in self._records)
            found = self._records.get((name, kind))
            if found is not None:
                response.answer.append(found)
                break
            alias = self._records.get((name, "CNAME"))
            if alias is None:
                break
            response.answer.append(alias)
            name = alias[0].target.to_text().lower()
        if not exists:
            response.set_rcode(dns.rcode.NXDOMAIN)
        soa = self._records.get(("example.", "SOA"))
        if not response.answer and soa is not None:
            response.authority.append(soa)
        changed = self.change(query, response, over_tcp) if self.change is not None else response
        if changed is None or isinstance(changed, bytes):
            return changed
        return changed.to_wire(max_size=65535)
