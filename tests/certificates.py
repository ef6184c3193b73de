"""Certificates for servers and clients of tests, by an authority that only the tests trust."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trustme

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Authority:
    """Signs certificates, and writes the files for command lines into ``folder``."""

    ca: trustme.CA
    folder: Path

    @property
    def file(self) -> str:
        """The value of --cacert."""
        return self._written("authority.pem", self.ca.cert_pem)

    def server(
        self, *names: str, expired: bool = False, wants_client: bool = False, newest: ssl.TLSVersion | None = None
    ) -> ssl.SSLContext:
        """Return the context of a server of these names (default: 127.0.0.1); it offers HTTP/2 first."""
        leaf = self.ca.issue_cert(*(names or ("127.0.0.1",)), not_after=LONG_AGO if expired else None)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["h2", "http/1.1"])
        leaf.configure_cert(context)
        if wants_client:
            self.ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        if newest is not None:
            context.maximum_version = newest
        return context

    def client(self) -> tuple[str, str]:
        """Return the values of --cert and --key."""
        leaf = self.ca.issue_cert("client@sse.test")
        chain = self._written("client.pem", *leaf.cert_chain_pems)
        return chain, self._written("client.key", leaf.private_key_pem)

    def _written(self, name: str, *blobs: trustme.Blob) -> str:
        path = self.folder / name
        path.write_bytes(b"".join(blob.bytes() for blob in blobs))
        return str(path)
