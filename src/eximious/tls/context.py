"""TLS contexts: certificates, what is allowed, and how the other side is verified."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from OpenSSL import SSL, crypto

from eximious.tls.errors import TlsError, describe, verify_error
from eximious.tls.layer import TlsLayer
from eximious.tls.names import is_for_host, one_line
from eximious.tls.options import DEFAULT, parse_options

CRL_LIMIT: Final = 64 * 1024 * 1024  # bytes of a file of revocation lists


class Verify(enum.Enum):
    """What is done about the other side's certificate."""

    NONE = "not asked for"
    TRY = "verified, and whatever comes of it is known afterwards"
    REQUIRE = "the handshake fails unless it verifies"


class Context:
    """What client and server contexts share. Making one reads files and takes milliseconds: keep it."""

    def __init__(
        self,
        *,
        certificates: Sequence[str] = (),
        private_keys: Sequence[str] = (),
        ciphers: str = "",
        options: str = "",
        verify: Verify = Verify.NONE,
        verify_certificates: str = "",
        crl: str = "",
    ) -> None:
        """`certificates` and `private_keys` are PEM files (a key may be in its certificate's file).

        `options` is in the manner of `openssl_options`; `verify_certificates` a PEM file, a directory with hashes or
        ``system``; `crl` a PEM file or a directory of such. Raises TlsError; ValueError for bad options.
        """
        self._context = SSL.Context(self._method)
        self._context.set_options(parse_options(options) if options else DEFAULT)
        self._context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        self.verify = verify
        if ciphers:
            names = ciphers.replace("_", "-")  # RFCs write the names with underscores, OpenSSL with hyphens
            self._call("SSL_CTX_set_cipher_list", self._context.set_cipher_list, names.encode("latin-1"))
        for number, certificate in enumerate(certificates):
            key = private_keys[number] if number < len(private_keys) else certificate
            self._use(certificate, key)
        if verify is not Verify.NONE:
            self._trust(verify_certificates)
            if crl:
                self._revoke(crl)
            self._context.set_verify(self._verify_mode(), _judge)

    _method: int

    def _verify_mode(self) -> int:
        return SSL.VERIFY_PEER

    def _call(self, operation: str, function, *args: object) -> None:  # type: ignore[no-untyped-def]
        try:
            function(*args)
        except SSL.Error as error:
            raise TlsError(operation, describe(error)) from None
        except OSError as error:
            raise TlsError(operation, error.strerror or str(error)) from None

    def _call_with_file(self, operation: str, function: Callable[[bytes], object], path: str) -> None:
        """`_call` with a file, of which the library would not say why it cannot be read."""
        operation = f"{operation} file={path}"
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            raise TlsError(operation, f"error:8000{error.errno:04X}:system library::{error.strerror}") from None
        self._call(operation, function, os.fsencode(path))

    def _use(self, certificate: str, key: str) -> None:
        self._call_with_file(
            "SSL_CTX_use_certificate_chain_file", self._context.use_certificate_chain_file, certificate
        )
        self._call_with_file("SSL_CTX_use_PrivateKey_file", self._context.use_privatekey_file, key)
        self._call(f"SSL_CTX_check_private_key file={key}", self._context.check_privatekey)

    def _trust(self, where: str) -> None:
        if where == "system":
            self._context.set_default_verify_paths()
        elif os.path.isdir(where):
            self._call(
                f"SSL_CTX_load_verify_locations dir={where}",
                self._context.load_verify_locations,
                None,
                os.fsencode(where),
            )
        elif where:
            self._call(
                f"SSL_CTX_load_verify_locations file={where}",
                self._context.load_verify_locations,
                os.fsencode(where),
            )

    def _revoke(self, where: str) -> None:
        from cryptography.x509 import load_pem_x509_crl

        store = self._context.get_cert_store()
        assert store is not None
        end = b"-----END X509 CRL-----"
        try:
            files = [os.path.join(where, name) for name in os.listdir(where)] if os.path.isdir(where) else [where]
            for name in files:
                with open(name, "rb") as file:
                    text = file.read(CRL_LIMIT)
                for piece in text.split(end)[:-1]:
                    store.add_crl(load_pem_x509_crl(piece + end))
        except (OSError, ValueError, crypto.Error) as error:
            raise TlsError(f"X509_load_crl_file file={where}", str(error)) from None
        store.set_flags(crypto.X509StoreFlags.CRL_CHECK | crypto.X509StoreFlags.CRL_CHECK_ALL)

    def _set_curves(self, names: Sequence[str]) -> None:
        # pyOpenSSL has a method for a single curve only; the library's own function takes a list.
        library = SSL._lib  # type: ignore[attr-defined]
        text = ":".join(names)
        if library.SSL_CTX_set1_curves_list(self._context._context, text.encode("latin-1", "replace")) != 1:
            library.ERR_clear_error()
            raise TlsError(f"SSL_CTX_set1_groups_list {text}", "unknown curve")


class ServerContext(Context):
    """For connections that we accept. Without certificates it cannot shake hands: see `eximious.tls.self_signed`."""

    _method = SSL.TLS_SERVER_METHOD

    def __init__(
        self,
        *,
        certificates: Sequence[str] = (),
        private_keys: Sequence[str] = (),
        ciphers: str = "",
        options: str = "",
        verify: Verify = Verify.NONE,
        verify_certificates: str = "",
        crl: str = "",
        dh: str = "",
        dh_max_bits: int = 0,
        curves: Sequence[str] = (),
        alpn: Sequence[str] = (),
        require_alpn: bool = False,
        self_signed_for: str = "",
    ) -> None:
        """`dh` is a PEM file (an absolute path) or the name of a group, "" for a usual one, ``none`` for none;
        `dh_max_bits` the largest size of a prime in a file (0: any). `curves` are OpenSSL's names, none for its own
        choice; `alpn` the protocols we speak; `self_signed_for` a host name for which a certificate is made up.
        """
        super().__init__(
            certificates=certificates,
            private_keys=private_keys,
            ciphers=ciphers,
            options=options,
            verify=verify,
            verify_certificates=verify_certificates,
            crl=crl,
        )
        self._require_alpn = require_alpn
        self._context.set_session_id(b"eximious")
        if verify is not Verify.NONE and verify_certificates and os.path.isfile(verify_certificates):
            self._context.load_client_ca(os.fsencode(verify_certificates))
        self._set_dh(dh, dh_max_bits)
        if curves:
            self._set_curves(curves)
        if alpn:
            self._alpn = [name.encode("latin-1") for name in alpn]
            self._context.set_alpn_select_callback(self._choose_alpn)
        if self_signed_for:
            from eximious.tls.self_signed import make

            certificate, key = make(self_signed_for)
            self._context.use_certificate(certificate)
            self._context.use_privatekey(key)

    def _verify_mode(self) -> int:
        if self.verify is Verify.REQUIRE:
            return SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        return SSL.VERIFY_PEER

    def _set_dh(self, dh: str, max_bits: int) -> None:
        from eximious.tls.dh import DEFAULT, bits_in, parameters

        if dh == "none":
            return
        if dh.startswith("/"):
            try:
                bits = bits_in(dh)
            except (OSError, ValueError) as error:
                raise TlsError(f"PEM_read_bio_DHparams file={dh}", str(error)) from None
            if not max_bits or bits <= max_bits:
                # A group that is too small for the library is left out, as one that is too large for us.
                with suppress(SSL.Error):
                    self._context.load_tmp_dh(os.fsencode(dh))
            return
        pem = parameters(dh or DEFAULT)
        if pem is None:
            raise TlsError(f"DH parameters {dh}", "unknown group")
        fd = os.memfd_create("dh")
        try:
            os.write(fd, pem)
            self._context.load_tmp_dh(b"/proc/self/fd/%d" % fd)
        finally:
            os.close(fd)

    def _choose_alpn(self, _connection: SSL.Connection, offered: list[bytes]) -> bytes:
        """The protocol that the client offers, if it offers one only and it is ours; else the handshake fails."""
        if len(offered) == 1 and offered[0] in self._alpn:
            return offered[0]
        names = b", ".join(offered).decode("latin-1")
        raise TlsError("SSL_accept", f"TLS ALPN ({names}) rejected")

    def layer(self) -> TlsLayer:
        """For one connection, about to shake hands."""
        connection = SSL.Connection(self._context, None)
        connection.set_accept_state()
        layer = VerifyingLayer(connection, "SSL_accept", self.verify, ())
        layer.requires_alpn = self._require_alpn
        return layer


class ClientContext(Context):
    """For connections that we make. `verify_names` are host names of which the certificate must have one; empty if
    it need not."""

    _method = SSL.TLS_CLIENT_METHOD

    def __init__(
        self,
        *,
        certificates: Sequence[str] = (),
        private_keys: Sequence[str] = (),
        ciphers: str = "",
        options: str = "",
        verify: Verify = Verify.NONE,
        verify_certificates: str = "",
        crl: str = "",
        verify_names: Sequence[str] = (),
        alpn: Sequence[str] = (),
        require_alpn: bool = False,
        curves: Sequence[str] = (),
    ) -> None:
        super().__init__(
            certificates=certificates,
            private_keys=private_keys,
            ciphers=ciphers,
            options=options,
            verify=verify,
            verify_certificates=verify_certificates,
            crl=crl,
        )
        self.verify_names = tuple(verify_names)
        self._require_alpn = require_alpn
        if curves:
            self._set_curves(curves)
        if alpn:
            self._context.set_alpn_protos([name.encode("latin-1") for name in alpn])

    def layer(self, name: str = "", verify_names: Sequence[str] | None = None) -> TlsLayer:
        """For one connection; `name` is the server name to ask for (SNI). `verify_names` replaces the context's."""
        connection = SSL.Connection(self._context, None)
        connection.set_connect_state()
        if name and not name.startswith("["):
            connection.set_tlsext_host_name(name.encode("latin-1", "replace"))
        names = self.verify_names if verify_names is None else verify_names
        layer = VerifyingLayer(connection, "SSL_connect", self.verify, names)
        layer.requires_alpn = self._require_alpn
        layer.record.sni = name
        return layer


class VerifyingLayer(TlsLayer):
    """A layer that remembers what is asked of the other side's certificate."""

    def __init__(self, connection: SSL.Connection, operation: str, verify: Verify, names: Sequence[str]) -> None:
        super().__init__(connection, operation)
        self.verify = verify
        self.verify_names = names


def _judge(connection: SSL.Connection, certificate: crypto.X509, error: int, depth: int, is_good: int) -> bool:
    """OpenSSL asks about each certificate of a chain, the issuers first."""
    layer = connection.get_app_data()
    record = layer.record
    if not is_good:
        name = one_line(certificate.to_cryptography().subject)
        record.complaints.append(f"SSL verify error: depth={depth} error={verify_error(error)} cert={name}")
    elif depth == 0:
        plain = certificate.to_cryptography()
        if layer.verify_names and not any(is_for_host(plain, name) for name in layer.verify_names):
            names = ":".join(layer.verify_names)
            record.complaints.append(
                f'SSL verify error: certificate name mismatch: DN="{one_line(plain.subject)}" H="{names}"'
            )
    if record.complaints:
        record.is_verified = False
        return layer.verify is not Verify.REQUIRE
    record.is_verified = depth == 0
    return True
