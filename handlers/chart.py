"""Where everything of a timeline's picture stands: time goes right, the stages of a deal are steps that go up. Pure: values in, places out.

Setbacks (stalled, dispute, ended) are steps below the first one, meetings over no deal stand below those. Units are pixels.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.developments import Development
from bot.domain.text import cut
from bot.domain.topics import Stage, Status, Topic

WIDTH, HEIGHT = 1_200, 675
LEFT, RIGHT, TOP, AXIS = 190, 1_168, 112, 576  # the field in which developments stand
DOT = 10  # half the width of one
TEXT = 24  # the height of a label
HEADLINES = 14  # in the picture; the rest bears its date where there is room
LENGTHS = (52, 36, 24)  # characters of a headline, tried in turn
MATTERS = 5  # dossiers with a colour of their own
STEPS = (Stage.PROPOSED, Stage.NEGOTIATING, Stage.CONCLUDED, Stage.SIGNED, Stage.RATIFIED, Stage.IN_FORCE)
SETBACKS = (Stage.ENDED, Stage.DISPUTE, Stage.STALLED)
MEETING, OTHER = "meeting", "other news"
_NEAR, _FAR = (27, -27), (-54, 54, -81, 81, -108, 108)  # from a mark's middle to its label's, up first where it is free
_DAYS, _MONTHS = (1, 2, 7, 14), (1, 2, 3, 6, 12, 24, 60, 120)
_TICKS = 7
_GAP = 6  # at least, between words and what is beside them

Box = tuple[float, float, float, float]
Stairs = tuple[int, tuple[tuple[float, float], ...]]
Measure = Callable[[str], float]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One step, with the height at which it is."""

    name: str
    y: float
    setback: bool = False


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A development's place. `matter` counts the dossiers, in the order in which they appear."""

    x: float
    y: float
    matter: int
    setback: bool
    development: Development

    @property
    def meeting(self) -> bool:
        """It is drawn as one: a diamond."""
        return Topic.MINISTERIAL_MEETING in self.development.topics

    @property
    def status(self) -> Status | None:
        """Of the meeting."""
        return self.development.status if self.meeting else None

    @property
    def box(self) -> Box:
        """What it covers."""
        return self.x - DOT - 2, self.y - DOT - 2, self.x + DOT + 2, self.y + DOT + 2


@dataclass(frozen=True, kw_only=True)
class Label:
    """Words beside a mark: its date, and its headline where there is room. `box` is all that they cover."""

    mark: Mark
    date: str
    headline: str
    box: Box

    @property
    def leader(self) -> Box | None:
        """The line that leads from the mark to a label that stands far above or below it."""
        left, top, right, bottom = self.box
        if abs((top + bottom) / 2 - self.mark.y) <= max(_NEAR):
            return None
        x = min(max(self.mark.x, left + 4), right - 4)
        return (x, bottom, x, self.mark.y - DOT) if bottom < self.mark.y else (x, self.mark.y + DOT, x, top)

    @property
    def boxes(self) -> tuple[Box, ...]:
        """All that it covers, its leader too."""
        return (self.box, *([self.leader] if self.leader else []))


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A date on the axis."""

    x: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """All that there is to draw. `stairs` are corners of lines, with the matter that each belongs to."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    stairs: tuple[Stairs, ...]
    labels: tuple[Label, ...]
    matters: tuple[str, ...]


def chart_of(developments: Sequence[Development], measure: Measure) -> Chart:
    """Lay out developments, at least one, in any order. `measure` says how wide words will be."""
    told = sorted(developments, key=lambda d: d.first_published)
    rows = _rows(told)
    matters = tuple(dict.fromkeys(d.dossier_id for d in told))
    place = _scale(told[0].first_published, told[-1].first_published)
    by_name = {row.name: row for row in rows}
    marks = tuple(_mark(d, by_name[_step(d)], place, matters) for d in told)
    stairs = tuple(_stairs(marks))
    return Chart(
        rows=rows,
        ticks=tuple(_ticks(told[0].first_published, told[-1].first_published, place)),
        marks=marks,
        stairs=stairs,
        labels=_labels(marks, stairs, measure),
        matters=matters,
    )


def step_name(development: Development) -> str:
    """Return in a word or two how far a development brought its matter; "" where nothing was said of that."""
    return "" if development.step in (None, Stage.OTHER) else str(development.step).replace("_", " ")


def _step(development: Development) -> str:
    if development.stage in (*STEPS, *SETBACKS):
        return development.stage.replace("_", " ")
    return MEETING if Topic.MINISTERIAL_MEETING in development.topics else OTHER


def _rows(developments: Sequence[Development]) -> tuple[Row, ...]:
    """The lines that are needed: from below other news, meetings, setbacks, then the steps up to the highest reached."""
    there = {_step(d) for d in developments}
    steps = [stage.replace("_", " ") for stage in STEPS]
    highest = max((steps.index(name) for name in there if name in steps), default=-1)
    setbacks = [stage.replace("_", " ") for stage in SETBACKS]
    names = [*(n for n in (OTHER, MEETING, *setbacks) if n in there), *steps[: highest + 1]]
    height = (AXIS - TOP) / len(names)
    return tuple(Row(name=n, y=AXIS - (i + 0.5) * height, setback=n in setbacks) for i, n in enumerate(names))


def _scale(first: datetime, last: datetime) -> Callable[[datetime], float]:
    """Return what turns an instant into a place, with some room at both ends."""
    room = max((last - first) * 0.05, timedelta(hours=12))
    began, seconds = first - room, (last - first + 2 * room).total_seconds()
    return lambda moment: LEFT + (moment - began).total_seconds() / seconds * (RIGHT - LEFT)


def _mark(development: Development, row: Row, place: Callable[[datetime], float], matters: Sequence[str]) -> Mark:
    matter = matters.index(development.dossier_id)
    return Mark(x=place(development.first_published), y=row.y, matter=matter, setback=row.setback, development=development)


def _stairs(marks: Sequence[Mark]) -> Iterator[Stairs]:
    """The way of each deal from stage to stage; meetings over no deal are beside it."""
    for matter in dict.fromkeys(m.matter for m in marks):
        steps = [m for m in marks if m.matter == matter and m.development.stage in (*STEPS, *SETBACKS)]
        corners = [(steps[0].x, steps[0].y)] if len(steps) > 1 else []
        for before, after in itertools.pairwise(steps):
            corners += [(after.x, before.y), (after.x, after.y)]
        if corners:
            yield matter, tuple(corners)


def _ticks(first: datetime, last: datetime, place: Callable[[datetime], float]) -> Iterator[Tick]:
    """Dates at even distances, as few as needed: days, weeks, months or years."""
    days = (last - first).days + 2
    step = next((n for n in _DAYS if days / n <= _TICKS), None)
    moments = _each_days(first, step) if step else _each_months(first, next((n for n in _MONTHS if days / 30 / n <= _TICKS), 240))
    for moment in itertools.takewhile(lambda m: place(m) <= RIGHT, moments):
        if place(moment) >= LEFT:
            yield Tick(x=place(moment), text=f"{moment.day} {moment:%b}" if step else f"{moment:%b %Y}")


def _each_days(first: datetime, step: int) -> Iterator[datetime]:
    midnight = first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    return (midnight + timedelta(days=n) for n in itertools.count(0, step))


def _each_months(first: datetime, step: int) -> Iterator[datetime]:
    since = (first.year * 12 + first.month - 1) // step * step
    return (datetime(n // 12, n % 12 + 1, 1, tzinfo=UTC) for n in itertools.count(since, step))


def _labels(marks: Sequence[Mark], stairs: Sequence[Stairs], measure: Measure) -> tuple[Label, ...]:
    """Words where they lie upon nothing else: the date of everything that has room for it, then headlines of what matters most."""
    fixed = [mark.box for mark in marks] + [_grown(a, b) for _, corners in stairs for a, b in itertools.pairwise(corners)]
    years = len({m.development.first_published.year for m in marks}) > 1
    found: dict[Mark, Label] = {}
    order = _by_weight(marks)
    for mark, headline in [*((m, False) for m in order), *((m, True) for m in order[:HEADLINES])]:
        taken = [*fixed, *(box for other, label in found.items() if other is not mark for box in label.boxes)]
        possible = _possible(mark, _date(mark, years), headline=headline, measure=measure)
        label = next((label for label in possible if _free(label, taken)), None)
        if label is not None:
            found[mark] = label
    return tuple(found.values())


def _by_weight(marks: Sequence[Mark]) -> list[Mark]:
    """The last one, then those that reached another step than the one before, then the important."""
    moved = {marks[-1]} | {after for before, after in itertools.pairwise(marks) if before.y != after.y and before.matter == after.matter}
    return sorted(marks, key=lambda m: (m is not marks[-1], m not in moved, -m.development.importance, -m.x))


def _date(mark: Mark, years: bool) -> str:
    moment = mark.development.first_published
    return f"{moment.day} {moment:%b %Y}" if years else f"{moment.day} {moment:%b}"


def _possible(mark: Mark, date: str, *, headline: bool, measure: Measure) -> Iterator[Label]:
    """The date close by; or with it the headline, else cut shorter, else farther away."""
    cuts = dict.fromkeys(cut(mark.development.headline, length, "…") for length in LENGTHS)
    for rises, words in itertools.product((_NEAR, _FAR), filter(None, cuts)) if headline else [(_NEAR, "")]:
        width = measure(f"{date}  {words}".strip())
        for rise, left in itertools.product(rises, (-DOT, DOT - width, -width / 2)):
            x, y = mark.x + left, mark.y - rise - TEXT / 2
            yield Label(mark=mark, date=date, headline=words, box=(x, y, x + width, y + TEXT))


def _free(label: Label, taken: Sequence[Box]) -> bool:
    """It lies upon nothing; its leader may touch its own mark. A plain loop: this is most of the time that a chart takes."""
    if not _inside(label.box):
        return False
    left, top, right, bottom = label.box
    for x0, y0, x1, y1 in taken:
        if left < x1 + _GAP and x0 < right + _GAP and top < y1 and y0 < bottom:
            return False
    leader, own = label.leader, label.mark.box
    return leader is None or not any(_meet(leader, other) for other in taken if other != own)


def _inside(box: Box) -> bool:
    return box[0] >= LEFT and box[1] >= TOP - 16 and box[2] <= WIDTH - 12 and box[3] <= AXIS


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] + _GAP and other[0] < one[2] + _GAP and one[1] < other[3] and other[1] < one[3]


def _grown(a: tuple[float, float], b: tuple[float, float]) -> Box:
    return min(a[0], b[0]) - 4, min(a[1], b[1]) - 4, max(a[0], b[0]) + 4, max(a[1], b[1]) + 4
