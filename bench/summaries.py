"""Are the summaries made of what the sources say? `python -m bench.summaries ENTRIES.jsonl REPLAYED.jsonl`.

Takes the entries that `attache replay` read and what it wrote, and prints one JSON object. The checker shares no code with the bot, its
normalisation included: a fault of the bot's cleaning is not to hide a fault of its summaries.
"""

from __future__ import annotations

import html
import json
import re
import statistics
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT = 400
NAMED = 20  # developments with a fault that are named

_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>", re.DOTALL)
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|&(?:#\d+|#x[0-9a-fA-F]+|[a-z]{2,8});|https?://|\]\(")
_TAIL = re.compile(r"\s+[-–—|]\s+[^-–—|]{2,45}$")  # the publisher that aggregators put behind a title
_PAGE_WORDS = re.compile(
    r"continue reading|read (?:more|full|also)|click here|sign up for|subscribe|newsletter|as it happened|live (?:updates|blog)|appeared first on"
    r"|getty|file photo|photo:|photograph:|image:|all rights reserved|advertisement|follow us|\[…\]|\[\.\.\.\]"
    r"|^(?:(?:edited|written|reporting) )?by (?-i:[A-Z]\w+ [A-Z])",
    re.IGNORECASE,
)
_BREAK = re.compile(r"(?<=[.!?])(?P<closing>[\"'”’)\]]*)\s+(?=[\"'“‘(\[]?[A-ZÀ-ÖØ-Þ0-9])")
_START = re.compile(r"[\"'“‘«(\[$€£₹]*[A-ZÀ-ÖØ-Þ0-9$€£₹]|[a-z]+[A-Z]")  # the last for eBay and its like
_END = re.compile(r"[.!?][\"'”’»)\]]*$|[\"”]$")
_NAME = re.compile(r"(?<![\w'’])[A-ZÀ-ÖØ-Þ][\w]*(?:[-&.'’][\w]+)*")
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_OPENER = re.compile(r"an?|the|in|on|at|by|for|from|of|to|with|and|but|as|its?|s?he|they|these|this|that|those|after|before|while|when")


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was found of one summary."""

    development: str
    characters: int
    sentences: int
    headline_only: bool
    found: bool  # every sentence stands in one entry
    named: bool  # every name, number and date stands in the entries
    half: int
    markup: bool
    page_words: bool

    @property
    def faulty(self) -> bool:
        """Whether anything is wrong with it."""
        return not (self.found and self.named) or self.half > 0 or self.characters > LIMIT or self.markup or self.page_words


def normal(text: str | None) -> str:
    """Return `text` as a reader sees it: unescaped, no tags, NFC, single spaces, no invisible characters."""
    seen = text or ""
    for _ in range(3):  # feeds escape their markup, some twice
        seen = html.unescape(_TAG.sub(" ", seen))
    seen = "".join(" " if c.isspace() else c for c in seen if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Cn", "Co") or c.isspace())
    return " ".join(unicodedata.normalize("NFC", seen).split())


def check(row: dict[str, Any], sources: Iterable[dict[str, Any]]) -> Checked:
    """Return what is found of the summary of `row`, a line of `attache replay`, in its `sources`."""
    texts = [normal(s[field]) for s in sources for field in ("title", "summary") if s.get(field)]
    summary, headline = row["summary"], row["headline"]
    bare = summary == headline
    parts = [summary] if bare else split(summary)
    squeezed = [_squeezed(t) for t in texts] + [_squeezed(_TAIL.sub("", t)) for t in texts]
    return Checked(
        development=row["development"],
        characters=len(summary),
        sentences=len(parts),
        headline_only=bare,
        found=all(any(_squeezed(p) in t for t in squeezed) for p in parts),
        named=not unknown(parts, texts),
        half=0 if bare else sum(not (_START.match(p) and _END.search(p)) for p in parts),
        markup=bool(_MARKUP.search(summary)),
        page_words=not bare and any(_PAGE_WORDS.search(p) for p in parts),
    )


def split(text: str) -> list[str]:
    """Return the sentences of a summary. One that is split too often does no harm: its parts stand in the source as well."""
    return [part.strip() for part in _BREAK.sub(lambda m: m["closing"] + "\n", text).split("\n") if part.strip()]


def unknown(parts: Iterable[str], texts: Iterable[str]) -> set[str]:
    """Return the names, numbers and dates of sentences that none of the texts has; a month or a weekday is a name, too."""
    known = _folded(" ".join(texts))
    words, numbers = set(re.findall(r"\w+", known)), set(_NUMBER.findall(known))
    missing = set[str]()
    for part in parts:
        missing |= {n for n in _NUMBER.findall(_folded(part)) if n not in numbers}
        names = [_folded(n) for n in _NAME.findall(part)]
        missing |= {n for n in names if not _OPENER.fullmatch(n) and not words.issuperset(re.findall(r"\w+", n))}
    return missing


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _squeezed(text: str) -> str:
    """Without white space: a tag is a space in one reading and none in another."""
    return "".join(text.split())


def figures(checked: list[Checked]) -> dict[str, Any]:
    """Return the figures of all the summaries."""
    told = [c for c in checked if not c.headline_only]
    return {
        "developments": len(checked),
        "beyond_headline": _share(not c.headline_only for c in checked),
        "sentences_found": _share(c.found for c in checked),
        "names_found": _share(c.named for c in checked),
        "half_sentences": sum(c.half for c in checked),
        "over_length": sum(c.characters > LIMIT for c in checked),
        "markup": sum(c.markup for c in checked),
        "page_words": sum(c.page_words for c in checked),
        "mean_sentences": round(statistics.fmean([c.sentences for c in told] or [0]), 2),
        "mean_characters": round(statistics.fmean([c.characters for c in told] or [0])),
        "faulty": [c.development for c in checked if c.faulty][:NAMED],
    }


def _share(found: Iterable[bool]) -> float:
    return round(statistics.fmean([float(f) for f in found] or [0.0]), 4)


def _rows(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]


def _main(entries: str, replayed: str) -> None:
    by_key = {str(e["key"]): e for e in _rows(entries)}
    checked = [check(row, [by_key[k] for k in row["entries"]]) for row in _rows(replayed)]
    print(json.dumps(figures(checked), indent=1))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m bench.summaries ENTRIES.jsonl REPLAYED.jsonl")
    _main(sys.argv[1], sys.argv[2])
