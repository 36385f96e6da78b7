"""How many entries a second the judge reads: `python -m bench.judge [ENTRIES.jsonl[.gz]] [--zero-shot N]`.

Without a file: the entries of `labels/written.jsonl`. `--zero-shot N` runs, in the same process and after it, a zero-shot pipeline of the
shape of BART-large (406 million parameters, random weights: speed does not depend on their values) over the first N of the same
entries, with the two topics as candidates, and prints the ratio. It needs the extra `attache[torch]`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.app import Judge, open_judge
from bot.batch import classify
from bot.domain.reading import passage
from bot.judge.zero_shot import TEMPLATE, TOPICS
from bot.training.data import rows_of
from config.settings import HERE

WRITTEN = Path(__file__).parent.parent / "labels" / "written.jsonl"
WARM_UP = 64


def _lines(path: Path, limit: int) -> list[str]:
    return [json.dumps(row) for row in itertools.islice(rows_of(path), limit)]


async def ours(lines: Sequence[str]) -> float:
    """Return entries a second of `attache classify` with the shipped model, the model being loaded."""
    async with open_judge(str(HERE / "model")) as judge:
        await _classified(lines[:WARM_UP], judge)
        began = time.perf_counter()
        await _classified(lines, judge)
        return len(lines) / (time.perf_counter() - began)


async def _classified(lines: Sequence[str], judge: Judge) -> None:
    rows: list[dict[str, Any]] = []
    await classify(lines, judge, rows.append)


def zero_shot(lines: Sequence[str]) -> float:
    """Return entries a second of a zero-shot pipeline of BART-large's shape."""
    import torch
    from transformers import pipeline

    from bench.shapes import save_bart_large

    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        save_bart_large(Path(folder))
        pipe: Any = pipeline("zero-shot-classification", model=folder)
    texts = [". ".join(filter(None, passage(str(r["title"]), str(r.get("summary") or "")))) for r in map(json.loads, lines)]
    pipe(texts[0], candidate_labels=list(TOPICS), hypothesis_template=TEMPLATE, multi_label=True)
    began = time.perf_counter()
    for text in texts:
        pipe(text, candidate_labels=list(TOPICS), hypothesis_template=TEMPLATE, multi_label=True)
    return len(texts) / (time.perf_counter() - began)


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("entries", type=Path, nargs="?", default=WRITTEN)
    parser.add_argument("--limit", type=int, default=5_000, help="entries to read at most")
    parser.add_argument("--zero-shot", type=int, default=0, metavar="N", help="entries for the zero-shot pipeline")
    args = parser.parse_args()
    lines = _lines(args.entries, args.limit)
    found: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "entries": len(lines)}
    found["entries_a_second"] = round(asyncio.run(ours(lines)), 1)
    if args.zero_shot:
        found["zero_shot_entries_a_second"] = round(zero_shot(lines[: args.zero_shot]), 3)
        found["ratio"] = round(found["entries_a_second"] / found["zero_shot_entries_a_second"])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
