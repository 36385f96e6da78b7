"""Rows to values and back. Nothing outside storage knows how a value is kept."""

from __future__ import annotations

from array import array
from datetime import date
from typing import Any

from sqlalchemy import Row

from bot.domain.alerts import Alert, DeliveryState, Destination, Surface
from bot.domain.assessment import Assessment, Facts, Person
from bot.domain.developments import Coverage, Development, SummarySentence
from bot.domain.entries import Entry
from bot.domain.topics import Stage, Status, Topic
from bot.ports import DeliveryReport, Filed, Match


def people_json(people: tuple[Person, ...]) -> list[list[str | None]]:
    """Return people as they are kept."""
    return [[p.name, p.office, p.country] for p in people]


def people_of(kept: list[list[str | None]]) -> tuple[Person, ...]:
    """Return kept people."""
    return tuple(Person(name=str(name), office=office, country=country) for name, office, country in kept)


def day_of(kept: str | None) -> date | None:
    """Return a kept day."""
    return date.fromisoformat(kept) if kept else None


def entry_of(row: Row[Any]) -> Entry:
    """Return the entry of a row of entries joined with versions."""
    return Entry(
        entry_id=row.entry_id,
        key=row.key,
        source=row.source,
        url=row.url,
        title=row.title,
        summary=row.summary,
        published=row.version_published,
        seen=row.version_seen,
        version=row.number,
        baseline=row.baseline,
        publisher=row.publisher,
    )


def judgement_values(filed: Filed) -> dict[str, Any]:
    """Return the columns of a judgement."""
    assessment, match = filed.assessment, filed.match
    facts = assessment.facts
    return {
        "reason": filed.reason,
        "scores": {str(t): round(s, 4) for t, s in assessment.scores.items()},
        "development": round(assessment.development, 4),
        "stage": assessment.stage,
        "status": assessment.status,
        "facts": {
            "parties": facts.parties,
            "people": people_json(facts.people),
            "place": facts.place,
            "when": facts.when.isoformat() if facts.when else None,
        },
        "moved": [[word, round(share, 3)] for word, share in assessment.moved],
        "topics": list(filed.topics),
        "vector": array("f", assessment.vector).tobytes() if filed.topics else None,
        "model": assessment.model,
        "keyword": filed.keyword,
        "development_id": filed.development_id,
        "match": match_json(match) if match else None,
        "article": filed.article or None,
        "draft": filed.draft or None,
    }


def facts_of(kept: dict[str, Any]) -> Facts:
    """Return kept facts."""
    return Facts(
        parties=tuple(kept["parties"]),
        people=people_of(kept["people"]),
        place=kept["place"],
        when=day_of(kept["when"]),
    )


def assessment_of(row: Row[Any]) -> Assessment:
    """Return the assessment of a row of judgements."""
    vector = array("f")
    vector.frombytes(row.vector or b"")
    return Assessment(
        scores={Topic(t): s for t, s in row.scores.items()},
        development=row.development,
        stage=Stage(row.stage) if row.stage else None,
        status=Status(row.status) if row.status else None,
        facts=facts_of(row.facts),
        moved=tuple((word, share) for word, share in row.moved),
        vector=tuple(vector),
        model=row.model,
    )


def match_json(match: Match) -> dict[str, Any]:
    """Return a match as it is kept."""
    return {
        "development": match.development_id,
        "probability": round(match.probability, 4),
        "features": [[name, round(value, 4)] for name, value in match.features],
        "nearest": match.nearest,
    }


def match_of(kept: dict[str, Any] | None) -> Match | None:
    """Return a kept match."""
    if kept is None:
        return None
    features = tuple((name, value) for name, value in kept["features"])
    return Match(development_id=kept["development"], probability=kept["probability"], features=features, nearest=kept["nearest"])


def development_values(development: Development) -> dict[str, Any]:
    """Return the columns of a development."""
    return {
        "id": development.development_id,
        "dossier_id": development.dossier_id,
        "step": development.dossier_step,
        "topics": list(development.topics),
        "trade_deal": Topic.TRADE_DEAL in development.topics,
        "ministerial_meeting": Topic.MINISTERIAL_MEETING in development.topics,
        "headline": development.headline,
        "url": development.url,
        "stage": development.stage,
        "status": development.status,
        "parties": list(development.parties),
        "people": people_json(development.people),
        "place": development.place,
        "day": development.when.isoformat() if development.when else None,
        "summary": [[s.text, s.url] for s in development.summary],
        "importance": development.importance,
        "first_published": development.first_published,
        "last_published": development.last_published,
        "alerted_at": development.alerted_at,
    }


def development_of(row: Row[Any], coverage: tuple[Coverage, ...] = ()) -> Development:
    """Return the development of a row."""
    return Development(
        development_id=row.id,
        dossier_id=row.dossier_id,
        topics=tuple(Topic(t) for t in row.topics),
        headline=row.headline,
        url=row.url,
        first_published=row.first_published,
        last_published=row.last_published,
        stage=Stage(row.stage) if row.stage else None,
        status=Status(row.status) if row.status else None,
        parties=tuple(row.parties),
        people=people_of(row.people),
        place=row.place,
        when=day_of(row.day),
        summary=tuple(SummarySentence(text=text, url=url) for text, url in row.summary),
        coverage=coverage,
        importance=row.importance,
        dossier_step=row.step,
        alerted_at=row.alerted_at,
    )


def delivery_report_of(row: Row[Any]) -> DeliveryReport:
    """Return what a row of deliveries tells of what became of it."""
    return DeliveryReport(
        destination=Destination(surface=Surface(row.surface), address=row.address),
        state=DeliveryState(row.state),
        digest=row.digest,
        at=row.sent,
        problem=row.problem,
    )


def alert_of(row: Row[Any], development: Development) -> Alert:
    """Return the alert of a row of alerts about `development`."""
    return Alert(development=development, raised=row.raised, follow_up=row.follow_up, step_changed=row.step_changed)
