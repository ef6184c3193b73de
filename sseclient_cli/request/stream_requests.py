"""``PerStream``: the requests of the streams of a run, where they differ."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sseclient_cli.request.llm_body import LlmBodies
    from sseclient_cli.request.prompts import Conversation
    from sseclient_cli.request.target import Target


class PerStream(ABC):
    """What differs between the requests of the streams of a run. Compared by identity."""

    values_file: str | None
    urls_file: str | None
    weights: tuple[int, ...]
    """The share of the streams of each URL."""
    llm: LlmBodies | None
    """Makes the bodies of requests to an LLM."""

    @property
    @abstractmethod
    def shown_urls(self) -> tuple[str, ...]:
        """The URLs of the streams, for output and reports."""

    @abstractmethod
    def url_of(self, stream: int) -> int:
        """Return the number of the URL of a stream, both numbered from 0."""

    @abstractmethod
    def target_of(
        self, template: Target, stream: int, worker: int, slot: int, conversation: Conversation | None = None
    ) -> Target:
        """Return the request of a stream of a worker, in a slot; all are numbered from 0.

        It is the next one of ``conversation``; by default the first one of the conversation with its number.
        """

    @abstractmethod
    def reseeded(self, seed: str) -> PerStream:
        """Return the same requests with other random words in the prompts for an LLM."""

    @abstractmethod
    def preflight_of(self, template: Target) -> Target:
        """Return the request of the preflight."""

    @abstractmethod
    def other_origins(self, template: Target) -> list[Target]:
        """Return a target at each origin besides that of the template."""
