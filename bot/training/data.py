"""Labelled entries for training and evaluation, read from JSONL in the format of the annotation guide (see config/model/README.md)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.domain.entries import Entry
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
    source: str = "file"
    sampled: bool = False  # part of a stratified sample: `weight` says how many entries of the raw stream it stands for

    @property
    def on_topic(self) -> bool:
        """Either topic applies."""
        return self.trade or self.meeting

    @property
    def flagged(self) -> bool:
        """A new development on a watched topic: what an alert may be raised for."""
        return self.on_topic and bool(self.new)


def read_examples(paths: Iterable[Path], texts: Iterable[Path] = ()) -> list[Example]:
    """Read labelled JSONL files: fields key, title, summary?, published?, t, m, n?, s?, p?, u?, weight?.

    Undecidable entries (u=1) are left out. Labels without a title are joined by their key with the rows of `texts`; of labels that
    are joined with none nothing can be learned, and they are left out. Files may be gzipped.
    """
    labelled = [row for path in paths for row in rows_of(path) if not row.get("u")]
    wanted = {row["key"] for row in labelled if "title" not in row}
    known = {row["key"]: row for path in texts for row in rows_of(path) if row["key"] in wanted} if wanted else {}
    return [_example(known.get(row["key"], {}) | row) for row in labelled if "title" in row or row["key"] in known]


def rows_of(path: Path) -> Iterator[dict[str, object]]:
    """Yield the rows of a JSONL file, gzipped or not."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


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
        source=str(row.get("source") or "file"),
        sampled="weight" in row,
    )


def entries_of(examples: Sequence[Example]) -> list[Entry]:
    """Return labelled entries as the classifier reads them; what was labelled without a date is of today."""
    return [_entry(example) for example in examples]


def _entry(example: Example) -> Entry:
    moment = datetime.fromisoformat(example.published) if example.published else datetime.now(UTC)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Entry(
        entry_id=0,
        key=example.key,
        source=example.source,
        url="",
        title=example.title,
        summary=example.body,
        published=moment,
        seen=moment,
    )
