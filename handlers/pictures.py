"""A timeline as a picture (PNG), drawn with Pillow. Where things stand is decided in `handlers.chart`."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw, ImageFont

from bot.domain.developments import Development
from bot.domain.text import cut
from bot.domain.topics import Status
from handlers.chart import AXIS, DOT, HEIGHT, LEFT, MATTERS, RIGHT, TOP, WIDTH, Chart, Mark, Measure, chart_of, step_name
from handlers.replies import Attachment

FINE = 2  # shapes are drawn so many times as large and then made small: Pillow draws them with hard edges
COLOURS = ("#177245", "#1f5fbf", "#b4540a", "#7338b8", "#0c7489", "#5f6b7a")  # of dossiers; the last is everybody else's
LONGEST = 1_000  # characters of what is said to those who do not see it; Discord takes 1,024, https://discord.com/developers/docs/resources/message#attachment-object
_BACK, _BAND, _INK, _PALE, _LINE, _BAD, _BAD_BAND = "#ffffff", "#f5f7f9", "#1d2733", "#66717f", "#dde2e7", "#c02626", "#fdf1f0"
_LATIN = str.maketrans({"–": "-", "—": "-", "−": "-", "ß": "ss", "Æ": "AE", "æ": "ae", "Ø": "O", "ø": "o", "Œ": "OE", "œ": "oe",
                        "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ı": "i", "Þ": "Th", "þ": "th", "ð": "d"})  # fmt: skip
_OTHERS = frozenset("©«°»‘’“”…‹›")  # what the font has besides ASCII

SMALL, _MIDDLE, _LARGE = _SIZES = (19, 21, 34)  # pixels of letters

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, kw_only=True)
class Sign:
    """A sign and what it means: a dossier's dot, or the diamond of a status."""

    x: float
    y: float
    words: str
    colour: str
    status: Status | None = None


def picture_of(title: str, developments: Sequence[Development], names: Iterable[tuple[str, str]]) -> Attachment:
    """Draw developments, at least one; `names` are their dossiers, each with its name. Takes a tenth of a second: not for the event loop."""
    fonts = {size: ImageFont.load_default(size) for size in _SIZES}  # Aileron, which comes with Pillow
    measure = fonts[SMALL].getlength
    chart = chart_of([replace(d, headline=_drawable(d.headline)) for d in developments], measure)
    legend = _legend(chart, dict(names), measure)
    large = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), _BACK)
    _shapes(ImageDraw.Draw(large), chart, legend)
    image = large.reduce(FINE)
    _texts(Pen(ImageDraw.Draw(image), fonts), _drawable(title), chart, legend)
    content = io.BytesIO()
    image.save(content, "PNG", compress_level=3)  # twice as fast as the usual, and hardly larger
    return Attachment(name="timeline.png", media="image/png", content=content.getvalue(), description=described(title, developments))


def described(title: str, developments: Sequence[Development]) -> str:
    """Return what somebody who cannot see the picture is told: how many, from when to when, and each step."""
    told = sorted(developments, key=lambda d: d.first_published)
    count = f"{len(told)} development{'s' if len(told) != 1 else ''}"
    steps, before = list[str](), ""
    for d in told:
        if (step := step_name(d)) and step != before:
            steps.append(f"{step} on {d.first_published.day} {d.first_published:%B %Y}")
            before = step
    head = f"Timeline of {title}: {count} from {told[0].first_published:%d %B %Y} to {told[-1].first_published:%d %B %Y}"
    return cut(": ".join(filter(None, (head, ", ".join(steps)))), LONGEST, "…")


def _shapes(draw: ImageDraw.ImageDraw, chart: Chart, legend: Sequence[Sign]) -> None:
    height = (AXIS - TOP) / len(chart.rows)
    for number, row in enumerate(chart.rows):
        band = _BAD_BAND if row.setback else _BAND if number % 2 else _BACK
        _box(draw, (LEFT, row.y - height / 2, RIGHT, row.y + height / 2), band)
        _path(draw, [(LEFT, row.y), (RIGHT, row.y)], _LINE, 1)
    _path(draw, [(LEFT, AXIS), (RIGHT, AXIS)], _PALE, 1)
    for tick in chart.ticks:
        _path(draw, [(tick.x, AXIS), (tick.x, AXIS + 8)], _PALE, 1)
    for matter, corners in chart.stairs:
        _path(draw, corners, _colour(matter), 4)
    for label in chart.labels:
        if line := label.leader:
            _path(draw, [line[:2], line[2:]], _PALE, 1)
    for mark in chart.marks:
        _mark(draw, mark)
    for sign in legend:
        _sign(draw, sign)


def _box(draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], colour: str) -> None:
    draw.rectangle([FINE * v for v in box], colour)


def _path(draw: ImageDraw.ImageDraw, corners: Sequence[tuple[float, float]], colour: str, width: int) -> None:
    draw.line([(x * FINE, y * FINE) for x, y in corners], colour, width * FINE, joint="curve")


def _mark(draw: ImageDraw.ImageDraw, mark: Mark) -> None:
    colour = _BAD if mark.setback else _colour(mark.matter)
    if mark.meeting:
        _diamond(draw, mark.x, mark.y, colour, mark.status)
    else:
        _dot(draw, mark.x, mark.y, colour)


def _dot(draw: ImageDraw.ImageDraw, x: float, y: float, colour: str) -> None:
    draw.ellipse([FINE * v for v in (x - DOT, y - DOT, x + DOT, y + DOT)], colour, _BACK, 2 * FINE)


def _diamond(draw: ImageDraw.ImageDraw, x: float, y: float, colour: str, status: Status | None) -> None:
    """Filled when held, hollow when planned, a cross when cancelled."""
    size = DOT + 2
    if status is Status.CANCELLED:
        for ink, width in ((_BACK, 8), (colour, 4)):
            for up in (-1, 1):
                _path(draw, [(x - DOT + 2, y - up * (DOT - 2)), (x + DOT - 2, y + up * (DOT - 2))], ink, width)
        return
    corners = [(FINE * (x + a), FINE * (y + b)) for a, b in ((0, -size), (size, 0), (0, size), (-size, 0))]
    hollow = status is Status.PLANNED
    draw.polygon(corners, _BACK if hollow else colour, colour if hollow else _BACK, (3 if hollow else 2) * FINE)


class Pen:
    """Writes words."""

    def __init__(self, draw: ImageDraw.ImageDraw, fonts: Mapping[int, Font]) -> None:
        self._draw = draw
        self._fonts = fonts

    def write(self, place: tuple[float, float], words: str, colour: str, size: int = SMALL, anchor: str = "lm", bold: float = 0) -> float:
        """Write at a place, which the anchor names; return how wide that is."""
        font = self._fonts[size]
        self._draw.text(place, words, colour, font, anchor=anchor, stroke_width=bold, stroke_fill=colour)
        return font.getlength(words)


def _texts(pen: Pen, title: str, chart: Chart, legend: Sequence[Sign]) -> None:
    pen.write((24, 22), cut(title, 62, "…"), _INK, _LARGE, "la", bold=0.5)
    pen.write((24, 66), _subtitle(chart), _PALE, _MIDDLE, "la")
    for row in chart.rows:
        pen.write((LEFT - 18, row.y), row.name, _BAD if row.setback else _INK, _MIDDLE, "rm")
    for tick in chart.ticks:
        pen.write((tick.x, AXIS + 14), tick.text, _PALE, anchor="ma")
    for label in chart.labels:
        x, y = label.box[0], (label.box[1] + label.box[3]) / 2
        width = pen.write((x, y), f"{label.date}  " if label.headline else label.date, _PALE)
        pen.write((x + width, y), label.headline, _INK)
    for sign in legend:
        pen.write((sign.x + 20, sign.y), sign.words, _PALE)


def _subtitle(chart: Chart) -> str:
    first, last = (chart.marks[n].development.first_published for n in (0, -1))
    days = f"{first.day} {first:%B %Y}" + (f" to {last.day} {last:%B %Y}" if last.date() != first.date() else "")
    return f"{len(chart.marks)} development{'s' if len(chart.marks) != 1 else ''}, {days}"


def _legend(chart: Chart, names: Mapping[str, str], measure: Measure) -> list[Sign]:
    """What the signs mean: dossiers from the left of the last line, as far as there is room, statuses from the right of the subtitle's."""
    signs, x = list[Sign](), 36.0
    for words, colour in _matters(chart, names):
        width = 54 + measure(words)
        if x + width <= WIDTH:
            signs.append(Sign(x=x, y=HEIGHT - 30, words=words, colour=colour))
            x += width
    x = float(RIGHT)
    for status in reversed(Status):
        if any(m.status is status for m in chart.marks) and status is not Status.OTHER:
            x -= measure(f"meeting {status}")
            signs.append(Sign(x=x - 20, y=78, words=f"meeting {status}", colour=_PALE, status=status))
            x -= 64
    return signs


def _matters(chart: Chart, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The names of dossiers with their colours, where there are several."""
    if len(chart.matters) > 1:
        yield from ((cut(_drawable(names.get(m, m)), 40, "…"), _colour(n)) for n, m in enumerate(chart.matters[:MATTERS]))
    if len(chart.matters) > MATTERS:
        yield "others", _colour(MATTERS)


def _sign(draw: ImageDraw.ImageDraw, sign: Sign) -> None:
    if sign.status is None:
        _dot(draw, sign.x, sign.y, sign.colour)
    else:
        _diamond(draw, sign.x, sign.y, sign.colour, sign.status)


def _colour(matter: int) -> str:
    return COLOURS[min(matter, MATTERS)]


def _drawable(text: str) -> str:
    """Return `text` in characters that the font has: Latin letters without accents; those of other scripts are left out."""
    bare = unicodedata.normalize("NFKD", text.translate(_LATIN))
    return " ".join("".join(c for c in bare if c in _OTHERS or " " <= c <= "~").split())
