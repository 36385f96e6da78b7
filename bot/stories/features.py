"""What two tellings have in common, as named numbers.

On news streams embeddings alone are a weak clue for "the same story": words, entities and time carry most of it (Miranda et al. 2018;
Saravanakumar et al. 2021). So each clue is a feature of its own, in about 0..1, and a match can be explained by them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from bot.stories.profile import Profile

APART = 0.2  # of the weight of a headline's names
HALF = 0.5  # of their number: a name that is in every paper weighs little, and in a headline of two names it is one of the two

NAMES = (
    "title words",
    "words",
    "words contained",
    "names",
    "numbers",
    "numbers differ",
    "parties",
    "parties differ",
    "people",
    "people differ",
    "place",
    "place differs",
    "day",
    "day differs",
    "soon after",
    "meaning",
    "topic",
    "step",
    "step differs",
    "same outlet",
    "words and meaning",
    "parties and soon",
)


def features(new: Profile, old: Profile) -> tuple[float, ...]:
    """Return one number per name in NAMES, for a new telling beside one told before."""
    title, words = _cosine(new.title, old.title), _cosine(new.text, old.text)
    meaning = max(sum(a * b for a, b in zip(new.vector, old.vector, strict=True)), 0.0) if len(new.vector) == len(old.vector) else 0.0
    parties, parties_differ = _overlap(new.parties, old.parties)
    people, people_differ = _overlap(new.people, old.people)
    numbers, numbers_differ = _overlap(new.numbers, old.numbers)
    place, place_differs = _equal(new.place, old.place)
    day, day_differs = _equal(new.when, old.when)
    soon = math.exp(-abs((new.published - old.published).total_seconds()) / 86_400)
    step, step_differs = _equal(new.stage or new.status, old.stage or old.status)
    return (
        title,
        words,
        _contained(new.text, old.text),
        _contained(new.names, old.names),
        numbers,
        numbers_differ,
        parties,
        parties_differ,
        people,
        people_differ,
        place,
        place_differs,
        day,
        day_differs,
        soon,
        meaning,
        float(bool(new.topics & old.topics)),
        step,
        step_differs,
        float(new.outlet == old.outlet),
        words * meaning,
        parties * soon,
    )


def apart(new: Profile, old: Profile) -> bool:
    """Say whether two tellings are about different countries: each has a party that the other lacks, and each headline names what the other's text does not.

    No likeness of words outweighs that. Two deals that are told in the same words on the same day are rare in what the weights were learned
    on, so the weights do not know it.
    """
    each = bool(new.parties - old.parties) and bool(old.parties - new.parties)
    return each and _names_another(new, old) and _names_another(old, new)


def _names_another(one: Profile, other: Profile) -> bool:
    """Say whether the headline of the one has names that the text of the other lacks, by their weight or by their number."""
    names, missing = one.headline_names, [s for s in one.headline_names if s not in other.text]
    return _missing(names, other.text) >= APART or len(missing) >= max(HALF * len(names), 1)


def _cosine(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    shared = sum(w * w for s, w in a.items() if s in b)
    norm = math.sqrt(sum(w * w for w in a.values()) * sum(w * w for w in b.values()))
    return shared / norm if norm else 0.0


def _contained(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """The weight that both share, as a part of the lighter one."""
    lighter = min(sum(a.values()), sum(b.values()))
    return sum(w for s, w in a.items() if s in b) / lighter if lighter else 0.0


def _missing(names: Mapping[str, float], text: Mapping[str, float]) -> float:
    """The weight of the names that `text` does not have, as a part of all."""
    total = sum(names.values())
    return sum(w for s, w in names.items() if s not in text) / total if total else 0.0


def _overlap(a: frozenset[str], b: frozenset[str]) -> tuple[float, float]:
    """Jaccard likeness, and 1 when both name some and share none."""
    if not a or not b:
        return 0.0, 0.0
    shared = len(a & b)
    return shared / len(a | b), float(not shared)


def _equal(a: object, b: object) -> tuple[float, float]:
    if a is None or b is None:
        return 0.0, 0.0
    return float(a == b), float(a != b)
