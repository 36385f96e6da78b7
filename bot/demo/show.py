"""What a spectator of the demo sees besides the alerts: a bar over the days with what is polled, and the figures at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from bot.domain.decisions import Reason
from bot.ports import Filed

_ALERTED = (Reason.NEW_DEVELOPMENT, Reason.FOLLOW_UP)
_SPARED = (Reason.MORE_COVERAGE, Reason.NEW_VERSION)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What became of the entries. `alerts` holds the follow-ups too; `spared` are entries that told again what was known."""

    entries: int
    flagged: int
    developments: int
    alerts: int
    follow_ups: int
    spared: int


def figures(filed: Sequence[Filed]) -> Figures:
    """Return the figures of what was filed. An entry that was re-titled counts once; its new title is one of those spared."""
    reasons = [one.reason for one in filed]
    return Figures(
        entries=len({one.entry.entry_id for one in filed}),
        flagged=len({one.entry.entry_id for one in filed if one.development_id}),
        developments=len({one.development_id for one in filed if one.development_id}),
        alerts=sum(reason in _ALERTED for reason in reasons),
        follow_ups=reasons.count(Reason.FOLLOW_UP),
        spared=sum(reason in _SPARED for reason in reasons),
    )


def closing(found: Figures) -> Table:
    """Return the figures as the table that ends the demo."""
    table = Table(title="The fortnight in figures", title_justify="left", show_header=False)
    table.add_column("what")
    table.add_column("how many", justify="right", style="bold")
    for name, value in _rows(found):
        table.add_row(name, str(value))
    return table


def _rows(found: Figures) -> tuple[tuple[str, int], ...]:
    return (
        ("entries", found.entries),
        ("flagged", found.flagged),
        ("developments", found.developments),
        ("alerts", found.alerts),
        ("follow-ups", found.follow_ups),
        ("duplicates spared", found.spared),
    )


class Show:
    """Draws the demo's progress on a console. Alerts are printed above the bar by whoever sends them, on the same console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.fields[day]}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[doing]}", markup=False, style="dim"),
            console=console,
            transient=True,
        )
        self._task: TaskID | None = None

    @contextmanager
    def running(self, steps: int) -> Iterator[None]:
        """Show the bar inside the block; it is full after `steps` calls of `done`."""
        with self._progress:
            self._task = self._progress.add_task("", total=steps, day="", doing="")
            yield

    def polling(self, moment: datetime, source: str) -> None:
        """Say which instant it is in the story and which source is polled."""
        self._update(day=f"{moment:%a %d %b %Y, %H:%M}", doing=f"polling {source}")

    def judging(self) -> None:
        """Say that what arrived is judged."""
        self._update(doing="judging")

    def done(self) -> None:
        """Count a step."""
        if self._task is not None:
            self._progress.advance(self._task)

    def close(self, filed: Sequence[Filed]) -> None:
        """Print the figures."""
        self._console.print(Text(), closing(figures(filed)))

    def _update(self, **fields: str) -> None:
        if self._task is not None:
            self._progress.update(self._task, **fields)  # type: ignore[arg-type]  # rich types the fields as its own options
