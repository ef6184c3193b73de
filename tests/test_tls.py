from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from sseclient_cli.tls import Tls


def test_ssl_cert_file_is_what_is_trusted_and_is_read_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    everybody = Tls().context()
    end = "-----END CERTIFICATE-----\n"
    first = Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end
    (tmp_path / "one.pem").write_text(first, encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "one.pem"))
    assert len(Tls().context().get_ca_certs()) == 1 < len(everybody.get_ca_certs())
    assert Tls().context() is Tls().context()
