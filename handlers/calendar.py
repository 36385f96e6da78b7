"""Planned meetings as a calendar file (RFC 5545). Values in, bytes out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from icalendar import Calendar, Event

from bot.domain.developments import Development
from bot.ports import Gazetteer
from handlers.replies import Attachment

PRODUCT = "-//Attache//upcoming//EN"


def calendar_of(developments: Sequence[Development], gazetteer: Gazetteer, now: datetime) -> Attachment:
    """Return an all-day event for each development that has a day; its UID is the development's, so that a second import changes, not doubles."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    planned = [d for d in developments if d.when]
    for development in planned:
        calendar.add_component(_event(development, gazetteer, now))
    content: bytes = calendar.to_ical()
    return Attachment(
        name="upcoming.ics", media="text/calendar", content=content, description=f"{len(planned)} planned meetings as calendar events"
    )


def _event(development: Development, gazetteer: Gazetteer, now: datetime) -> Event:
    event, day = Event(), development.when
    assert day is not None  # noqa: S101  (the caller left out those without)
    event.add("uid", f"{development.development_id}@attache")
    event.add("dtstamp", now)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", development.headline)
    event.add("description", "\n".join(filter(None, (", ".join(map(gazetteer.name, development.parties)), development.text))))
    if development.place:
        event.add("location", development.place)
    if development.url:
        event.add("url", development.url)
    return event
