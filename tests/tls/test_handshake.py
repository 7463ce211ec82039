"""Clients and servers shake hands in memory, and over real connections of every kind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from eximious import waiting
from eximious.net.blocking import SocketStream
from eximious.net.connect import connect
from eximious.net.loop import LoopStream
from eximious.net.memory import MemoryStream
from eximious.tls.cache import ContextCache
from eximious.tls.context import ClientContext, ServerContext, Verify
from eximious.tls.errors import TlsError
from eximious.tls.layer import TlsLayer
from eximious.tls_session import TlsSession

from .authority import Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def server_for(files: Files, certificate: str = "server.pem", **parameters: object) -> ServerContext:
    return ServerContext(certificates=[files[certificate]], **parameters)  # type: ignore[arg-type]


def shake(client: TlsLayer, server: TlsLayer) -> tuple[TlsSession, TlsSession]:
    """Both sides' sessions. Raises TlsError; of a failed side the other learns."""
    done = [False, False]
    faults: list[TlsError] = []
    for _ in range(20):
        for number, (layer, other) in enumerate(((client, server), (server, client))):
            if not done[number] and not layer.is_closed:
                try:
                    done[number] = layer.shake_hands()
                except TlsError as fault:
                    faults.append(fault)
            other.feed(layer.take_output())
        if faults:
            raise faults[0]
        if all(done):
            return client.session(), server.session()
    raise AssertionError("no end")


def talk(client: TlsLayer, server: TlsLayer, data: bytes = b"hello" * 50_000) -> None:
    for one, other in ((client, server), (server, client)):
        one.write(data)
        other.feed(one.take_output())
        received = b""
        while other.has_input():
            received += other.read(10_000)
        assert received == data


def test_handshake(files: Files) -> None:
    client, server = ClientContext().layer("server.example"), server_for(files).layer()
    ours, theirs = shake(client, server)
    talk(client, server)
    assert (ours.version, ours.bits, ours.sni, theirs.sni) == ("TLS1.3", 256, "server.example", "server.example")
    assert ours.cipher == "TLS1.3:TLS_AES_256_GCM_SHA384:256"
    assert ours.cipher_std == "TLS_AES_256_GCM_SHA384"
    assert (ours.peer_dn, theirs.peer_dn) == ("/C=UK/CN=server.example", "")
    assert ours.peer_certificate == theirs.our_certificate
    assert ours.our_certificate is None
    assert not ours.is_verified
    assert "TLS1.3" in repr(ours)


def test_older_version(files: Files) -> None:
    client = ClientContext(options="+no_tlsv1_3", ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")
    ours, _ = shake(client.layer(), server_for(files).layer())
    assert ours.cipher == "TLS1.2:ECDHE-ECDSA-AES128-GCM-SHA256:128"
    assert ours.cipher_std == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"


# Verification by the client: what it trusts, the names it wants, what the server has; complaint if any.
VERIFICATIONS = [
    ("ca.pem", ["server.example"], "server.pem", None),
    ("ca.pem", ["other.example", "SERVER.example."], "server.pem", None),
    ("ca.pem", ["a.mx.example"], "server.pem", None),
    ("ca.pem", ["127.0.0.1"], "server.pem", None),
    ("ca.pem", [], "server.pem", None),
    ("ca.pem", ["a.b.mx.example"], "server.pem",
     'certificate name mismatch: DN="/C=UK/CN=server.example" H="a.b.mx.example"'),
    ("ca.pem", ["127.0.0.2"], "server.pem", 'certificate name mismatch: DN="/C=UK/CN=server.example" H="127.0.0.2"'),
    ("ca.pem", ["server.example"], "expired.pem",
     "depth=0 error=certificate has expired cert=/C=UK/CN=server.example"),
    ("ca.pem", [], "stranger.pem", "depth=0 error=self-signed certificate cert=/C=UK/CN=stranger.example"),
    ("stranger.pem", [], "server.pem",
     "depth=0 error=unable to get local issuer certificate cert=/C=UK/CN=server.example"),
    ("system", [], "server.pem", "depth=0 error=unable to get local issuer certificate cert=/C=UK/CN=server.example"),
    ("", [], "server.pem", "depth=0 error=unable to get local issuer certificate cert=/C=UK/CN=server.example"),
]  # fmt: skip


@pytest.mark.parametrize(("trusted", "names", "certificate", "complaint"), VERIFICATIONS)
def test_client_verifies(files: Files, trusted: str, names: list[str], certificate: str, complaint: str | None) -> None:
    where = files[trusted] if trusted.endswith(".pem") else trusted

    def context(verify: Verify) -> ClientContext:
        return ClientContext(verify=verify, verify_certificates=where, verify_names=names)

    ours, _ = shake(context(Verify.TRY).layer(), server_for(files, certificate).layer())
    assert ours.is_verified == (complaint is None)
    assert ours.complaints[:1] == ([f"SSL verify error: {complaint}"] if complaint else [])
    layer = context(Verify.REQUIRE).layer()
    if complaint is None:
        assert shake(layer, server_for(files, certificate).layer())[0].is_verified
    else:
        with pytest.raises(TlsError) as caught:
            shake(layer, server_for(files, certificate).layer())
        assert str(caught.value) == "(SSL_connect): error:0A000086:SSL routines::certificate verify failed"
        assert layer.record.complaints == [f"SSL verify error: {complaint}"]


def test_server_verifies(files: Files) -> None:
    def server(verify: Verify) -> TlsLayer:
        return server_for(files, verify=verify, verify_certificates=files["ca.pem"]).layer()

    with_certificate = ClientContext(certificates=[files["client.pem"]])
    for verify in (Verify.TRY, Verify.REQUIRE):
        _, theirs = shake(with_certificate.layer(), server(verify))
        assert theirs.is_verified
        assert theirs.peer_dn == "/C=UK/CN=client.example"
    _, theirs = shake(ClientContext().layer(), server(Verify.TRY))
    assert not theirs.is_verified
    _, theirs = shake(ClientContext(certificates=[files["stranger.pem"]]).layer(), server(Verify.TRY))
    assert (theirs.is_verified, theirs.peer_dn) == (False, "/C=UK/CN=stranger.example")
    with pytest.raises(TlsError, match="peer did not return a certificate"):
        shake(ClientContext(options="+no_tlsv1_3").layer(), server(Verify.REQUIRE))
    _, theirs = shake(with_certificate.layer(), server(Verify.NONE))
    assert theirs.peer_dn == ""  # not even asked for


@pytest.mark.parametrize(("crl", "error"), [("nothing-revoked.pem", None), ("revoked.pem", "certificate revoked"),
                                            ("empty.pem", "unable to get certificate CRL")])  # fmt: skip
def test_revocation(files: Files, crl: str, error: str | None) -> None:
    client = ClientContext(verify=Verify.TRY, verify_certificates=files["ca.pem"], crl=files[crl])
    ours, _ = shake(client.layer(), server_for(files).layer())
    assert ours.is_verified == (error is None)
    assert error is None or error in ours.complaints[0]


def test_revocation_lists_in_a_folder(files: Files) -> None:
    folder = files.folder / "lists"
    folder.mkdir()
    (folder / "one").write_bytes(Path(files["revoked.pem"]).read_bytes())
    client = ClientContext(verify=Verify.TRY, verify_certificates=files["ca.pem"], crl=str(folder))
    assert not shake(client.layer(), server_for(files).layer())[0].is_verified


def test_trust_in_a_folder(files: Files) -> None:
    client = ClientContext(verify=Verify.TRY, verify_certificates=str(files.folder))
    assert not shake(client.layer(), server_for(files).layer())[0].is_verified  # no hashes there


ALPN = [
    (["smtp"], False, ["smtp"], "smtp"),
    (["smtp", "esmtp"], False, ["esmtp"], "esmtp"),
    (["smtp"], False, [], ""),
    (["smtp"], False, ["h2"], TlsError("SSL_accept", "TLS ALPN (h2) rejected")),
    (["smtp", "h2"], False, ["smtp", "h2"], TlsError("SSL_accept", "TLS ALPN (smtp, h2) rejected")),
    (["smtp"], True, [], TlsError("SSL_accept", "TLS: ALPN required but not negotiated")),
    ([], False, ["smtp"], ""),
]


@pytest.mark.parametrize(("known", "required", "offered", "expected"), ALPN)
def test_alpn(files: Files, known: list[str], required: bool, offered: list[str], expected: str | TlsError) -> None:
    client = ClientContext(alpn=offered).layer()
    server = server_for(files, alpn=known, require_alpn=required).layer()
    if isinstance(expected, TlsError):
        with pytest.raises(TlsError) as caught:
            shake(client, server)
        assert str(caught.value) == str(expected)
    else:
        assert shake(client, server)[0].alpn == expected


def test_client_requires_alpn(files: Files) -> None:
    client = ClientContext(alpn=["smtp"], require_alpn=True)
    with pytest.raises(TlsError, match="ALPN required"):
        shake(client.layer(), server_for(files).layer())


BAD_CONTEXTS: list[tuple[dict[str, object], str]] = [
    (
        {"certificates": ["/nonexistent"]},
        "(SSL_CTX_use_certificate_chain_file file=/nonexistent): "
        "error:80000002:system library::No such file or directory",
    ),
    ({"ciphers": "NONSENSE"}, "(SSL_CTX_set_cipher_list): "),
    ({"dh": "/nonexistent"}, "(PEM_read_bio_DHparams file=/nonexistent): "),
    ({"dh": "ike99"}, "(DH parameters ike99): unknown group"),
    ({"curves": ["nonsense"]}, "(SSL_CTX_set1_groups_list nonsense): unknown curve"),
    ({"verify": Verify.TRY, "verify_certificates": "/nonexistent"},
     "(SSL_CTX_load_verify_locations file=/nonexistent): "),
    ({"verify": Verify.TRY, "crl": "/nonexistent"}, "(X509_load_crl_file file=/nonexistent): "),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "complaint"), BAD_CONTEXTS)
def test_what_cannot_be_used(parameters: dict[str, object], complaint: str) -> None:
    with pytest.raises(TlsError) as caught:
        ServerContext(**parameters)  # type: ignore[arg-type]
    assert str(caught.value).startswith(complaint)


def test_keys(files: Files) -> None:
    certificate = Path(files["server.pem"]).read_bytes()
    begin = certificate.index(b"-----BEGIN PRIVATE")
    (files.folder / "certificate").write_bytes(certificate[:begin])
    (files.folder / "key").write_bytes(certificate[begin:])
    context = ServerContext(certificates=[files["certificate"]], private_keys=[files["key"]])
    shake(ClientContext().layer(), context.layer())
    with pytest.raises(TlsError, match="SSL_CTX_use_PrivateKey_file"):
        ServerContext(certificates=[files["certificate"]])
    with pytest.raises(TlsError, match="key values mismatch"):
        ServerContext(certificates=[files["certificate"]], private_keys=[files["stranger.pem"]])


def test_made_up_certificate() -> None:
    ours, _ = shake(ClientContext().layer(), ServerContext(self_signed_for="mx.example").layer())
    assert ours.peer_dn == "/C=UK/O=Exim Developers/CN=mx.example"


@pytest.mark.parametrize("dh", ["none", "", "ffdhe3072"])
def test_dh(files: Files, dh: str) -> None:
    client = ClientContext(options="+no_tlsv1_3", ciphers="DHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384")
    shake(client.layer(), server_for(files, dh=dh).layer())


def test_dh_file(files: Files) -> None:
    from eximious.tls.dh import parameters

    pem = parameters("ffdhe4096")
    assert pem is not None
    (files.folder / "dh").write_bytes(pem)
    for bits in (0, 2236, 5000):
        server_for(files, dh=files["dh"], dh_max_bits=bits)


def test_a_dh_file_that_the_library_finds_too_small_is_left_out(files: Files) -> None:
    (files.folder / "dh").write_bytes(b"-----BEGIN DH PARAMETERS-----\nMAYCARcCAQI=\n-----END DH PARAMETERS-----\n")
    shake(ClientContext().layer(), server_for(files, dh=files["dh"]).layer())


def test_ciphers_may_be_written_with_underscores(files: Files) -> None:
    client = ClientContext(options="+no_tlsv1_3", ciphers="ECDHE_ECDSA_AES128_GCM_SHA256")
    assert shake(client.layer(), server_for(files).layer())[0].cipher == "TLS1.2:ECDHE-ECDSA-AES128-GCM-SHA256:128"


def test_curves(files: Files) -> None:
    client = ClientContext(curves=["secp384r1", "prime256v1"])
    shake(client.layer(), server_for(files, curves=["prime256v1"]).layer())
    with pytest.raises(TlsError):
        shake(ClientContext(curves=["secp521r1"]).layer(), server_for(files, curves=["prime256v1"]).layer())


NOT_TLS = [
    (b"GET / HTTP/1.0\r\n\r\n", "error:0A00009C:SSL routines::http request"),
    (b"EHLO client.example\r\n" * 10, "error:0A00010B:SSL routines::wrong version number"),
]


@pytest.mark.parametrize(("octets", "detail"), NOT_TLS)
def test_no_tls_at_all(files: Files, octets: bytes, detail: str) -> None:
    layer = server_for(files).layer()
    layer.feed(octets)
    with pytest.raises(TlsError) as caught:
        layer.shake_hands()
    assert caught.value.detail == detail
    assert layer.is_closed
    assert layer.read(100) == b""


def test_damaged_record(files: Files) -> None:
    client, server = ClientContext().layer(), server_for(files).layer()
    shake(client, server)
    client.write(b"hello")
    octets = bytearray(client.take_output())
    octets[-1] ^= 1
    server.feed(bytes(octets))
    with pytest.raises(TlsError, match="SSL_read"):
        server.read(100)
    assert server.is_closed
    assert server.read(100) == b""
    with pytest.raises(TlsError, match="SSL_write"):
        server.write(b"x")


def test_cve_2026_45185_after_close_notify_nothing_is_read(files: Files) -> None:
    client, server = ClientContext().layer(), server_for(files).layer()
    shake(client, server)
    client.write(b"BDAT 10\r\nabc")
    client.close()
    client.close()
    server.feed(client.take_output() + b"MAIL FROM:<evil@example>\r\n")
    assert server.read(100) == b"BDAT 10\r\nabc"
    assert server.read(100) == b""
    assert server.is_closed
    server.feed(b"RCPT TO:<x@example>\r\n")
    assert server.read(100) == b""
    assert not server.has_input()


# Over streams.


class Over:
    """A server and a client over real sockets, blocking or on a loop; returns what the client's function gives."""

    def __init__(self, on_loop: bool) -> None:
        self.on_loop = on_loop

    def __call__(self, serve: Callable[..., None], use: Callable[..., object]) -> object:
        return uvloop.run(self._loop(serve, use)) if self.on_loop else self._blocking(serve, use)

    async def _loop(self, serve: Callable[..., None], use: Callable[..., object]) -> object:
        import asyncio

        loop = asyncio.get_running_loop()
        tasks: list[asyncio.Task[None]] = []

        def begin(stream: LoopStream) -> None:
            stream.timeout = 5
            tasks.append(loop.create_task(waiting.run(serve, stream)))

        server = await loop.create_server(lambda: LoopStream(begin), "127.0.0.1", 0)  # type: ignore[arg-type,return-value]
        port = server.sockets[0].getsockname()[1]
        try:
            return await waiting.run(lambda: use(connect("127.0.0.1", port, timeout=5)))
        finally:
            server.close()
            await asyncio.gather(*tasks)

    def _blocking(self, serve: Callable[..., None], use: Callable[..., object]) -> object:
        one, other = socket.socketpair()
        theirs = SocketStream(one)
        theirs.timeout = 5
        thread = threading.Thread(target=serve, args=(theirs,))
        thread.start()
        ours = SocketStream(other)
        ours.timeout = 5
        try:
            return use(ours)
        finally:
            thread.join()


@pytest.fixture(params=[False, True], ids=["blocking", "uvloop"])
def over(request: pytest.FixtureRequest) -> Over:
    return Over(request.param)


def test_streams(files: Files, over: Over) -> None:
    context = server_for(files)
    sessions: list[TlsSession] = []

    def serve(stream: SocketStream) -> None:
        assert stream.read() == b"STARTTLS\r\n"
        stream.write(b"220\r\n")
        sessions.append(stream.start_tls_server(lambda name: context if name == "server.example" else None))  # type: ignore[arg-type,return-value]
        while data := stream.read():
            stream.write(data.upper())
        stream.close()

    def use(stream: SocketStream) -> object:
        stream.write(b"STARTTLS\r\n")
        assert stream.read() == b"220\r\n"
        session = stream.start_tls_client(ClientContext(), "server.example")
        assert not stream.has_input()
        received = 0
        for _ in range(10):
            stream.write(b"x" * 100_000)
            while received < 100_000:
                received += len(stream.read())
            received = 0
        stream.write(b"end")
        assert stream.read() == b"END"
        stream.close()
        return session

    ours = over(serve, use)
    assert isinstance(ours, TlsSession)
    assert ours.cipher == sessions[0].cipher
    assert sessions[0].sni == "server.example"


def test_cve_2011_0411_plaintext_before_the_handshake_is_dropped(files: Files, over: Over) -> None:
    context = server_for(files)
    seen: list[bytes] = []

    def serve(stream: SocketStream) -> None:
        seen.append(stream.read(10))
        waiting.sleep(0.05)
        stream.write(b"220\r\n")
        stream.start_tls_server(context)
        seen.append(stream.read())
        stream.write(b"221\r\n")
        stream.close()

    def use(stream: SocketStream) -> None:
        stream.write(b"STARTTLS\r\nRCPT TO:<evil@example>\r\n")
        assert stream.read() == b"220\r\n"
        stream.start_tls_client(ClientContext())
        stream.write(b"QUIT\r\n")
        assert stream.read() == b"221\r\n"
        stream.close()

    over(serve, use)
    assert seen == [b"STARTTLS\r\n", b"QUIT\r\n"]


def test_peer_that_goes_away_while_shaking_hands(files: Files, over: Over) -> None:
    faults: list[OSError] = []

    def serve(stream: SocketStream) -> None:
        for context in (server_for(files), lambda name: server_for(files)):
            try:
                stream.start_tls_server(context, on_connect=True)
            except OSError as fault:
                faults.append(fault)
        stream.close()

    def use(stream: SocketStream) -> None:
        stream.write(b"\x16\x03\x01")
        stream.close()

    over(serve, use)
    eof = "(SSL_accept): error:0A000126:SSL routines::unexpected eof while reading"
    assert [str(fault) for fault in faults] == [eof] * 2


def test_stop_tls(files: Files, over: Over) -> None:
    context = server_for(files)

    def serve(stream: SocketStream) -> None:
        stream.start_tls_server(context, on_connect=True)
        stream.write(b"secret")
        stream.stop_tls()
        assert stream.tls is not None
        stream.write(b"open")
        stream.close()

    def use(stream: SocketStream) -> None:
        stream.start_tls_client(ClientContext())
        assert stream.read() == b"secret"
        assert stream.read() == b""
        assert stream.tls_layer is not None
        stream.tls_layer = None
        received = b""
        while data := stream.read():
            received += data
        assert received in (b"open", b"")
        stream.close()

    over(serve, use)


def test_end_without_close_notify(files: Files) -> None:
    stream = MemoryStream()
    client = ClientContext().layer()
    stream.tls_layer = client
    assert stream.read() == b""
    assert client.is_closed


def test_contexts_are_kept(files: Files) -> None:
    cache = ContextCache()

    def ask(file: str = "server.pem", **parameters: object) -> ServerContext:
        return cache.get(ServerContext, [files[file]], certificates=(files[file],), **parameters)

    first = ask()
    assert ask() is first
    assert ask("other.pem") is not first
    assert ask(dh="none") is not first
    assert ask() is first
    Path(files["server.pem"]).write_bytes(Path(files["other.pem"]).read_bytes())
    assert ask() is not first
    for number in range(120):
        cache.get(ClientContext, [], alpn=(str(number),))
    with pytest.raises(TlsError):
        cache.get(ServerContext, ["/nonexistent"], certificates=("/nonexistent",))


def test_output_goes_out_though_tls_itself_has_something_to_say(files: Files) -> None:
    """Session tickets are input without plaintext: whoever waits behind them must have sent first."""
    server = server_for(files).layer()
    stream = MemoryStream()
    client = ClientContext().layer()
    shake(client, server)
    stream.tls_layer = client
    server.write(b"hello")
    octets = server.take_output()
    stream.give(octets[:7])  # a record that is not complete
    stream.write(b"QUIT\r\n")
    assert stream.read() == b""
    server.feed(stream.sent)
    assert server.read(100) == b"QUIT\r\n"
