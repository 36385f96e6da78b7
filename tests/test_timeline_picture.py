"""The picture of a timeline: what is where, that no words lie upon others, and that it is a picture."""

from __future__ import annotations

import io
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.domain.developments import Development
from bot.domain.topics import Stage, Status, Topic
from handlers.chart import AXIS, HEIGHT, LEFT, MEETING, OTHER, TOP, WIDTH, Box, Chart, chart_of
from handlers.pictures import LONGEST, described, picture_of

BEGAN = datetime(2025, 3, 3, 9, tzinfo=UTC)
DEAL, MEET = Topic.TRADE_DEAL, Topic.MINISTERIAL_MEETING


def told(
    number: int,
    day: float,
    stage: Stage | None = None,
    status: Status | None = None,
    dossier: str = "trade_deal:IND-USA",
    headline: str = "",
) -> Development:
    at = BEGAN + timedelta(days=day)
    return Development(
        development_id=f"d{number}",
        dossier_id=dossier,
        topics=(DEAL,) if status is None else (MEET,) if stage is None else (DEAL, MEET),
        headline=headline or f"Harbour ministers weigh the {number}. draft of the timber and rice accord before the summer recess",
        url="",
        first_published=at,
        last_published=at,
        stage=stage,
        status=status,
        importance=number % 7 / 7,
    )


def wide(words: str) -> float:
    return 10.0 * len(words)


def drawn(*developments: Development) -> Chart:
    return chart_of(developments, wide)


def meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_the_stages_are_steps_that_go_up_and_setbacks_lie_below() -> None:
    chart = drawn(told(1, 0, Stage.PROPOSED), told(2, 9, Stage.STALLED), told(3, 20, Stage.SIGNED), told(4, 25, None, Status.HELD))
    assert [row.name for row in chart.rows] == [MEETING, "stalled", "proposed", "negotiating", "concluded", "signed"]
    assert [row.setback for row in chart.rows] == [False, True, False, False, False, False]
    heights = [row.y for row in chart.rows]
    assert heights == sorted(heights, reverse=True)
    ((matter, corners),) = chart.stairs
    first, second, third, meeting = chart.marks
    assert matter == 0
    assert corners == ((first.x, first.y), (second.x, first.y), (second.x, second.y), (third.x, second.y), (third.x, third.y))
    assert meeting.meeting
    assert meeting.status is Status.HELD
    assert not first.meeting


def test_a_meeting_over_a_deal_stands_on_the_deals_step() -> None:
    chart = drawn(told(1, 0, Stage.NEGOTIATING, Status.PLANNED), told(2, 3))
    assert [row.name for row in chart.rows] == [OTHER, "proposed", "negotiating"]
    assert chart.marks[0].meeting
    assert chart.marks[0].y == chart.rows[2].y


def test_each_dossier_has_stairs_of_its_own() -> None:
    other = "trade_deal:CHL-IND"
    chart = drawn(
        told(1, 0, Stage.PROPOSED),
        told(2, 1, Stage.SIGNED, dossier=other),
        told(3, 2, Stage.SIGNED),
        told(4, 3, Stage.ENDED, dossier=other),
    )
    assert chart.matters == ("trade_deal:IND-USA", other)
    assert [(matter, len(corners)) for matter, corners in chart.stairs] == [(0, 3), (1, 3)]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, ["3 Mar"]),
        (5, ["3 Mar", "4 Mar", "5 Mar", "6 Mar", "7 Mar", "8 Mar"]),
        (40, ["2 Mar", "9 Mar", "16 Mar", "23 Mar", "30 Mar", "6 Apr", "13 Apr"]),
        (150, ["Mar 2025", "Apr 2025", "May 2025", "Jun 2025", "Jul 2025", "Aug 2025"]),
        (700, ["Jul 2025", "Jan 2026", "Jul 2026", "Jan 2027"]),
        (3_000, ["Jan 2026", "Jan 2028", "Jan 2030", "Jan 2032"]),
    ],
)
def test_dates_on_the_axis_are_few_and_even(days: int, expected: list[str]) -> None:
    assert [tick.text for tick in drawn(told(1, 0), told(2, days)).ticks] == expected


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 900), st.sampled_from([None, *Stage]), st.sampled_from([None, *Status]), st.sampled_from(["a:b", "a:c", "a:d"])
        ),
        min_size=1,
        max_size=60,
    )
)
def test_no_words_lie_upon_words_or_marks_and_all_is_inside(many: list[tuple[float, Stage | None, Status | None, str]]) -> None:
    chart = drawn(*(told(n, day, stage, status, dossier) for n, (day, stage, status, dossier) in enumerate(many)))
    boxes = [label.box for label in chart.labels]
    assert not any(meet(a, b) for a, b in itertools.combinations(boxes, 2))
    assert not any(meet(box, mark.box) for box in boxes for mark in chart.marks)
    assert all(b[0] >= LEFT and b[1] >= TOP - 16 and b[2] <= WIDTH and b[3] <= AXIS for b in boxes)
    assert all(LEFT <= m.x <= WIDTH and TOP <= m.y <= AXIS for m in chart.marks)
    assert len(chart.marks) == len(many)
    assert len({id(label.mark) for label in chart.labels}) == len(chart.labels)


def test_a_few_developments_all_bear_date_and_headline() -> None:
    chart = drawn(told(1, 0, Stage.PROPOSED), told(2, 30, Stage.NEGOTIATING), told(3, 60, Stage.SIGNED))
    assert sorted(label.date for label in chart.labels) == ["2 Apr", "2 May", "3 Mar"]
    assert all(label.headline.startswith("Harbour ministers") for label in chart.labels)


def test_a_label_that_stands_far_away_has_a_line_to_its_mark() -> None:
    chart = drawn(*(told(n, n * 9, None, Status.HELD) for n in range(9)))
    lines = [label.leader for label in chart.labels if label.leader]
    assert lines
    assert all(x == other and abs(y - end) > 1 for x, y, other, end in lines)


@pytest.mark.parametrize("count", [1, 3, 12, 60])
def test_it_is_a_picture_of_the_size_that_chats_show(count: int) -> None:
    stages = (Stage.PROPOSED, Stage.NEGOTIATING, Stage.DISPUTE, None, Stage.IN_FORCE)
    statuses = (None, *Status)
    matters = [f"trade_deal:IND-X{n % 7}" for n in range(count)]
    many = [told(n, n * 11, stages[n % 5], statuses[n % 4], matters[n]) for n in range(count)]
    made = picture_of("India – “Türkiye”", many, ())
    picture = Image.open(io.BytesIO(made.content))
    assert (made.name, made.media, picture.format, picture.size) == ("timeline.png", "image/png", "PNG", (WIDTH, HEIGHT))
    assert len(made.content) < 300_000
    assert len(picture.convert("RGB").getcolors(1 << 20) or ()) > 20


def test_words_in_other_scripts_leave_the_date() -> None:
    made = picture_of("印度", [told(1, 0, Stage.PROPOSED, headline="印度与美国签署贸易协定")], ())
    assert Image.open(io.BytesIO(made.content)).size == (WIDTH, HEIGHT)


def test_who_cannot_see_it_is_told_each_step() -> None:
    many = [told(1, 0, Stage.PROPOSED), told(2, 1, Stage.PROPOSED), told(3, 40, Stage.SIGNED), told(4, 41, Stage.OTHER)]
    assert described("India", many) == (
        "Timeline of India: 4 developments from 03 March 2025 to 13 April 2025: proposed on 3 March 2025, signed on 12 April 2025"
    )
    assert described("India", [told(1, 0)]) == "Timeline of India: 1 development from 03 March 2025 to 03 March 2025"
    steps = [told(n, n, (Stage.PROPOSED, Stage.STALLED)[n % 2]) for n in range(60)]
    assert len(described("India", steps)) <= LONGEST
