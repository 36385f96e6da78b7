"""A story of two feeds, short enough to follow: one meeting told twice, one re-titled, and something else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.demo.story import Story, story_of

AGENT = "Attache-tests/1.0"
START = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)


def entry(feed: str, guid: str, title: str, day: int, hour: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401  (whatever the built thing takes)
    return {"feed": feed, "guid": guid, "title": title, "summary": f"{title}. No more is known.", "day": day, "hour": hour, **more}


def small_story(form: str = "rss") -> Story:
    return story_of(
        {
            "start": START,
            "feeds": [{"id": "quay", "title": "Quay Gazette", "format": form}, {"id": "mole", "title": "Mole Mail", "format": "atom"}],
            "entries": [
                entry("quay", "q1", "Ministers of India and Chile met in March", -3, 9),
                entry(
                    "quay", "q2", "Ministers of India & Chile meet in Santiago", 0, 8.2, title2="India, Chile: ministers meet", again_at=4
                ),
                entry("mole", "m1", "Indian and Chilean ministers meet over copper", 0, 9.5),
                entry("mole", "m2", "Harbour cat turns twenty to great applause", 1, 7),
            ],
        }
    )
