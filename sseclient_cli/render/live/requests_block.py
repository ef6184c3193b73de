"""The requests in the live view: how many are done, how fast, and the tokens of the answers that have ended."""

from __future__ import annotations

from sseclient_cli.render.live.blocks import Block, head
from sseclient_cli.render.live.columns import Column, table
from sseclient_cli.render.live.history import RunHistory
from sseclient_cli.render.live.line import Line, Style
from sseclient_cli.render.live.quantities import bar, clock, count, rate
from sseclient_cli.run.progress import Progress, RequestProgress


def heading(history: RunHistory, width: int) -> Line:
    """Return the progress bar: of the requests if their number is planned, otherwise of the time."""
    requests = history.progress.requests
    if requests is None or not requests.planned:
        return head(history, width)
    share = min(requests.done / requests.planned, 1)
    facts = f"{share:5.0%}   {count(requests.done)} of {count(requests.planned)} requests"
    time = f"   {clock(history.progress.elapsed_s)}".rjust(13)
    widest = len(f"{share:5.0%}   {count(requests.planned)} of {count(requests.planned)} requests")
    room = max(width - widest - len(time), 5)
    return Line().then(bar(share, room)).add(facts.rjust(widest), (time, Style.BOLD))


def requests_block(history: RunHistory) -> Block:
    """Return the block of the requests, which takes the place of the streams."""

    def draw(_rows: int, width: int) -> list[Line]:
        progress = history.progress
        requests = progress.requests or RequestProgress()
        fields = [
            ("succeeded", count(requests.succeeded), Style.BOLD, 9),
            ("failed", count(requests.failed), Style.BAD if requests.failed else Style.PLAIN, 8),
            ("requests/s", rate(requests.per_s(requests.succeeded)), Style.PLAIN, 7),
            *_tokens(requests),
            ("open", count(progress.open_now), Style.PLAIN, 5),
            ("opening", count(progress.opening), Style.PLAIN, 3),
            *((("warm-up", count(requests.warm_up), Style.PLAIN, 2),) if requests.warm_up else ()),
            *((("lost", count(progress.lost), Style.BAD, 8),) if progress.lost else ()),
        ]
        columns = [Column(title, ((text, style),), 7, importance) for title, text, style, importance in fields]
        return table([""], columns, width)

    return Block("requests so far", 2, 2, draw)


def _tokens(requests: RequestProgress) -> tuple[tuple[str, str, Style, int], ...]:
    """Return the tokens per second of the answers that have ended; their chunks if the server counts no tokens."""
    if not requests.is_of_llm:
        return ()
    tokens = requests.output_tokens
    if tokens is not None or not requests.chunks:
        return (("tokens/s", rate(requests.per_s(tokens or 0)), Style.PLAIN, 6),)
    return (("chunks/s", rate(requests.per_s(requests.chunks)), Style.PLAIN, 6),)


def answers_line(history: RunHistory, _width: int) -> Line:
    """Return the total of the answers that have ended."""
    requests = history.progress.requests or RequestProgress()
    line = Line("answers".ljust(10), f"{count(requests.succeeded)} ended")
    if requests.is_of_llm:
        is_uncounted = requests.output_tokens is None and requests.chunks
        tokens = "tokens not counted" if is_uncounted else f"{count(requests.output_tokens or 0)} tokens"
        line.add(f"  {tokens}  {count(requests.chunks)} chunks")
    return line


def request_facts(progress: Progress, requests: RequestProgress) -> list[tuple[str, Style, int]]:
    """Return the facts of a low terminal, with their importance."""
    planned = f" of {count(requests.planned)}" if requests.planned else ""
    return [
        (f"{count(requests.done)}{planned} done", Style.BOLD, 9),
        (f"{count(requests.failed)} failed", Style.BAD if requests.failed else Style.PLAIN, 8),
        (f"{rate(requests.per_s(requests.succeeded))}/s", Style.PLAIN, 7),
        *((f"{text} {title}", style, importance) for title, text, style, importance in _tokens(requests)),
        (f"{count(progress.open_now)} open", Style.PLAIN, 5),
    ]


def request_line(progress: Progress, requests: RequestProgress) -> list[str]:
    """Return the facts of a plain line."""
    planned = f" of {count(requests.planned)}" if requests.planned else ""
    return [
        f"{count(requests.done)}{planned} requests",
        f"{count(requests.failed)} failed",
        f"{count(progress.open_now)} open",
        f"{rate(requests.per_s(requests.succeeded))} requests/s",
        *(f"{text} {title}" for title, text, _, _ in _tokens(requests)),
    ]
