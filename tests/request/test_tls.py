from __future__ import annotations

import asyncio
import re
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import certifi
import pytest
import trustme
from certificates import Authority
from cryptography.hazmat.primitives import serialization
from scripted_server import Do, ScriptedServer, head, play

from sseclient_cli.client.connector import Connector
from sseclient_cli.errors import TlsError, UsageError
from sseclient_cli.request.target import Target
from sseclient_cli.request.tls import Tls, tls_error

# Trust


def test_ssl_cert_file_is_trusted_and_read_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    default = Tls().context()
    end = "-----END CERTIFICATE-----\n"
    first = Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end
    (tmp_path / "one.pem").write_text(first, encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "one.pem"))
    assert len(Tls().context().get_ca_certs()) == 1 < len(default.get_ca_certs())
    assert Tls().context() is Tls().context()


def test_only_the_ca_file_is_trusted_regardless_of_the_environment(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    context = Tls(ca_file=authority.file).context()
    assert len(context.get_ca_certs()) == 1
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


# Files


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> dict[str, str]:
    """Return the names of valid and invalid files."""
    cert, key = authority.client()
    both, other, encrypted, junk = (tmp_path / name for name in ("both.pem", "other.key", "encrypted.key", "junk.pem"))
    both.write_bytes(Path(key).read_bytes() + Path(cert).read_bytes())
    other.write_bytes(trustme.CA().issue_cert("other.test").private_key_pem.bytes())
    encryption = serialization.BestAvailableEncryption(b"secret")
    plain = serialization.load_pem_private_key(Path(key).read_bytes(), None)
    encrypted.write_bytes(
        plain.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    )
    junk.write_text("junk", encoding="utf-8")
    named = {"both": both, "other": other, "encrypted": encrypted, "junk": junk, "folder": tmp_path}
    return {"cert": cert, "key": key, "gone": "/nonexistent", **{name: str(path) for name, path in named.items()}}


def test_certificate_and_key_may_be_in_one_file_or_in_two(files: dict[str, str]) -> None:
    Tls(verify=False, cert_file=files["both"]).context()
    Tls(verify=False, cert_file=files["cert"], key_file=files["key"]).context()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ca_file": "gone"}, "cannot read `ca_file` /nonexistent: no such file or directory"),
        ({"ca_file": "folder"}, "cannot read `ca_file` .*: is a directory"),
        ({"ca_file": "junk"}, "`ca_file` .*junk.pem has no certificate in PEM format"),
        ({"cert_file": "gone"}, "cannot read `cert_file` /nonexistent: no such file"),
        ({"cert_file": "cert", "key_file": "gone"}, "cannot read `key_file` /nonexistent: no such file"),
        ({"cert_file": "cert"}, "`cert_file` .* does not contain a certificate and its key, in PEM format"),
        ({"cert_file": "junk", "key_file": "key"}, "`cert_file` .* contains no certificate, or `key_file` .* no key"),
        (
            {"cert_file": "cert", "key_file": "other"},
            "the key in `key_file` .*other.key does not match the certificate in",
        ),
        ({"cert_file": "cert", "key_file": "encrypted"}, "the key in `key_file` .* is encrypted: decrypt it first"),
    ],
)
def test_the_error_for_an_unusable_file_is_one_line(options: dict[str, str], words: str, files: dict[str, str]) -> None:
    verify = "ca_file" in options
    tls = Tls(verify=verify, **{name: files[kind] for name, kind in options.items()})
    with pytest.raises(UsageError, match=words) as caught:
        tls.context()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options", [{"verify": False, "ca_file": "x"}, {"key_file": "x"}])
def test_arguments_that_cannot_be_combined_are_a_usage_error(options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        Tls(**options)  # type: ignore[arg-type]


# Handshakes of both clients


async def with_httpx(port: int, tls: Tls) -> None:
    async with Connector(Target(url=f"https://127.0.0.1:{port}/", tls=tls), None) as connector:
        await (await connector.connect(None)).aclose()


async def with_sockets(port: int, tls: Tls) -> None:
    def shake_hands() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
            try:
                with tls.context().wrap_socket(raw, server_hostname="127.0.0.1") as wrapped:
                    wrapped.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    wrapped.recv(1)
            except OSError as exc:
                raise tls_error(exc, f"127.0.0.1:{port}") from exc

    await asyncio.to_thread(shake_hands)


Connect = Callable[[int, Tls], Awaitable[None]]
both_clients = pytest.mark.parametrize("connect", [with_httpx, with_sockets])


@contextmanager
def shaking_hands(context: ssl.SSLContext) -> Iterator[int]:
    """Do one handshake with OpenSSL, which sends an alert when it fails (asyncio just closes). Yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def shake_hands() -> None:
            raw, _ = listener.accept()
            with raw, suppress(OSError):
                try:
                    context.wrap_socket(raw.dup(), server_side=True).close()
                finally:
                    # Closing a socket with unread data sends a reset, which would discard the alert.
                    raw.shutdown(socket.SHUT_WR)
                    while raw.recv(1024):
                        pass

        server = threading.Thread(target=shake_hands)
        server.start()
        yield listener.getsockname()[1]
        server.join()


async def failure_of(connect: Connect, context: ssl.SSLContext, tls: Tls) -> str:
    """Return the error message of the handshake."""
    with shaking_hands(context) as port, pytest.raises(TlsError) as caught:
        await connect(port, tls)
    start, _, reason = str(caught.value).partition(f"127.0.0.1:{port}: ")
    assert start == "no TLS connection with "
    assert "\n" not in reason
    return reason


@both_clients
async def test_a_trusted_server_is_connected_with_http_1_1(connect: Connect, authority: Authority) -> None:
    async with ScriptedServer([head(), Do.HOLD], ssl_context=authority.server()) as server:
        await connect(server.port, Tls(ca_file=authority.file))
    assert [request.alpn for request in server.requests] == ["http/1.1"]


@both_clients
async def test_an_untrusted_certificate_is_an_error(connect: Connect, authority: Authority) -> None:
    reason = await failure_of(connect, authority.server(), Tls())
    assert "certificate verify failed: unknown issuer (" in reason


@both_clients
async def test_a_certificate_for_another_name_is_an_error(connect: Connect, authority: Authority) -> None:
    for name in ("other.test", "127.0.0.2"):
        reason = await failure_of(connect, authority.server(name), Tls(ca_file=authority.file))
        assert reason == "the server's certificate is not valid for '127.0.0.1': check the URL's host"


@both_clients
async def test_an_expired_certificate_is_an_error(connect: Connect, authority: Authority) -> None:
    reason = await failure_of(connect, authority.server(expired=True), Tls(ca_file=authority.file))
    assert reason == "certificate verify failed: certificate has expired"


@both_clients
async def test_insecure_accepts_any_certificate(connect: Connect, authority: Authority) -> None:
    async with ScriptedServer([head()], ssl_context=authority.server("other.test", expired=True)) as server:
        await connect(server.port, Tls(verify=False))
        assert len(server.requests) == 1


@both_clients
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_the_client_certificate_is_sent_to_a_server_that_requires_one(
    connect: Connect, newest: ssl.TLSVersion, authority: Authority
) -> None:
    context = authority.server(wants_client=True, newest=newest)
    reason = await failure_of(connect, context, Tls(ca_file=authority.file))
    assert re.search(r"requires? a client certificate", reason)
    cert_file, key_file = authority.client()
    async with ScriptedServer([head()], ssl_context=context) as server:
        await connect(server.port, Tls(ca_file=authority.file, cert_file=cert_file, key_file=key_file))
        assert len(server.requests) == 1


@both_clients
async def test_a_rejected_client_certificate_is_an_error(
    connect: Connect, authority: Authority, tmp_path: Path
) -> None:
    cert_file, key_file = Authority(trustme.CA(), tmp_path).client()
    tls = Tls(ca_file=authority.file, cert_file=cert_file, key_file=key_file)
    reason = await failure_of(connect, authority.server(wants_client=True), tls)
    assert "does not accept the client certificate" in reason


@both_clients
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak TLS on this port: write http:// instead of https://"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak TLS on this port"),
        (b"", "the server closed the connection during the handshake"),
        (Do.RESET, "the server closed the connection during the handshake"),
    ],
)
async def test_a_server_without_tls_is_an_error(connect: Connect, answer: bytes | Do, words: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        await play([answer], reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        with pytest.raises(TlsError, match=re.escape(words)):
            await connect(server.sockets[0].getsockname()[1], Tls())


@both_clients
async def test_no_common_cipher_is_an_error(connect: Connect, authority: Authority) -> None:
    context = authority.server(newest=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("AES128-SHA@SECLEVEL=0")
    assert "other ciphers" in await failure_of(connect, context, Tls(ca_file=authority.file))
