"""Between octets and ciphertext: one TLS connection on memory alone."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from OpenSSL import SSL

from eximious.tls.ciphers import standard_name
from eximious.tls.errors import TlsError, describe
from eximious.tls.names import one_line
from eximious.tls_session import TlsSession

if TYPE_CHECKING:
    from OpenSSL.crypto import X509

PIECE: Final = 65536  # octets taken from OpenSSL at a time


class TlsLayer:
    """`feed` takes ciphertext and `take_output` gives it; `read` and `write` are for the plaintext between.

    After the peer's close_notify, or a fault, `is_closed` is true and nothing is read any more, whatever comes
    (CVE-2026-45185). Raises TlsError.
    """

    def __init__(self, connection: SSL.Connection, operation: str) -> None:
        self._connection = connection
        self._operation = operation
        self._is_established = False
        self._buffered = b""  # plaintext that was looked for and not read
        self.is_closed = False
        self.requires_alpn = False
        self.record = TlsSession()  # filled while shaking hands
        connection.set_app_data(self)

    def shake_hands(self) -> bool:
        """Go on with the handshake; True when it is done, False if it needs more from the peer."""
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            self.is_closed = True
            raise TlsError(self._operation, describe(error)) from None
        except TlsError:
            self.is_closed = True
            raise
        if self.requires_alpn and not self._connection.get_alpn_proto_negotiated():
            self.close()
            raise TlsError(self._operation, "TLS: ALPN required but not negotiated")
        self._is_established = True
        return True

    def feed(self, data: bytes) -> None:
        """Ciphertext from the peer."""
        rest = memoryview(data)
        while rest:
            taken = self._connection.bio_write(bytes(rest[:PIECE]))
            rest = rest[taken:]

    def take_output(self) -> bytes:
        """Ciphertext for the peer; b"" if there is none."""
        parts: list[bytes] = []
        while True:
            try:
                parts.append(self._connection.bio_read(PIECE))
            except SSL.WantReadError:
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def read(self, size: int) -> bytes:
        """Plaintext, if what was fed holds some; else b"" (then look at `is_closed`)."""
        if self._buffered:
            data, self._buffered = self._buffered[:size], self._buffered[size:]
            return data
        if self.is_closed:
            return b""
        try:
            return self._connection.recv(size)
        except SSL.WantReadError:
            return b""
        except SSL.ZeroReturnError:
            self.is_closed = True
            return b""
        except SSL.Error as error:
            self.is_closed = True
            raise TlsError("SSL_read", describe(error)) from None

    def has_input(self) -> bool:
        """True if `read` would give something now."""
        if not self._buffered:
            self._buffered = self.read(PIECE)
        return bool(self._buffered)

    def write(self, data: bytes) -> None:
        """Plaintext for the peer."""
        rest = memoryview(data)
        try:
            while rest:
                sent = self._connection.send(bytes(rest[:PIECE]))
                rest = rest[sent:]
        except SSL.Error as error:
            self.is_closed = True
            raise TlsError("SSL_write", describe(error)) from None

    def end_of_input(self) -> None:
        """The peer's octets ended, with or without close_notify."""
        self.is_closed = True

    def cut_off(self) -> TlsError:
        """The error of a handshake whose other side went away."""
        self.is_closed = True
        error = TlsError(self._operation, "error:0A000126:SSL routines::unexpected eof while reading")
        error.is_cut_off = True
        return error

    def close(self) -> None:
        """Say close_notify."""
        if self._is_established:
            with suppress(SSL.Error):  # the peer's fault, and too late to matter
                self._connection.shutdown()
        self.is_closed = True

    def session(self) -> TlsSession:
        """What was agreed on."""
        connection = self._connection
        session = self.record
        name = connection.get_cipher_name() or ""
        session.version = connection.get_protocol_version_name().replace("TLSv", "TLS")
        session.bits = connection.get_cipher_bits() or 0
        session.cipher = f"{session.version}:{name}:{session.bits}"
        session.cipher_std = standard_name(name)
        session.alpn = connection.get_alpn_proto_negotiated().decode("latin-1")
        session.sni = (connection.get_servername() or b"").decode("latin-1")
        session.our_certificate = _plain(connection.get_certificate())
        peer = session.peer_certificate = _plain(connection.get_peer_certificate())
        if peer is not None:
            session.peer_dn = one_line(peer.subject)
        return session


def _plain(certificate: X509 | None):  # type: ignore[no-untyped-def]
    return None if certificate is None else certificate.to_cryptography()
