"""TLS settings, and messages for TLS errors.

Both clients (httpx for one stream, ``SSLObject`` for many) use these contexts, so they trust the same certificates.
This module must not know sockets.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from functools import cache

import httpx

from sseclient_cli.errors import SseError, TlsError, UsageError
from sseclient_cli.http2_errors import not_chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The trusted certificate authorities and the client certificate, as PEM files.

    ``key_file`` may be omitted if ``cert_file`` contains the key. The default for ``ca_file`` is SSL_CERT_FILE,
    SSL_CERT_DIR, or the bundle of certifi. ``verify=False`` accepts any certificate, for any name.
    """

    verify: bool = True
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for arguments that cannot be combined."""
        if self.ca_file is not None and not self.verify:
            raise UsageError(
                "`ca_file` and `insecure` exclude each other: leave one out", arguments=["ca_file", "insecure"]
            )
        if self.key_file is not None and self.cert_file is None:
            raise UsageError(
                "`key_file` needs `cert_file`, the certificate of that key", arguments=["key_file", "cert_file"]
            )

    def context(self, protocols: tuple[str, ...] = ("http/1.1",)) -> ssl.SSLContext:
        """Return a context with these settings that offers these protocols. Raises UsageError for an unusable file.

        Contexts are cached, because certificates take 30 ms to load.
        """
        return _context(self, protocols, os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))


@cache
def _context(tls: Tls, protocols: tuple[str, ...], env_cert_file: str, env_cert_dir: str) -> ssl.SSLContext:
    if not tls.verify:
        context = httpx.create_ssl_context(verify=False)
    elif tls.ca_file is not None:
        context = _trusting_only(tls.ca_file)
    else:
        context = _trusting_default_cas(env_cert_file, env_cert_dir)
    # Otherwise a server may choose a protocol that the connection does not speak.
    context.set_alpn_protocols(protocols)
    if tls.cert_file is not None:
        _load_identity(context, tls.cert_file, tls.key_file)
    return context


def _trusting_default_cas(env_cert_file: str, env_cert_dir: str) -> ssl.SSLContext:
    """Trust SSL_CERT_FILE or SSL_CERT_DIR of the environment, or else certifi."""
    try:
        return httpx.create_ssl_context(trust_env=True)
    except OSError as exc:
        where = f"SSL_CERT_FILE={env_cert_file}" if env_cert_file else f"SSL_CERT_DIR={env_cert_dir}"
        raise UsageError(f"no certificates can be loaded from {where}: correct or unset it") from exc


def _trusting_only(ca_file: str) -> ssl.SSLContext:
    _require_readable(ca_file, "ca_file")
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as exc:
        raise UsageError(f"`ca_file` {ca_file} has no certificate in PEM format", arguments=["ca_file"]) from exc


def _load_identity(context: ssl.SSLContext, cert_file: str, key_file: str | None) -> None:
    arguments = ["cert_file"] if key_file is None else ["cert_file", "key_file"]
    key = f"`cert_file` {cert_file}" if key_file is None else f"`key_file` {key_file}"

    def refuse() -> str:
        # Otherwise OpenSSL would prompt for the passphrase on the terminal.
        raise UsageError(
            f"the key in {key} is encrypted: decrypt it first (openssl pkey -in FILE -out FILE)", arguments=arguments
        )

    _require_readable(cert_file, "cert_file")
    if key_file is not None:
        _require_readable(key_file, "key_file")
    try:
        context.load_cert_chain(cert_file, key_file, refuse)
    except ssl.SSLError as exc:
        if exc.reason == "KEY_VALUES_MISMATCH":
            raise UsageError(
                f"the key in {key} does not match the certificate in `cert_file` {cert_file}", arguments=arguments
            ) from exc
        # OpenSSL's message is "PEM lib" for both files.
        both = f"`cert_file` {cert_file} does not contain a certificate and its key"
        apart = f"`cert_file` {cert_file} contains no certificate, or `key_file` {key_file} no key"
        words = f"{both if key_file is None else apart}, in PEM format"
        raise UsageError(words, arguments=arguments) from exc


def _require_readable(file: str, argument: str) -> None:
    try:
        with open(file, "rb"):
            pass
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the name
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise UsageError(f"cannot read `{argument}` {file}: {reason.lower()}", arguments=[argument]) from exc


def tls_error(cause: Exception, peer: str, *, http2: bool = False) -> SseError:
    """Map what ended a handshake with ``peer``; a cause that ssl did not raise means that the connection was closed.

    ``http2``: the handshake offered HTTP/2 only.
    """
    code, reason = _reason(cause)
    if http2 and code == _NO_PROTOCOL:
        return not_chosen(peer)
    return TlsError(f"no TLS connection with {peer}: {reason}", code=code)


# X509_V_ERR_*: self-signed, alone or in the chain, or by an issuer that is not known here.
_UNTRUSTED = frozenset({18, 19, 20, 21, 24, 27})
# X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH.
_OTHER_NAME = frozenset({62, 64})

_CLOSED = (
    "handshake-closed",
    "the server closed the connection during the handshake: it may require a client certificate, or not speak TLS on "
    "this port",
)

_NO_PROTOCOL = "no-http1"

# Parts of OpenSSL's name of the reason, looked up in this order: versions differ in what precedes and follows them.
_REASONS: tuple[tuple[tuple[str, ...], tuple[str, str]], ...] = (
    (
        ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"),
        ("no-tls", "the server does not speak TLS on this port: write http:// instead of https://"),
    ),
    (("UNEXPECTED_EOF",), _CLOSED),
    (("CERTIFICATE_REQUIRED",), ("client-certificate-required", "the server requires a client certificate")),
    (
        ("ALERT_HANDSHAKE_FAILURE",),
        (
            "handshake-refused",
            "the server refused the handshake: it may require a client certificate, or other ciphers",
        ),
    ),
    (
        ("ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA", "ALERT_CERTIFICATE_", "ALERT_UNSUPPORTED_CERTIFICATE",
         "ALERT_ACCESS_DENIED", "ALERT_DECRYPT_ERROR"),
        ("client-certificate-refused", "the server does not accept the client certificate"),
    ),
    (
        ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW"),
        ("tls-version", "the server and this machine have no version of TLS in common"),
    ),
    (("UNRECOGNIZED_NAME",), ("wrong-name", "the server has no host of that name: check the URL")),
    (("NO_APPLICATION_PROTOCOL",), (_NO_PROTOCOL, "the server does not offer HTTP/1.1")),
)  # fmt: skip


def _reason(cause: Exception) -> tuple[str, str]:
    """Return the code of what went wrong, and its words."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _rejection(cause)
    if not isinstance(cause, ssl.SSLError) or isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return _CLOSED
    name = cause.reason or _named(str(cause))
    for parts, reason in _REASONS:
        if any(part in name for part in parts):
            return reason
    return "handshake-failed", name.lower().replace("_", " ") or "the handshake failed"


def _named(words: str) -> str:
    """Return the name of a reason without one in Python (3.11): "[SSL] tlsv1 alert no application protocol"."""
    return words.rpartition("] ")[2].partition(" (")[0].upper().replace(" ", "_")


def _rejection(cause: ssl.SSLCertVerificationError) -> tuple[str, str]:
    """Return why the server's certificate is not accepted."""
    if cause.verify_code in _UNTRUSTED:
        return "unknown-issuer", f"certificate verify failed: unknown issuer ({cause.verify_message})"
    if cause.verify_code in _OTHER_NAME:
        # "Hostname mismatch, certificate is not valid for 'example.com'."
        words = cause.verify_message.rpartition(", ")[2].rstrip(".")
        return "wrong-name", f"the server's {words}: check the URL's host"
    return "invalid-certificate", f"certificate verify failed: {cause.verify_message}"
