"""Differences between the packages of this machine and of a cluster's machines, in the form that Dask reports them."""

from copy import deepcopy
from typing import Any

import pytest
from distributed.versions import get_versions

from sseclient_cli.run.hosts.versions import compared_packages, version_differences

HERE = get_versions(compared_packages())


def versions(**workers: dict[str, Any]) -> dict[str, Any]:
    """Return those of a cluster whose workers have other versions than this machine of the packages in a dict."""
    found = {name: deepcopy(HERE) for name in workers}
    for name, packages in workers.items():
        found[name]["packages"].update(packages)
    return {"client": deepcopy(HERE), "scheduler": deepcopy(HERE), "workers": found}


def version(package: str) -> str:
    return str(HERE["packages"][package])


def test_packages_are_the_dependencies_of_this_one_and_those_of_its_messages() -> None:
    packages = compared_packages()
    assert {"sseclient-cli", "httptools", "hdrhistogram", "uvicorn", "distributed", "cloudpickle"} <= set(packages)
    assert {"brotli", "tokenizers"} <= set(packages)
    assert not {"redis", "prometheus-client", "pandas"} & set(packages)


def test_equal_versions_have_no_differences() -> None:
    assert version_differences(versions(a={}, b={})) == ""


def test_packages_that_do_not_take_part_and_bug_fixes_of_python_may_differ() -> None:
    feature = ".".join(version("python").split(".")[:2])
    assert version_differences(versions(a={"pandas": "3.0", "python": f"{feature}.99.final.0"})) == ""


def test_a_worker_with_other_packages_is_named_with_both_versions_and_the_fix() -> None:
    httptools, psutil = version("httptools"), version("psutil")
    assert version_differences(versions(a={}, b={"httptools": "0.1", "psutil": None})) == (
        f"versions differ on worker b: httptools 0.1 (here {httptools}), no psutil (here {psutil}); "
        f"run there: pip install httptools=={httptools} psutil=={psutil}"
    )


def test_workers_with_the_same_difference_are_named_together() -> None:
    text = version_differences(versions(**{name: {"httpx": "1"} for name in "abcde"}, f={"httpx": "2"}))
    assert text.startswith("versions differ on worker a, worker b, worker c and 2 more: httpx 1 (here ")
    assert "; versions differ on worker f: httpx 2 (here " in text


def test_another_python_is_named_by_its_feature_version() -> None:
    feature = ".".join(version("python").split(".")[:2])
    assert version_differences(versions(a={"python": "3.9.1.final.0"})) == (
        f"versions differ on worker a: Python 3.9 (here {feature}); start it with Python {feature}"
    )


def test_the_scheduler_unpacks_the_run_and_is_compared_too() -> None:
    found = versions(a={})
    found["scheduler"]["packages"]["sseclient-cli"] = None
    assert version_differences(found).startswith("versions differ on the scheduler: no sseclient-cli (here ")


@pytest.mark.parametrize("package", ["tokenizers", "brotli"])
def test_a_package_that_this_machine_does_not_have_is_not_compared(package: str) -> None:
    found = versions(a={})
    found["client"]["packages"][package] = None
    assert version_differences(found) == ""
