"""The findings for a terminal (rich). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.doctor.findings import Finding, State
from handlers.console.words import line, shown

MAX_WORDS = 600
_SIGNS = {State.OK: ("✓ ok", "green"), State.WARN: ("! warn", "yellow"), State.FAIL: ("✗ fail", "bold red")}


def findings_view(findings: Sequence[Finding]) -> RenderableType:
    """Return a line for each finding, with what to do below it, and the count of each state."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("area", style="cyan", no_wrap=True)
    table.add_column("what", overflow="fold")
    table.add_column("state", no_wrap=True)
    table.add_column("found, and how to mend it", overflow="fold")
    before = ""
    for finding in findings:
        sign, style = _SIGNS[finding.state]
        area = finding.area if finding.area != before else ""
        table.add_row(area, line(finding.name, 60), Text(sign, style=style), _words(finding))
        before = finding.area
    return Group(table, _counts(findings))


def _words(finding: Finding) -> Text:
    said = Text(shown(finding.said, MAX_WORDS))
    if finding.mend and finding.state is not State.OK:
        said.append("\n→ ", style="bold").append(shown(finding.mend, MAX_WORDS), style="italic")
    return said


def _counts(findings: Sequence[Finding]) -> Text:
    counted = [(state, sum(f.state is state for f in findings)) for state in State]
    return Text(", ").join(Text(f"{count} {state}", style=_SIGNS[state][1]) for state, count in counted)
