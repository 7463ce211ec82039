"""The client's side of LDAP version 3, as far as lookups need it: bind, StartTLS, search. (RFC 4511)"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from eximious.lookups import ber
from eximious.lookups.servers import Clock

if TYPE_CHECKING:
    from eximious.net.stream import Stream

LONGEST_MESSAGE: Final = 16 * 1024 * 1024  # octets
MOST_ENTRIES: Final = 10_000

BIND_REQUEST: Final = 0x60
BIND_RESPONSE: Final = 0x61
SEARCH_REQUEST: Final = 0x63
SEARCH_ENTRY: Final = 0x64
SEARCH_DONE: Final = 0x65
SEARCH_REFERENCE: Final = 0x73
REFERRALS: Final = 0xA3  # within a result
EXTENDED_REQUEST: Final = 0x77
EXTENDED_RESPONSE: Final = 0x78
UNBIND_REQUEST: Final = b"\x42\x00"
START_TLS: Final = b"1.3.6.1.4.1.1466.20037"

SUCCESS: Final = 0
SIZE_LIMIT_EXCEEDED: Final = 4
REFERRAL: Final = 10
NO_SUCH_OBJECT: Final = 32
INVALID_CREDENTIALS: Final = 49

# What results are called where only their number came. RFC 4511, appendix A.
RESULTS: Final = {
    1: "Operations error", 2: "Protocol error", 3: "Time limit exceeded", 4: "Size limit exceeded",
    7: "Authentication method not supported", 8: "Strong(er) authentication required", 10: "Referral",
    13: "Confidentiality required", 16: "No such attribute", 17: "Undefined attribute type", 32: "No such object",
    34: "Invalid DN syntax", 48: "Inappropriate authentication", 49: "Invalid credentials",
    50: "Insufficient access", 51: "Server is busy", 52: "Server is unavailable", 53: "Server is unwilling to perform",
}  # fmt: skip


class LdapError(Exception):
    """The server said no; `code` is its result, and the string is what that is called."""

    def __init__(self, code: int, text: str = "", matched: str = "", referrals: Sequence[str] = ()) -> None:
        super().__init__(RESULTS.get(code) or text or f"LDAP error {code}")
        self.code = code
        self.text = text  # the server's own words
        self.matched = matched  # how much of the name exists
        self.referrals = referrals  # URLs of servers to ask instead

    @property
    def details(self) -> str:
        """All that is known, with slashes between."""
        return "/".join(word for word in (str(self), self.matched, self.text) if word)


class Search:
    """What to look for."""

    __slots__ = ("attributes", "base", "dereference", "filter", "scope", "size_limit", "time_limit")

    def __init__(self) -> None:
        self.base = b""
        self.scope = 0  # 0 the entry itself, 1 those below, 2 the whole tree
        self.filter = b""  # in BER
        self.attributes: list[bytes] = []
        self.dereference = 0
        self.size_limit = 0
        self.time_limit = 0


Entry = tuple[bytes, list[tuple[bytes, list[bytes]]]]  # name, and attributes with their values


class Connection:
    """One connection to a server."""

    def __init__(self, stream: Stream, limit: float) -> None:
        """`limit` is the time for one answer, in seconds."""
        self.stream = stream
        self.limit = limit
        self._clock = Clock(limit)
        self.bound_as: tuple[bytes, bytes] | None = None
        self._buffer = bytearray()
        self._last_id = 0

    def close(self) -> None:
        """Say goodbye."""
        with contextlib.suppress(OSError):
            self._send(UNBIND_REQUEST)
        self.stream.close()

    def bind(self, user: bytes, password: bytes) -> None:
        """Say who we are. Raises LdapError."""
        credentials = ber.integer(3) + ber.string(user) + ber.string(password, 0x80)
        self._send(ber.encode(BIND_REQUEST, credentials))
        self._result(self._receive(), BIND_RESPONSE)
        self.bound_as = (user, password)

    def start_tls(self, context: Any, name: str) -> None:
        """Go on encrypted. Raises LdapError or OSError."""
        self._send(ber.encode(EXTENDED_REQUEST, ber.string(START_TLS, 0x80)))
        self._result(self._receive(), EXTENDED_RESPONSE)
        self.stream.start_tls_client(context, name)

    def search(self, search: Search) -> list[Entry]:
        """The entries that are found, perhaps only as many as a limit of size lets through. Raises LdapError."""
        attributes = b"".join(ber.string(name) for name in search.attributes)
        request = (
            ber.string(search.base)
            + ber.integer(search.scope, ber.ENUMERATED)
            + ber.integer(search.dereference, ber.ENUMERATED)
            + ber.integer(search.size_limit)
            + ber.integer(search.time_limit)
            + ber.boolean(False)
            + search.filter
            + ber.encode(ber.SEQUENCE, attributes)
        )
        self._send(ber.encode(SEARCH_REQUEST, request))
        entries: list[Entry] = []
        while True:
            tag, content = self._receive()
            if tag == SEARCH_ENTRY:
                entries.append(_entry(content))
                if len(entries) > MOST_ENTRIES:
                    raise LdapError(SIZE_LIMIT_EXCEEDED)
            elif tag != SEARCH_REFERENCE:  # to parts of the tree that others have, which are left out
                self._search_done(tag, content)
                return entries

    def _search_done(self, tag: int, content: bytes) -> None:
        try:
            self._result((tag, content), SEARCH_DONE)
        except LdapError as error:
            if error.code != SIZE_LIMIT_EXCEEDED:
                raise

    def _send(self, operation: bytes) -> None:
        self._last_id += 1
        self._clock = Clock(self.limit)
        self.stream.timeout = self.limit
        self.stream.write(ber.encode(ber.SEQUENCE, ber.integer(self._last_id) + operation))
        self.stream.flush()

    def _receive(self) -> tuple[int, bytes]:
        """The next operation that answers the last request. Raises LdapError or OSError."""
        while True:
            try:
                message = ber.Reader(self._message())
                number = message.integer()
                tag, content = message.next()
            except ber.BerError as error:
                raise LdapError(2, f"the server's answer makes no sense: {error}") from None
            if number == self._last_id:
                return tag, content
            if number == 0:
                raise LdapError(52, "the server ends the connection")

    def _message(self) -> bytes:
        while True:
            length = ber.complete_length(self._buffer)
            if length > LONGEST_MESSAGE:
                raise ber.BerError("message is too long")
            if length and len(self._buffer) >= length:
                octets = bytes(self._buffer[:length])
                del self._buffer[:length]
                return ber.Reader(octets).expect(ber.SEQUENCE)
            self.stream.timeout = self._clock.left()
            data = self.stream.read()
            if not data:
                raise ConnectionResetError("the server closed the connection")
            self._buffer += data

    @staticmethod
    def _result(operation: tuple[int, bytes], expected: int) -> None:
        tag, content = operation
        if tag != expected:
            raise LdapError(2, f"the server answered with operation {tag:#x}")
        try:
            reader = ber.Reader(content)
            code = reader.integer(ber.ENUMERATED)
            matched = reader.expect(ber.OCTET_STRING).decode("latin-1")
            text = reader.expect(ber.OCTET_STRING).decode("latin-1")
            referrals = [] if code != REFERRAL or reader.is_at_end else _strings(reader.expect(REFERRALS))
        except ber.BerError as error:
            raise LdapError(2, f"the server's answer makes no sense: {error}") from None
        if code != SUCCESS:
            raise LdapError(code, text, matched, referrals)


def _strings(content: bytes) -> list[str]:
    """Strings one after the other."""
    found: list[str] = []
    reader = ber.Reader(content)
    try:
        while not reader.is_at_end:
            found.append(reader.expect(ber.OCTET_STRING).decode("latin-1"))
    except ber.BerError as error:
        raise LdapError(2, f"the server's answer makes no sense: {error}") from None
    return found


def _entry(content: bytes) -> Entry:
    try:
        reader = ber.Reader(content)
        name = reader.expect(ber.OCTET_STRING)
        attributes: list[tuple[bytes, list[bytes]]] = []
        found = ber.Reader(reader.expect(ber.SEQUENCE))
        while not found.is_at_end:
            attribute = ber.Reader(found.expect(ber.SEQUENCE))
            attribute_name = attribute.expect(ber.OCTET_STRING)
            values = ber.Reader(attribute.expect(ber.SET))
            texts: list[bytes] = []
            while not values.is_at_end:
                texts.append(values.expect(ber.OCTET_STRING))
            attributes.append((attribute_name, texts))
    except ber.BerError as error:
        raise LdapError(2, f"the server's answer makes no sense: {error}") from None
    return name, attributes
