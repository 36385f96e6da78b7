"""Labelled entries for training and evaluation, read from JSONL in the format of the annotation guide (see config/model/README.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.domain.reading import passage
from bot.domain.topics import Stage, Status

STAGES = tuple(Stage)
STATUSES = tuple(Status)


@dataclass(frozen=True, kw_only=True)
class Example:
    """One labelled entry. `stage` and `status` are None where they do not apply or were not labelled."""

    key: str
    published: str
    title: str
    body: str
    trade: bool
    meeting: bool
    new: bool | None
    stage: Stage | None
    status: Status | None
    weight: float

    @property
    def on_topic(self) -> bool:
        """Either topic applies."""
        return self.trade or self.meeting

    @property
    def flagged(self) -> bool:
        """A new development on a watched topic: what an alert may be raised for."""
        return self.on_topic and bool(self.new)


def read_examples(paths: Iterable[Path]) -> list[Example]:
    """Read labelled JSONL files: fields key, title, summary?, published?, t, m, n?, s?, p?, u?, weight?. Undecidable ones (u=1) are left out."""
    examples = []
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            examples += [_example(row) for line in lines if line.strip() and not (row := json.loads(line)).get("u")]
    return examples


def _example(row: dict[str, object]) -> Example:
    title, body = passage(str(row["title"]), str(row.get("summary") or ""))
    new = row.get("n")
    return Example(
        key=str(row["key"]),
        published=str(row.get("published") or "").replace(" ", "T"),
        title=title,
        body=body,
        trade=bool(row.get("t")),
        meeting=bool(row.get("m")),
        new=None if new is None else bool(new),
        stage=Stage(str(row["s"])) if row.get("t") and row.get("s") else None,
        status=Status(str(row["p"])) if row.get("m") and row.get("p") else None,
        weight=float(str(row.get("weight") or 1.0)),
    )
