"""Compares the versions of Python and of packages between the machines of a cluster.

The workers of a run exchange pickles with the command and measure with the packages of their own machine, so all of
them need the same ones. The scheduler unpacks the objects of the run too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

from sseclient_cli.run.hosts.host_errors import listed

_OWN = "sseclient-cli"
_EXTRAS = ("brotli", "cluster", "tokenizer")
"""The extras that workers use, if they are installed."""
_REQUIREMENT = re.compile(r"""([\w.-]+)[^;]*(?:;.*?\bextra *== *["']([\w.-]+)["'])?.*""")


def compared_packages() -> list[str]:
    """Return the names of the packages to compare: this one, its dependencies, and cloudpickle, which Dask uses."""
    required = [_REQUIREMENT.fullmatch(each) for each in metadata.requires(_OWN) or ()]
    wanted = [match[1] for match in required if match and match[2] in (None, *_EXTRAS)]
    return [_OWN, *wanted, "cloudpickle"]


def version_differences(versions: Mapping[str, Any]) -> str:
    """Return how scheduler and workers differ from this machine, and how to fix it; empty if they do not.

    ``versions`` are those of ``distributed.Client.get_versions(packages=compared_packages())``. A package that is
    missing on this machine is not compared.
    """
    here = _compared(versions["client"])
    others = {"the scheduler": versions["scheduler"]}
    others.update((f"worker {address}", found) for address, found in versions["workers"].items())
    by_difference: dict[str, list[str]] = {}
    for name, found in others.items():
        if difference := _difference(here, _compared(found)):
            by_difference.setdefault(difference, []).append(name)
    return "; ".join(f"versions differ on {listed(names)}: {difference}" for difference, names in by_difference.items())


def _compared(found: Mapping[str, Any] | None) -> dict[str, str | None]:
    """Return the versions to compare. Pickles and measurements depend on the feature version of Python alone: 3.13."""
    packages = {} if found is None else found["packages"]
    versions = {name: packages.get(name) for name in compared_packages()}
    python = packages.get("python")
    return {"Python": python and ".".join(python.split(".")[:2]), **versions}


def _difference(here: Mapping[str, str | None], there: Mapping[str, str | None]) -> str:
    different = {name: version for name, version in here.items() if version is not None and there[name] != version}
    if not different:
        return ""
    facts = ", ".join(
        f"{name} {there[name]} (here {version})" if there[name] else f"no {name} (here {version})"
        for name, version in different.items()
    )
    python = different.pop("Python", None)
    fixes = [] if python is None else [f"start it with Python {python}"]
    if different:
        fixes.append("run there: pip install " + " ".join(f"{name}=={version}" for name, version in different.items()))
    return f"{facts}; {', '.join(fixes)}"


@cache
def code_digest() -> str:
    """Return a digest of the modules of this package: checkouts of one version can differ."""
    package = Path(__file__).parents[2]
    digest = sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
