"""The figures by which the judge is measured: precision, recall and F1 per topic and of what is flagged; accuracy of stage and status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain.assessment import Assessment
from bot.domain.topics import Topic
from bot.training.data import Example

Figures = dict[str, float | int | dict[str, float] | None]


@dataclass(kw_only=True)
class Tally:
    """Right and wrong answers to one question, each entry counted with a weight."""

    right: float = 0.0
    false: float = 0.0
    missed: float = 0.0

    def add(self, truth: bool, said: bool, weight: float = 1.0) -> None:
        """Count one answer."""
        self.right += weight * (truth and said)
        self.false += weight * (said and not truth)
        self.missed += weight * (truth and not said)

    def figures(self) -> dict[str, float]:
        """Return precision, recall and F1."""
        precision = self.right / (self.right + self.false) if self.right + self.false else 0.0
        recall = self.right / (self.right + self.missed) if self.right + self.missed else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


@dataclass(kw_only=True)
class _Accuracy:
    right: int = 0
    total: int = 0

    def add(self, truth: object, said: object) -> None:
        self.total += 1
        self.right += truth == said

    @property
    def figure(self) -> float | None:
        return round(self.right / self.total, 4) if self.total else None


@dataclass(kw_only=True)
class _Sheet:
    plain: dict[str, Tally] = field(default_factory=dict)
    weighted: dict[str, Tally] = field(default_factory=dict)
    stage: _Accuracy = field(default_factory=_Accuracy)
    status: _Accuracy = field(default_factory=_Accuracy)

    def add(self, name: str, truth: bool, said: bool, weight: float) -> None:
        self.plain.setdefault(name, Tally()).add(truth, said)
        self.weighted.setdefault(name, Tally()).add(truth, said, weight)


def label_figures(examples: Sequence[Example], assessments: Sequence[Assessment]) -> Figures:
    """Return the figures for labelled entries and what the judge said of them, in order; `*_weighted` estimate the raw stream."""
    sheet = _Sheet()
    for example, said in zip(examples, assessments, strict=True):
        _count(sheet, example, said)
    figures: Figures = {"entries": len(examples)}
    for name in sheet.plain:
        figures[name] = sheet.plain[name].figures()
        figures[f"{name}_weighted"] = sheet.weighted[name].figures()
    figures["stage_accuracy"], figures["status_accuracy"] = sheet.stage.figure, sheet.status.figure
    return figures


def _count(sheet: _Sheet, example: Example, said: Assessment) -> None:
    topics = said.topics()
    sheet.add("trade_deal", example.trade, Topic.TRADE_DEAL in topics, example.weight)
    sheet.add("ministerial_meeting", example.meeting, Topic.MINISTERIAL_MEETING in topics, example.weight)
    sheet.add("flagged", example.flagged, bool(said.flagged()), example.weight)
    if example.stage is not None and Topic.TRADE_DEAL in topics:
        sheet.stage.add(example.stage, said.stage)
    if example.status is not None and Topic.MINISTERIAL_MEETING in topics:
        sheet.status.add(example.status, said.status)
