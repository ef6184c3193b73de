"""The options of ``sse bench`` for requests to an LLM."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import typer

from sseclient_cli.cli.options.grouped import option_group
from sseclient_cli.cli.options.values import parse_count, parse_turns
from sseclient_cli.errors import UsageError
from sseclient_cli.measure.answer_choice import LlmChoice
from sseclient_cli.measure.slo import parse_slo
from sseclient_cli.payload.llm_api import LlmApi
from sseclient_cli.request.token_count import TokenCount


def parse_token_count(text: str | TokenCount) -> TokenCount:
    """Read ``512``, ``1k``, or ``512:64`` for 448 to 576."""
    if not isinstance(text, str):
        return text
    tokens, colon, spread = text.partition(":")
    try:
        return TokenCount(parse_count(tokens), parse_count(spread) if colon else 0)
    except UsageError as exc:
        raise typer.BadParameter(str(exc)) from exc
    except typer.BadParameter:
        raise typer.BadParameter(f"{text!r} is not a number of tokens: write it like 512, 1k or 512:64") from None


def _tokens(name: str, help_text: str) -> Any:
    return typer.Option(name, parser=parse_token_count, metavar="COUNT[:SPREAD]", show_default=False, help=help_text)


@option_group
class LlmOptions:
    """Whether each stream is the answer of an LLM, and which answers are good."""

    PANEL: ClassVar = "LLM requests"

    llm: Annotated[
        LlmApi | None,
        typer.Option(
            metavar=f"[{'|'.join(api.value for api in LlmApi)}]",
            show_default=False,
            help="Send requests to an LLM, and measure tokens; auto: recognise the API from the events.",
        ),
    ] = None
    slo: Annotated[
        str | None,
        typer.Option(
            metavar="OBJECTIVES",
            show_default=False,
            help="Count the requests that meet these objectives: 'first_token < 500ms, tpot < 50ms'.",
        ),
    ] = None

    tokenizer: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="Count tokens with this tokenizer.json where the server does not; needs the package tokenizers.",
        ),
    ] = None

    def choice(self) -> LlmChoice | None:
        """Return what to measure; None without ``--llm``. Raises UsageError."""
        if self.slo is not None and self.llm is None:
            raise UsageError("--slo is for requests to an LLM: add --llm")
        if self.tokenizer is not None and self.llm is None:
            raise UsageError("--tokenizer is for requests to an LLM: add --llm")
        slo = () if self.slo is None else parse_slo(self.slo)
        return None if self.llm is None else LlmChoice(self.llm, slo, self.tokenizer)


@option_group
class LlmRequestOptions:
    """The requests of a run with --llm: model, prompts, length of the answers."""

    PANEL: ClassVar = "LLM requests"

    model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="NAME", show_default=False, help="Ask this model; by default the server's own."
        ),
    ] = None
    prompt: Annotated[
        str | None,
        typer.Option(
            "--prompt",
            metavar="TEXT",
            show_default=False,
            help="Send this prompt; several prompts are read from --values FILE.",
        ),
    ] = None
    prompt_tokens: Annotated[
        TokenCount | None, _tokens("--prompt-tokens", "Send random words of about this many tokens: 512, 512:64.")
    ] = None
    output_tokens: Annotated[
        TokenCount | None, _tokens("--output-tokens", "Limit the answer to this many tokens: 128, 128:32.")
    ] = None
    turns: Annotated[
        int | None,
        typer.Option(
            "--turns",
            parser=parse_turns,
            metavar="COUNT|all",
            show_default="1",
            help="Continue each conversation with the answers, up to this many turns; all: those of the file.",
        ),
    ] = None
    system: Annotated[
        str | None,
        typer.Option("--system", metavar="TEXT", show_default=False, help="Send this system prompt in each request."),
    ] = None
    prompt_seed: Annotated[
        int | None,
        typer.Option(
            "--prompt-seed",
            min=0,
            metavar="NUMBER",
            show_default="drawn, and reported",
            help="Repeat the random words and lengths of the run with this seed.",
        ),
    ] = None
    extra_body: Annotated[
        str | None,
        typer.Option(
            "--extra-body",
            metavar="JSON",
            show_default=False,
            help="Add these members to the body: '{\"ignore_eos\": true}'; null removes one.",
        ),
    ] = None
