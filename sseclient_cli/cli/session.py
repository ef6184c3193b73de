"""One run of ``sse watch``: its streams, their common display, and the end of the run."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from sseclient_cli.cli.expectations import Verdict
from sseclient_cli.cli.recorder import Recording
from sseclient_cli.cli.stdout import is_writing_end_of_pipe
from sseclient_cli.cli.watched_stream import Selection, WatchedStream
from sseclient_cli.errors import SseError
from sseclient_cli.payload.reading import Reading
from sseclient_cli.render.watch.labels import labels_of
from sseclient_cli.request.target import Target

if TYPE_CHECKING:
    from sseclient_cli.cli.live_display import AnyDisplay

    NewDisplay: TypeAlias = Callable[[Callable[[], None], Callable[[], None]], AnyDisplay]
    """Makes a display from what it calls when the output fails, and for the key that ends the run."""


class Session:
    """One run of the command, with its result.

    ``output`` is the file descriptor of the events. Messages name the options of ``command``. ``recording`` takes all
    events and comments, also those that are not shown.
    """

    def __init__(
        self,
        targets: list[Target],
        selection: Selection,
        reading: Reading,
        output: int,
        command: Callable[..., int],
        recording: Recording | None = None,
    ) -> None:
        self.selection = selection
        self.verdict = Verdict(selection.expected, reading)
        labels = labels_of([target.redacted_url for target in targets])
        self.streams = [
            WatchedStream(
                target,
                label,
                selection,
                command,
                self.verdict,
                partial(recording.stream, number) if recording else None,
            )
            for number, (target, label) in enumerate(zip(targets, labels, strict=True))
        ]
        self._output = output
        self._recording = recording
        self._display: AnyDisplay | None = None
        self.terminated = False
        self.is_reader_gone = False
        self.is_quit = False
        self.failures: list[SseError] = []
        """The errors of streams that ended while others went on."""

    @property
    def opened(self) -> bool:
        """Whether a stream was open."""
        return any(stream.opened for stream in self.streams)

    @property
    def shown(self) -> int:
        """The number of events that were written."""
        return 0 if self._display is None else self._display.events_shown

    async def run(self, new_display: NewDisplay) -> None:
        """Show events until the end of the run. Raises SseError for the error of a single stream."""
        self._display = display = new_display(self._close, self._quit)
        with display, self._listening_for_the_end(display):
            try:
                if len(self.streams) == 1:
                    await self.streams[0].show(display)
                else:
                    async with asyncio.TaskGroup() as group:
                        for stream in self.streams:
                            group.create_task(self._show_one_of_several(stream, display))
            except SseError:
                await display.finish()  # show the events before the error
                raise
            await display.finish()

    async def _show_one_of_several(self, stream: WatchedStream, display: AnyDisplay) -> None:
        try:
            await stream.show(display)
        except SseError as exc:
            self.failures.append(exc)
            stream.failed(exc)
        if self.verdict.is_enough or (self._recording is not None and self._recording.is_failed):
            self._close()

    def _quit(self) -> None:
        """End the run because of a key."""
        self.is_quit = True
        self._close()
        if self._display is not None:
            self._display.hurry()

    def _close(self) -> None:
        for stream in self.streams:
            stream.close()

    @contextmanager
    def _listening_for_the_end(self, display: AnyDisplay) -> Iterator[None]:
        """Close the streams after the duration, on SIGTERM, and when the reader of the output has exited."""
        loop = asyncio.get_running_loop()

        def end() -> None:
            self._close()
            display.hurry()

        def terminate() -> None:
            self.terminated = True
            end()

        def reader_gone() -> None:
            loop.remove_reader(self._output)
            self.is_reader_gone = True
            end()

        task = asyncio.current_task()
        assert task is not None
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # shells ignore SIGINT for background jobs
            with suppress(NotImplementedError):  # on Windows
                # The handler of asyncio.run (3.11) does not wake the loop. A signal that arrives while the main thread
                # waits for the interpreter lock, just before it waits for sockets, would not be handled until an event.
                loop.add_signal_handler(signal.SIGINT, task.cancel)
        self._limit_time(loop, end)
        if os.isatty(self._output):
            with suppress(NotImplementedError):  # on Windows
                loop.add_signal_handler(signal.SIGTERM, terminate)
        elif is_writing_end_of_pipe(self._output):
            # A pipe becomes readable when its reader closes: `sse watch ... | head` ends with head at once.
            loop.add_reader(self._output, reader_gone)
        yield

    def _limit_time(self, loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> None:
        """End the run after the duration, and when an expected event is late."""

        def expire(is_exceeded: Callable[[], bool]) -> None:
            if is_exceeded():
                end()

        if self.selection.duration_s is not None:
            loop.call_later(self.selection.duration_s, end)
        for limit_s, is_exceeded in self.verdict.time_limits():
            loop.call_later(limit_s, expire, is_exceeded)
