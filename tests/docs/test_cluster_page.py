"""The page of clusters names options of Dask, settings and fields of a manifest that exist."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import click
import dask.config
import yaml  # type: ignore[import-untyped] # comes with dask
from distributed.cli import dask_scheduler, dask_ssh, dask_worker
from documented_steps import DOCS, steps_of

PAGE = "how-to/cluster.md"
PROGRAMS: Mapping[str, click.Command] = {
    "scheduler": dask_scheduler.main, "worker": dask_worker.main, "ssh": dask_ssh.main,
}  # fmt: skip


def manifests() -> list[dict[str, Any]]:
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", (DOCS / PAGE).read_text("utf-8"), re.S)]


def dask_commands() -> Iterator[list[str]]:
    """Yield the words of each `dask` command: in a shell, in the text, and in the manifest."""
    text = (DOCS / PAGE).read_text("utf-8")
    for command in re.findall(r"\bdask (?:scheduler|worker|ssh) [^`&\"\n]*", text):
        yield shlex.split(command)[1:]
    cluster, _ = manifests()
    for part in ("worker", "scheduler"):
        (container,) = cluster["spec"][part]["spec"]["containers"]
        yield container["args"][1:]


def test_the_commands_of_dask_have_these_options() -> None:
    commands = list(dask_commands())
    assert {command[0] for command in commands} == PROGRAMS.keys()
    for name, *arguments in commands:
        PROGRAMS[name].make_context(name, arguments)


def test_the_settings_of_dask_exist() -> None:
    names = [name for step in steps_of(PAGE) for name in re.findall(r"\bDASK_(\w+)=", step.command)]
    assert len(names) == 8
    for name in names:
        key = name.lower().replace("__", ".").replace("_", "-")
        assert dask.config.get(key, "missing") != "missing", key


def test_the_manifest_connects_its_parts() -> None:
    cluster, _ = manifests()
    name, scheduler = cluster["metadata"]["name"], cluster["spec"]["scheduler"]
    assert (cluster["apiVersion"], cluster["kind"]) == ("kubernetes.dask.org/v1", "DaskCluster")
    (container,) = scheduler["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {port["targetPort"]: port["port"] for port in scheduler["service"]["ports"]} == ports
    assert container["readinessProbe"]["httpGet"]["port"] in ports
    affinity = cluster["spec"]["worker"]["spec"]["affinity"]["podAntiAffinity"]
    (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]
    selected = {**term["labelSelector"]["matchLabels"], "dask.org/component": "scheduler"}
    assert (
        selected
        == scheduler["service"]["selector"]
        == {"dask.org/cluster-name": name, "dask.org/component": "scheduler"}
    )
    assert any(f"service/{name}-scheduler {ports['tcp-comm']}:" in step.command for step in steps_of(PAGE))
