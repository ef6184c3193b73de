"""Files of a run exist on the client only. Each machine gets them once, and keeps none."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import create_connection

import pytest
from certificates import Authority
from host_cluster import Host, HostCluster, host_cluster
from real_processes import until

TESTS = Path(__file__).parents[1]
PORT = 8443
"""The machine of the target has no other server."""

WORKERS = 2
"""Dask workers on each machine."""

VALUES_BYTES = 2_000_000


@pytest.fixture(name="own_folder", scope="module")
def folder_of_the_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("client")


@pytest.fixture(name="them", scope="module")
def two_hosts(own_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostCluster]:
    hosts = {"alpha": Host(), "beta": Host()}
    with host_cluster(tmp_path_factory.mktemp("dask"), hosts, workers=WORKERS, own_folder=own_folder) as them:
        yield them


@pytest.fixture(name="tls_server")
def serving_tls(them: HostCluster, authority: Authority) -> Iterator[str]:
    """Serve tests/apps/delayed.py with TLS; a client needs a certificate."""
    address = them.target.address
    leaf = authority.ca.issue_cert(address)
    files = {"ca": authority.ca.cert_pem, "key": leaf.private_key_pem, "cert": leaf.cert_chain_pems[0]}
    for name, blob in files.items():
        blob.write_to_path(str(authority.folder / name))
    options = [f"--ssl-keyfile={authority.folder}/key", f"--ssl-certfile={authority.folder}/cert"]
    options += [f"--ssl-ca-certs={authority.folder}/ca", "--ssl-cert-reqs=2", "--lifespan=off", "--log-level=warning"]
    uvicorn = [sys.executable, "-m", "uvicorn", "apps.delayed:app", f"--app-dir={TESTS}", f"--port={PORT}"]
    with subprocess.Popen([*them.target.prefix, *uvicorn, f"--host={address}", *options]) as process:
        try:
            until(lambda: them.target.call(lambda: _answers(address)), 30)
            yield f"https://{address}:{PORT}/"
        finally:
            process.kill()


def _answers(address: str) -> bool:
    try:
        create_connection((address, PORT)).close()
    except ConnectionRefusedError:
        return False
    return True


def moved_to_client(them: HostCluster, own_folder: Path, file: Path) -> str:
    """Move a file to where only the client sees it, and return its name there."""
    content = file.read_text("ascii")
    file.unlink()
    name = own_folder / file.name
    them.client.run("sh", "-c", f"cat > {name}", stdin=content)
    assert not name.exists()
    return str(name)


def received_bytes(pid: int, device: str) -> int:
    """Return the bytes that a network device has received, in the network of this process."""
    (line,) = [line for line in Path(f"/proc/{pid}/net/dev").read_text("ascii").splitlines() if f"{device}:" in line]
    return int(line.partition(":")[2].split()[0])


def files_named(folder: Path) -> list[Path]:
    return list(folder.rglob("sse-*"))


def test_tls_files_of_the_client_are_used_on_all_machines(
    them: HostCluster, own_folder: Path, authority: Authority, tls_server: str
) -> None:
    ca, (cert, key) = authority.file, authority.client()
    arguments = []
    for option, file in {"--cacert": ca, "--cert": cert, "--key": key}.items():
        arguments += [option, moved_to_client(them, own_folder, Path(file))]
    done = them.bench(tls_server, "-n", "8", "-z", "1s", "--workers", "2", *arguments)
    assert (done.code, done.stderr) == (0, "")
    assert done.report["streams"]["opened"] == 8
    assert [host["opened"] for host in done.hosts.values()] == [4, 4]
    assert done.report["events"]["received"] > 0
    assert files_named(them.folder) == []


def test_values_reach_each_machine_once(them: HostCluster, own_folder: Path, tmp_path: Path) -> None:
    values = tmp_path / "values.csv"
    values.write_text("pad\n" + "".join(f"{secrets.token_hex(40)}\n" for _ in range(VALUES_BYTES // 81)), "ascii")
    name = moved_to_client(them, own_folder, values)
    before = {host.name: received_bytes(host.pid, host.name) for host in them.hosts.values()}
    done = them.bench("/load", "-n", "8", "-z", "1s", "--workers", "4", "-H", "X-Pad: {pad}", "--values", name)
    assert (done.code, done.stderr) == (0, "")
    for host in them.hosts.values():
        received = received_bytes(host.pid, host.name) - before[host.name]
        assert VALUES_BYTES < received / WORKERS < 1.5 * VALUES_BYTES
