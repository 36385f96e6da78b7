"""What watch keywords make of an entry, and what an expression would have made of earlier ones."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.assessment import Assessment, Facts
from bot.domain.decisions import Reason
from bot.domain.entries import Entry
from bot.domain.topics import Topic
from bot.domain.watch import Effect, WatchKeyword
from bot.keywords import compiled, flagging
from bot.ports import Filed
from bot.trial import EXAMPLES, KEPT, Trial
from tests.fakes.clock import START
from tests.judge.kit import language

DEAL, MEETING = Topic.TRADE_DEAL, Topic.MINISTERIAL_MEETING
DAY = timedelta(days=1)


def keyword(term: str, effect: Effect = Effect.WATCH, channel: str = "") -> WatchKeyword:
    return WatchKeyword(term=term, added_by="slack:U1", added_at=START, effect=effect, channel=channel)


def entry(title: str = "Rice pact", number: int = 1, days: float = 1, late: float = 0, **more: bool) -> Entry:
    seen = START - DAY * days
    return Entry(
        entry_id=number, key=f"k{number}", source="wire", url="", title=title, summary="", published=seen - DAY * late, seen=seen, **more
    )


def assessed(deal: float = 0.9, meeting: float = 0.1, development: float = 0.9) -> Assessment:
    return Assessment(scores={DEAL: deal, MEETING: meeting}, development=development, facts=Facts(parties=("IND",)))


@pytest.mark.parametrize(
    ("assessment", "keywords", "reason", "named"),
    [
        (assessed(0.4), [], Reason.OFF_TOPIC, None),
        (assessed(0.4), [keyword("tea")], Reason.OFF_TOPIC, None),
        (assessed(0.4), [keyword("tea"), keyword("rice")], None, "rice"),
        (assessed(0.4), [keyword("topic:trade")], None, "topic:trade"),
        (assessed(0.2), [keyword("topic:trade")], Reason.OFF_TOPIC, None),
        (assessed(0.4, development=0.2), [keyword("rice")], Reason.NOT_NEW, "rice"),
        (assessed(), [keyword("rice", Effect.MUTE)], Reason.MUTED, "rice"),
        (assessed(), [keyword("tea", Effect.MUTE)], None, None),
        (assessed(0.4), [keyword("rice", Effect.MUTE)], Reason.OFF_TOPIC, None),
        (assessed(0.4), [keyword("pact"), keyword("rice", Effect.MUTE)], Reason.MUTED, "rice"),
        (assessed(meeting=0.4), [keyword("topic:meeting", Effect.MUTE)], None, None),
        (assessed(meeting=0.6), [keyword("topic:meeting", Effect.MUTE)], Reason.MUTED, "topic:meeting"),
        (assessed(), [keyword("tea", Effect.ONLY, "slack:C1")], None, None),
        (assessed(0.4), [keyword("rice", Effect.ONLY, "slack:C1")], Reason.OFF_TOPIC, None),
        (assessed(0.4), [keyword("rice ("), keyword("rice")], None, "rice"),
        (assessed(), [keyword("rice (", Effect.MUTE)], None, None),
    ],
)
def test_flagging(assessment: Assessment, keywords: list[WatchKeyword], reason: Reason | None, named: str | None) -> None:
    found = flagging(entry(), assessment, keywords, language())
    assert (found.reason, found.keyword) == (reason, named)


def test_an_expression_that_is_not_understood_matches_nothing() -> None:
    assert compiled("rice (", language()) is None


def filed(title: str, reason: Reason, number: int = 1, own: str | None = None, deal: float = 0.9, **more: float) -> Filed:
    topics = () if reason in (Reason.OFF_TOPIC, Reason.NOT_NEW) else (DEAL,)
    return Filed(entry=entry(title, number, **more), assessment=assessed(deal), reason=reason, topics=topics, development_id=own)  # type: ignore[arg-type]  # fields by name


def trial(expression: str, *judged: Filed, keywords: tuple[WatchKeyword, ...] = ()) -> Trial:
    tried = Trial(language().compile(expression), keywords, language(), START)
    tried.look(judged)
    return tried


def titles(tried: Trial, effect: Effect) -> list[str]:
    return [example.entry.title for example in tried.examples(effect)]


def test_what_watching_would_have_alerted() -> None:
    tried = trial(
        "rice",
        filed("Rice near", Reason.OFF_TOPIC, 1, deal=0.4, days=2),
        filed("Rice nearer, an earlier title", Reason.OFF_TOPIC, 1, deal=0.4, days=2),
        filed("Tea near", Reason.OFF_TOPIC, 2, deal=0.4),
        filed("Rice far", Reason.OFF_TOPIC, 3, deal=0.2),
        filed("Rice of last month", Reason.NOT_NEW, 4, deal=0.4, days=20),
        filed("Rice, stale", Reason.OFF_TOPIC, 5, deal=0.4, late=4),
        filed("Rice, baseline", Reason.OFF_TOPIC, 6, deal=0.4, baseline=True),
        filed("Rice and golf", Reason.OFF_TOPIC, 7, deal=0.4),
        keywords=(keyword("golf", Effect.MUTE),),
    )
    assert tried.changed(Effect.WATCH) == {7: 1, 30: 2}
    assert titles(tried, Effect.WATCH) == ["Rice near", "Rice of last month"]
    (first, _) = tried.examples(Effect.WATCH)
    assert first.reason == (
        "not alerted: neither topic's score reaches the threshold; topic 0.40, new development 0.90: below 0.5, not below 0.3"
    )
    assert tried.alerted == {7: 0, 30: 0}


def test_what_muting_and_narrowing_would_have_spared() -> None:
    tried = trial(
        "rice",
        filed("Rice pact signed", Reason.NEW_DEVELOPMENT, 1, "d1"),
        filed("Rice pact, once more", Reason.MORE_COVERAGE, 2, "d1"),
        filed("Tea pact signed", Reason.FOLLOW_UP, 3, "d2", days=9),
        filed("A rice pact that others call otherwise", Reason.NEW_DEVELOPMENT, 4, "d3"),
        filed("A cereal pact", Reason.MORE_COVERAGE, 5, "d3"),
        filed("A grain pact", Reason.MORE_COVERAGE, 6, "d4"),
        filed("Rice pact first", Reason.NEW_DEVELOPMENT, 7, "d4"),
        filed("Rice, muted before", Reason.MUTED, 8),
        filed("Rice, stale", Reason.STALE, 9, "d5"),
    )
    assert tried.alerted == {7: 3, 30: 4}
    assert tried.changed(Effect.MUTE) == {7: 1, 30: 1}, "only where no other report would have raised the alert"
    assert titles(tried, Effect.MUTE) == ["Rice pact signed"]
    assert tried.changed(Effect.ONLY) == {7: 0, 30: 1}
    assert titles(tried, Effect.ONLY) == ["Tea pact signed"]
    assert tried.examples(Effect.ONLY)[0].reason.endswith("a dossier that was alerted before; it does not match")


def test_examples_are_few() -> None:
    many = [filed("Rice pact signed", Reason.NEW_DEVELOPMENT, n, f"d{n}") for n in range(99)]
    tried = trial("rice", *many)
    assert tried.changed(Effect.MUTE) == {7: 99, 30: 99}
    assert [x.entry.entry_id for x in tried.examples(Effect.MUTE)] == list(range(EXAMPLES))
    assert sum(map(len, tried._examples.values())) == KEPT
    assert tried.since == START - 30 * DAY
