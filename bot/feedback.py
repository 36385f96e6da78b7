"""What people said of alerts, as labels to train on. Pure: values in, rows out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.subscriptions import Feedback
from bot.domain.topics import Topic
from bot.ports import Filed

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Labels:
    """A row for each development that was judged, and how many were left out: as many for it as against it, or its entry is not kept."""

    rows: tuple[Row, ...]
    tied: int = 0
    gone: int = 0


def verdicts(feedback: Iterable[Feedback]) -> dict[str, bool | None]:
    """Return for each development whether most call it useful; None where as many say so as not."""
    weight: Counter[str] = Counter()
    for said in feedback:
        weight[said.development_id] += 1 if said.useful else -1
    return {name: None if not count else count > 0 for name, count in weight.items()}


def labels_of(feedback: Iterable[Feedback], openings: Mapping[str, Filed]) -> Labels:
    """Return the labels of the entries that opened the developments, in the format that `attache train` reads (see config/model/README.md).

    Useful: a new development on the topics that it was assessed to be of. Not relevant: no new development.
    """
    said = verdicts(feedback)
    decided = {name: useful for name, useful in said.items() if useful is not None}
    rows = tuple(_row(openings[name], useful) for name, useful in decided.items() if name in openings)
    return Labels(rows=rows, tied=len(said) - len(decided), gone=len(decided) - len(rows))


def _row(filed: Filed, useful: bool) -> Row:
    entry, assessment = filed.entry, filed.assessment
    deal, meeting = Topic.TRADE_DEAL in filed.topics, Topic.MINISTERIAL_MEETING in filed.topics
    return {
        "key": entry.key,
        "title": entry.title,
        "summary": entry.summary,
        "published": entry.published.isoformat(),
        "source": entry.source,
        "t": int(deal),
        "m": int(meeting),
        "n": int(useful),
        **({"s": assessment.stage} if deal and assessment.stage else {}),
        **({"p": assessment.status} if meeting and assessment.status else {}),
    }
