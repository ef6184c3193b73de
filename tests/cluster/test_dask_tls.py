"""TLS between the processes of a cluster, by Dask's own configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme
from cluster_processes import Cluster, dask_scheduler, start_worker, wait_for_workers
from cluster_runs import bench

TLS = "DASK_DISTRIBUTED__COMM__TLS__"


@pytest.fixture(name="files")
def written_certificates(tmp_path: Path) -> dict[str, str]:
    ca = trustme.CA()
    leaf = ca.issue_cert("127.0.0.1")
    blobs = {"ca-file": ca.cert_pem, "cert": leaf.cert_chain_pems[0], "key": leaf.private_key_pem}
    for name, blob in blobs.items():
        blob.write_to_path(str(tmp_path / name))
    return {name: str(tmp_path / name) for name in blobs}


def test_client_with_the_configuration_of_dask_joins_a_tls_cluster(
    files: dict[str, str], server: str, tmp_path: Path
) -> None:
    options = [f"--tls-{name}={file}" for name, file in files.items()]
    configured = {f"{TLS}CA_FILE": files["ca-file"], f"{TLS}CLIENT__CERT": files["cert"]}
    configured[f"{TLS}CLIENT__KEY"] = files["key"]
    with dask_scheduler(tmp_path, *options, host="tls://127.0.0.1") as cluster:
        start_worker(cluster, "one", "--no-nanny", *options)
        start_worker(cluster, "two", "--no-nanny", *options)
        wait_for_workers(cluster)
        assert cluster.address.startswith("tls://")
        arguments = [f"{server}/load?count=10&rate=50", "-n", "8", "-z", "20s", "--cluster", cluster.address]
        done = bench(tmp_path, *arguments, environment=configured)
        assert (done.code, done.stderr) == (0, "")
        assert done.report["events"]["received"] == 80
        # The workers talk to each other too.
        assert done.report["run"]["workers"] == 2
        check_refused(cluster, bench(tmp_path, *arguments).stderr)


def check_refused(cluster: Cluster, stderr: str) -> None:
    assert stderr.startswith("sse: ")
    assert stderr.count("\n") == 1
    assert cluster.address in stderr
