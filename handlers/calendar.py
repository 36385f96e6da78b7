"""Planned meetings as a calendar file (RFC 5545, https://www.rfc-editor.org/rfc/rfc5545). Values in, bytes out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from icalendar import Calendar, Event

from bot.domain.developments import Development
from bot.domain.text import plain
from bot.ports import Gazetteer
from handlers.replies import Attachment
from handlers.showing import counted

PRODUCT = "-//Attache//upcoming//EN"
_ADDRESS = re.compile(r"https?://[!-~]+")  # a URL is the one value of ours that a calendar file does not escape


def calendar_of(developments: Sequence[Development], gazetteer: Gazetteer, now: datetime) -> Attachment:
    """Return an all-day event for each development that has a day; its UID is the development's, so that a second import changes, not doubles."""
    calendar = Calendar()
    for name, value in (("prodid", PRODUCT), ("version", "2.0"), ("method", "PUBLISH"), ("x-wr-calname", "Planned meetings")):
        calendar.add(name, value)
    events = [_event(d, d.when, gazetteer, now) for d in developments if d.when]
    for event in events:
        calendar.add_component(event)
    content: bytes = calendar.to_ical()
    description = f"{counted(len(events), 'planned meeting')} as calendar events"
    return Attachment(name="upcoming.ics", media="text/calendar", content=content, description=description)


def _event(development: Development, day: date, gazetteer: Gazetteer, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"{development.development_id}@attache")
    event.add("dtstamp", now)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", plain(development.headline))
    event.add("description", "\n".join(filter(None, (", ".join(map(gazetteer.name, development.parties)), plain(development.text)))))
    event.add("transp", "TRANSPARENT")  # the reader is not busy on that day
    if development.place:
        event.add("location", plain(development.place))
    if _ADDRESS.fullmatch(development.url):
        event.add("url", development.url)
    return event
