"""A timeline as a picture: time goes right, the stages of a deal are steps that go up, meetings stand on a line of their own. PNG."""

from __future__ import annotations

import io
import itertools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from PIL import Image, ImageDraw, ImageFont

from bot.domain.developments import Development
from bot.domain.text import cut
from bot.domain.topics import Stage, Status
from handlers.replies import Attachment

WIDTH, HEIGHT = 1_200, 640  # pixels; readable at half the size, as chats show it
LEFT, RIGHT, TOP, BOTTOM = 170, 60, 90, 90
LABELS = 8  # headlines beside their dots; more would lie upon each other
_STEPS = (  # from below: where a matter stands, not only which word was used
    Stage.PROPOSED, Stage.NEGOTIATING, Stage.CONCLUDED, Stage.SIGNED, Stage.RATIFIED, Stage.IN_FORCE,
)  # fmt: skip
_TROUBLE = (Stage.STALLED, Stage.DISPUTE, Stage.ENDED)
_PLAINER = str.maketrans({"–": "-", "—": "-", "−": "-", "“": '"', "”": '"', "‘": "'", "’": "'"})
_BACK, _INK, _PALE, _GRID = "#ffffff", "#1d2733", "#6b7785", "#e4e8ec"
_DEAL, _BAD, _MEETING = "#2e7d32", "#c62828", "#1565c0"


@dataclass(frozen=True, kw_only=True)
class _Dot:
    x: float
    y: float
    colour: str
    meeting: bool
    planned: bool
    development: Development


def picture_of(title: str, developments: Sequence[Development]) -> Attachment:
    """Draw developments, oldest first, at least one. Takes a tenth of a second: not for the event loop."""
    rows = _rows(developments)
    image = Image.new("RGB", (WIDTH, HEIGHT), _BACK)
    draw = ImageDraw.Draw(image)
    draw.text((LEFT, 28), _drawable(cut(title, 70, "…")), _INK, _font(30))
    heights = {name: HEIGHT - BOTTOM - (n + 0.5) * (HEIGHT - TOP - BOTTOM) / len(rows) for n, name in enumerate(rows)}
    for name, y in heights.items():
        draw.line((LEFT, y, WIDTH - RIGHT, y), _GRID, 2)
        draw.text((LEFT - 16, y), name, _PALE, _font(19), anchor="rm")
    dots = [_dot(d, heights, *_span(developments)) for d in developments]
    _ticks(draw, *_span(developments))
    _steps(draw, [d for d in dots if not d.meeting])
    for dot in dots:
        _mark(draw, dot)
    _label(draw, dots)
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return Attachment(name="timeline.png", media="image/png", content=content.getvalue(), description=_described(title, developments))


def _rows(developments: Sequence[Development]) -> list[str]:
    """The lines that are needed, from below: meetings, trouble, then the steps up to the highest reached."""
    reached = [_STEPS.index(d.stage) for d in developments if d.stage in _STEPS]
    steps = [_name(s) for s in _STEPS[: max(reached) + 1]] if reached else []
    trouble = [_name(s) for s in _TROUBLE if any(d.stage is s for d in developments)]
    meetings = ["meeting"] if any(d.stage is None for d in developments) else []
    return meetings + trouble + steps


def _name(stage: Stage) -> str:
    return stage.replace("_", " ")


def _span(developments: Sequence[Development]) -> tuple[datetime, float]:
    first = min(d.first_published for d in developments)
    seconds = (max(d.first_published for d in developments) - first).total_seconds()
    return first, max(seconds, 86_400.0)


def _x(moment: datetime, first: datetime, seconds: float) -> float:
    return LEFT + 24 + (moment - first).total_seconds() / seconds * (WIDTH - LEFT - RIGHT - 48)


def _dot(development: Development, heights: dict[str, float], first: datetime, seconds: float) -> _Dot:
    stage = development.stage
    return _Dot(
        x=_x(development.first_published, first, seconds),
        y=heights[_name(stage) if stage else "meeting"],
        colour=_MEETING if stage is None else _BAD if stage in _TROUBLE else _DEAL,
        meeting=stage is None,
        planned=stage is None and development.status is Status.PLANNED,
        development=development,
    )


def _steps(draw: ImageDraw.ImageDraw, dots: Sequence[_Dot]) -> None:
    for before, after in itertools.pairwise(dots):
        draw.line((before.x, before.y, after.x, before.y, after.x, after.y), _DEAL, 4, joint="curve")


def _mark(draw: ImageDraw.ImageDraw, dot: _Dot) -> None:
    size, fill = 10, _BACK if dot.planned else dot.colour
    if dot.meeting:
        draw.polygon([(dot.x, dot.y - size), (dot.x + size, dot.y), (dot.x, dot.y + size), (dot.x - size, dot.y)], fill, dot.colour, 3)
    else:
        draw.ellipse((dot.x - size, dot.y - size, dot.x + size, dot.y + size), fill, _BACK, 2)


def _ticks(draw: ImageDraw.ImageDraw, first: datetime, seconds: float) -> None:
    for part in range(5):
        moment = first + timedelta(seconds=seconds * part / 4)
        x = _x(moment, first, seconds)
        draw.line((x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 8), _PALE, 2)
        draw.text((x, HEIGHT - BOTTOM + 16), f"{moment.day} {moment:%b %Y}", _PALE, _font(18), anchor="ma")


def _label(draw: ImageDraw.ImageDraw, dots: Sequence[_Dot]) -> None:
    """Headlines beside the dots that matter most, where they lie upon nothing else."""
    taken = [(d.x - 12, d.y - 12, d.x + 12, d.y + 12) for d in dots]
    chosen = sorted(dots, key=lambda d: -d.development.importance)[:LABELS]
    for dot in chosen:
        text, right = _drawable(cut(dot.development.headline, 44, "…")), dot.x > (LEFT + WIDTH - RIGHT) / 2
        for lift in (-20, 20, -42, 42):
            place = (dot.x + (-14 if right else 14), dot.y + lift)
            box = draw.textbbox(place, text, _font(17), anchor="rm" if right else "lm")
            inside = box[0] > LEFT and box[2] < WIDTH - 8 and box[1] > TOP - 24 and box[3] < HEIGHT - BOTTOM
            if inside and not any(box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3] for t in taken):
                draw.text(place, text, _INK, _font(17), anchor="rm" if right else "lm", stroke_width=3, stroke_fill=_BACK)
                taken.append((int(box[0]), int(box[1]), int(box[2]), int(box[3])))
                break


def _drawable(text: str) -> str:
    """Return `text` in characters that the font has; what it cannot show is left out."""
    plain = unicodedata.normalize("NFC", text).translate(_PLAINER)
    return "".join(c for c in plain if c.isascii() or c in "…" or "À" <= c <= "ſ")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)  # Aileron, which comes with Pillow


def _described(title: str, developments: Sequence[Development]) -> str:
    """What somebody who cannot see the picture is told."""
    last = developments[-1]
    reached = f", now {(last.step or 'under way').replace('_', ' ')}"
    return f"Timeline of {title}: {len(developments)} developments from {developments[0].first_published:%d %B %Y} to {last.first_published:%d %B %Y}{reached}"
