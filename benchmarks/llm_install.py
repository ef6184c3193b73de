"""The other load generators, each in an environment of its own: their dependencies exclude each other.

They are installed only on request (`python -m benchmarks.llm --install aiperf,guidellm`): guidellm takes 6 GB, vllm
10 GB, because both depend on PyTorch with CUDA.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.saving import show_progress


@dataclass(frozen=True, slots=True)
class Package:
    """A package of a fixed version, and the program that it installs."""

    name: str
    version: str
    program: str
    extra: str = ""
    pythons: tuple[str, ...] = ("python3",)
    """The first of these that is found makes the environment."""

    @property
    def executable(self) -> Path:
        """The program. The environment variable LLM_TOOLS names another folder of environments."""
        return folder() / self.name / "bin" / self.program

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}"

    def missing(self) -> str | None:
        """Return the reason why it cannot run, if there is one."""
        if self.executable.exists():
            return None
        return f"not installed: python -m benchmarks.llm --install {self.name}"

    def install(self) -> None:
        """Make the environment and install the package into it."""
        python = next((found for name in self.pythons if (found := shutil.which(name))), None)
        if python is None:
            raise SystemExit(f"{self.name} needs one of: {', '.join(self.pythons)}")
        environment = folder() / self.name
        show_progress(f"installing {self.title} with {python}; this may take minutes and gigabytes")
        subprocess.run([python, "-m", "venv", "--clear", str(environment)], check=True)
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, f"{self.name}{self.extra}=={self.version}"], check=True, stdout=sys.stderr)


AIPERF = Package("aiperf", "0.13.0", "aiperf")
GUIDELLM = Package("guidellm", "0.8.1", "guidellm")
VLLM = Package("vllm", "0.33.0", "vllm", extra="[bench]")
INFERENCE_PERF = Package("inference-perf", "0.7.0", "inference-perf", pythons=("python3.13", "python3.12"))
PACKAGES = (AIPERF, GUIDELLM, VLLM, INFERENCE_PERF)


def folder() -> Path:
    """Return the folder of the environments."""
    return Path(os.environ.get("LLM_TOOLS") or Path(__file__).parent.parent / ".cache" / "llm-tools")


def install(names: list[str]) -> None:
    """Install these packages. Raises SystemExit for an unknown one."""
    known = {package.name: package for package in PACKAGES}
    for name in names:
        if name not in known:
            raise SystemExit(f"{name!r} is none of: {', '.join(known)}")
    for name in names:
        known[name].install()
