"""Findings in words: ``sentence(finding)`` has the figures, ``advice(finding)`` the remedy.

The summary, the HTML page and JUnit use the same words. Each code is declared once, in ``finding_words/``; a caller
escapes the text of the server that a sentence or an advice may contain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sseclient_cli.render.finding_words import audit, bad_clients, clocks, fanout, llm, reads, recovery, streams, target
from sseclient_cli.render.finding_words.words import Words

if TYPE_CHECKING:
    from sseclient_cli.report.model import Finding


def sentence(finding: Finding) -> str:
    """Return a finding as a sentence with its figures, with a full stop."""
    return WORDS[finding.code].sentence(finding.figures)


def advice(finding: Finding) -> str:
    """Return the advice on a finding: one or two sentences with a full stop, which name a directive or an option."""
    return WORDS[finding.code].advice(finding.figures)


WORDS: dict[str, Words] = {
    **streams.WORDS,
    **audit.WORDS,
    **reads.WORDS,
    **clocks.WORDS,
    **target.WORDS,
    **fanout.WORDS,
    **llm.WORDS,
    **bad_clients.WORDS,
    **recovery.WORDS,
}
"""The words of each finding, by code."""
