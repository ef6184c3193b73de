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

from sseclient_cli.errors import TlsError, UsageError


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
            raise UsageError("--insecure trusts everybody, --cacert does not: leave one out")
        if self.key_file is not None and self.cert_file is None:
            raise UsageError("--key is of no use without --cert: give the certificate, too")

    def context(self) -> ssl.SSLContext:
        """Return a context with these settings. Raises UsageError for an unusable file.

        Contexts are cached, because certificates take 30 ms to load.
        """
        return _context(self, os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))


@cache
def _context(tls: Tls, env_cert_file: str, env_cert_dir: str) -> ssl.SSLContext:
    if not tls.verify:
        context = httpx.create_ssl_context(verify=False)
    elif tls.ca_file is not None:
        context = _trusting_only(tls.ca_file)
    else:
        context = _trusting_default_cas(env_cert_file, env_cert_dir)
    # Otherwise a server may choose HTTP/2, which neither client supports.
    context.set_alpn_protocols(["http/1.1"])
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
    _require_readable(ca_file, "--cacert")
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as exc:
        raise UsageError(f"--cacert {ca_file} holds no certificate: give a PEM file") from exc


def _load_identity(context: ssl.SSLContext, cert_file: str, key_file: str | None) -> None:
    key_option = f"--cert {cert_file}" if key_file is None else f"--key {key_file}"

    def refuse() -> str:
        # Otherwise OpenSSL would prompt for the passphrase on the terminal.
        raise UsageError(f"the key in {key_option} is encrypted: decrypt it first (openssl pkey -in FILE -out FILE)")

    _require_readable(cert_file, "--cert")
    if key_file is not None:
        _require_readable(key_file, "--key")
    try:
        context.load_cert_chain(cert_file, key_file, refuse)
    except ssl.SSLError as exc:
        if exc.reason == "KEY_VALUES_MISMATCH":
            raise UsageError(f"the key in {key_option} is not that of the certificate in --cert {cert_file}") from exc
        # OpenSSL's message is "PEM lib" for both files.
        both = f"--cert {cert_file} does not hold a certificate and its key"
        apart = f"--cert {cert_file} holds no certificate, or --key {key_file} no key"
        raise UsageError(f"{both if key_file is None else apart}: give PEM files") from exc


def _require_readable(file: str, option: str) -> None:
    try:
        with open(file, "rb"):
            pass
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the name
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise UsageError(f"cannot read {option} {file}: {reason.lower()}") from exc


def tls_error(cause: Exception, peer: str) -> TlsError:
    """Return our error for what ended a handshake with ``peer``; a cause that is not of ssl means that it was cut."""
    return TlsError(f"no TLS connection with {peer}: {_reason(cause)}")


# X509_V_ERR_*: self-signed, alone or in the chain, or by an issuer that is not known here.
_UNTRUSTED = frozenset({18, 19, 20, 21, 24, 27})
# X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH.
_OTHER_NAME = frozenset({62, 64})

_CUT = "the server cut the handshake: it may want a client certificate (--cert), or not speak TLS on this port"

# Looked for in this order in OpenSSL's name of the reason: names differ by version in what stands before and after.
_REASONS = (
    (
        ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"),
        "the server does not speak TLS on this port: http:// perhaps?",
    ),
    (("UNEXPECTED_EOF",), _CUT),
    (("CERTIFICATE_REQUIRED",), "the server wants a client certificate: give one with --cert"),
    (
        ("ALERT_HANDSHAKE_FAILURE",),
        "the server refused the handshake: it may want a client certificate (--cert), or other ciphers",
    ),
    (
        ("ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA", "ALERT_CERTIFICATE_", "ALERT_UNSUPPORTED_CERTIFICATE",
         "ALERT_ACCESS_DENIED", "ALERT_DECRYPT_ERROR"),
        "the server does not accept the client certificate: check --cert and --key",
    ),
    (
        ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW"),
        "the server and this machine have no version of TLS in common",
    ),
    (("UNRECOGNIZED_NAME",), "the server has no host of that name: check the URL"),
    (("NO_APPLICATION_PROTOCOL",), "the server does not offer HTTP/1.1"),
)  # fmt: skip


def _reason(cause: Exception) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _refusal(cause)
    if not isinstance(cause, ssl.SSLError) or isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return _CUT
    name = cause.reason or ""
    for parts, words in _REASONS:
        if any(part in name for part in parts):
            return words
    return name.lower().replace("_", " ") or "the handshake failed"


def _refusal(cause: ssl.SSLCertVerificationError) -> str:
    """Say why the server's certificate is not taken."""
    if cause.verify_code in _UNTRUSTED:
        detail = cause.verify_message
        return f"nobody trusted signed its certificate ({detail}): --cacert names who did, --insecure takes any"
    if cause.verify_code in _OTHER_NAME:
        # "Hostname mismatch, certificate is not valid for 'example.com'."
        return f"its {cause.verify_message.rpartition(', ')[2].rstrip('.')}: check the URL's host"
    return f"its certificate is not valid ({cause.verify_message}): --insecure takes any"
