"""Programs to compare with, each in an environment of its own: their dependencies exclude each other.

They are installed only on request (`python -m benchmarks --install locust,artillery`): guidellm takes 6 GB, vllm
10 GB, because both depend on PyTorch with CUDA.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.saving import show_progress


class Installable(Protocol):
    """A package of a fixed version, and the program that it installs."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def executable(self) -> Path: ...
    def install(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Package:
    """A package of PyPI, in a virtual environment."""

    name: str
    version: str
    program: str
    extra: str = ""
    pythons: tuple[str, ...] = ("python3",)
    """The first of these that is found makes the environment."""

    @property
    def executable(self) -> Path:
        return folder() / self.name / "bin" / self.program

    @property
    def python(self) -> Path:
        return folder() / self.name / "bin" / "python"

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}"

    def missing(self) -> str | None:
        """Return the reason why it cannot run, if there is one."""
        return missing(self)

    def install(self) -> None:
        """Make the environment and install the package into it."""
        python = next((found for name in self.pythons if (found := shutil.which(name))), None)
        if python is None:
            raise SystemExit(f"{self.name} needs one of: {', '.join(self.pythons)}")
        show_progress(f"installing {self.title} with {python}; this may take minutes and gigabytes")
        subprocess.run([python, "-m", "venv", "--clear", str(folder() / self.name)], check=True)
        pip = [str(self.python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, f"{self.name}{self.extra}=={self.version}"], check=True, stdout=sys.stderr)


@dataclass(frozen=True, slots=True)
class NodePackage:
    """A package of npm, in a folder."""

    name: str
    version: str

    @property
    def executable(self) -> Path:
        return folder() / self.name / "node_modules" / ".bin" / self.name

    def missing(self) -> str | None:
        """Return the reason why it cannot run, if there is one."""
        return missing(self)

    def install(self) -> None:
        """Install it without the browsers that it can drive."""
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit(f"{self.name} needs Node.js with npm")
        show_progress(f"installing {self.name} {self.version} with {npm}")
        place = folder() / self.name
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "--prefix", str(place), f"{self.name}@{self.version}"],
            check=True,
            stdout=sys.stderr,
            env={**os.environ, "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"},
        )


AIPERF = Package("aiperf", "0.13.0", "aiperf")
GUIDELLM = Package("guidellm", "0.8.1", "guidellm")
VLLM = Package("vllm", "0.33.0", "vllm", extra="[bench]")
INFERENCE_PERF = Package("inference-perf", "0.7.0", "inference-perf", pythons=("python3.13", "python3.12"))
LOCUST = Package("locust", "2.47.0", "locust")
ARTILLERY = NodePackage("artillery", "2.0.34")
LLM_PACKAGES = (AIPERF, GUIDELLM, VLLM, INFERENCE_PERF)
PACKAGES: tuple[Installable, ...] = (*LLM_PACKAGES, LOCUST, ARTILLERY)


def folder() -> Path:
    """Return the folder of the environments; the environment variable BENCH_TOOLS names another one."""
    return Path(os.environ.get("BENCH_TOOLS") or Path(__file__).parent.parent / ".cache" / "bench-tools")


def missing(package: Installable) -> str | None:
    """Return the reason why a package cannot run, if there is one."""
    return None if package.executable.exists() else f"not installed: python -m benchmarks --install {package.name}"


def install(names: list[str]) -> None:
    """Install these packages. Raises SystemExit for an unknown one."""
    known = {package.name: package for package in PACKAGES}
    for name in names:
        if name not in known:
            raise SystemExit(f"{name!r} is none of: {', '.join(known)}")
    for name in names:
        known[name].install()
