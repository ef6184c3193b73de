"""Sends a run, or a shard of it, to another machine together with the files that it names.

The content is pickled when it is packed: programs on its way, which log the objects that they handle, see only bytes.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Generic, TypeVar

from sseclient_cli.errors import InternalError, LimitError
from sseclient_cli.request.target import ResolvedTarget, Target
from sseclient_cli.request.values_file import cannot_read
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import RunSpec, Shard

Content = TypeVar("Content", RunSpec, Shard)
Place = Callable[[str, str], str]
"""Called with the name of a file and the argument that it belongs to; returns another name of the file."""


@dataclass(frozen=True, slots=True)
class Shipment(Generic[Content]):
    """A packed run or shard. It can be pickled, and its repr shows none of its values."""

    content: bytes = field(repr=False)
    files: dict[str, bytes] = field(repr=False)
    """The contents of the files by name."""

    @contextmanager
    def unpacked(self) -> Iterator[Content]:
        """Return the content, with its files in a temporary directory, which is removed at the end of the block.

        Raises LimitError if the files cannot be written.
        """
        with ExitStack() as stack:
            try:
                names = self._written(stack) if self.files else {}
            except OSError as exc:
                reason = (exc.strerror or str(exc)).lower()
                raise LimitError(f"cannot write the files of the run on this machine: {reason}") from exc
            try:
                content: Content = pickle.loads(self.content)
            except Exception as exc:  # noqa: BLE001 - a class that this machine lacks; the text may show values
                raise InternalError(f"a run cannot be read on this machine: {type(exc).__name__}") from None
            yield _with_files(content, lambda name, _: names[name])

    def _written(self, stack: ExitStack) -> dict[str, str]:
        """Write the files, and return their new names."""
        directory = stack.enter_context(TemporaryDirectory(prefix="sse-"))  # mode 0700
        names = {}
        for number, (name, data) in enumerate(self.files.items()):
            path = Path(directory, f"{number}-{Path(name).name}")
            with open(path, "xb", opener=_private) as file:
                file.write(data)
            names[name] = str(path)
        return names


def packed(content: Content) -> Shipment[Content]:
    """Return a run or shard with its files. Raises UsageError for a file that cannot be read."""
    files: dict[str, bytes] = {}

    def read(name: str, argument: str) -> str:
        try:
            files[name] = files.get(name) or Path(name).read_bytes()
        except (OSError, ValueError) as exc:
            raise cannot_read(name, exc, argument) from exc
        return name

    _with_files(content, read)
    try:
        return Shipment(pickle.dumps(content), files)
    except (pickle.PickleError, AttributeError, TypeError) as exc:  # their texts may show values
        raise InternalError(f"a run cannot be sent to another machine: {type(exc).__name__}") from None


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _with_files(content: Content, place: Place) -> Content:
    """Return the content with other names of its files."""

    def chain_of(chain: tuple[ResolvedTarget, ...]) -> tuple[ResolvedTarget, ...]:
        return tuple(replace(each, target=_of_target(each.target, place)) for each in chain)

    plan, against = _of_plan(content.plan, place), content.against
    if isinstance(content, RunSpec):
        target = _of_target(content.target, place)
        return replace(content, plan=plan, target=target, against=against and _of_target(against, place))
    chain, others = chain_of(content.chain), chain_of(content.others)
    return replace(content, plan=plan, chain=chain, others=others, against=against and chain_of(against))


def _of_target(target: Target, place: Place) -> Target:
    def placed(name: str | None, argument: str) -> str | None:
        return None if name is None else place(name, argument)

    tls = target.tls
    return replace(
        target,
        tls=replace(
            tls,
            ca_file=placed(tls.ca_file, "ca_file"),
            cert_file=placed(tls.cert_file, "cert_file"),
            key_file=placed(tls.key_file, "key_file"),
        ),
    )


def _of_plan(plan: Plan, place: Place) -> Plan:
    llm = plan.llm
    if llm is None or llm.tokenizer is None:
        return plan
    return replace(plan, llm=replace(llm, tokenizer=place(llm.tokenizer, "tokenizer")))
