"""The calendar of planned meetings: parsed back, it says what was meant, whatever the words are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from bot.domain.developments import SummarySentence
from bot.domain.text import plain
from handlers.calendar import calendar_of
from tests.console.kit import NOON, Atlas, alert

DAY = date(2026, 3, 9)
MEETING = replace(alert().development, when=DAY, headline="Ministers meet; fish, timber \\ rice", place="Kuala Lumpur, Hall; 3")


def events(content: bytes) -> list[dict[str, object]]:
    found = Calendar.from_ical(content).walk("VEVENT")
    return [{name: (value.dt if hasattr(value, "dt") else str(value)) for name, value in event.items()} for event in found]


def test_a_meeting_is_an_event_of_its_day() -> None:
    made = calendar_of([MEETING], Atlas(), NOON)
    (event,) = events(made.content)
    assert (made.name, made.media, made.description) == ("upcoming.ics", "text/calendar", "1 planned meeting as calendar events")
    assert event["UID"] == "d0123456789@attache"
    assert (event["DTSTART"], event["DTEND"], event["DTSTAMP"]) == (DAY, DAY + timedelta(days=1), NOON)
    assert (event["SUMMARY"], event["LOCATION"]) == ("Ministers meet; fish, timber \\ rice", "Kuala Lumpur, Hall; 3")
    assert event["DESCRIPTION"] == "India, United States\nThe two sides met for three hours."
    assert event["URL"] == MEETING.url
    assert b"DTSTART;VALUE=DATE:20260309" in made.content
    assert b"SUMMARY:Ministers meet\\; fish\\, timber \\\\ rice" in made.content


def test_a_second_import_changes_and_does_not_double() -> None:
    later = replace(MEETING, when=DAY + timedelta(days=2))
    first, second = (events(calendar_of([d], Atlas(), NOON).content)[0] for d in (MEETING, later))
    assert first["UID"] == second["UID"]
    assert first["DTSTART"] != second["DTSTART"]


def test_without_a_day_there_is_no_event_and_without_a_place_no_location() -> None:
    made = calendar_of([replace(MEETING, when=None), replace(MEETING, place=None)], Atlas(), NOON)
    (event,) = events(made.content)
    assert "LOCATION" not in event


@given(st.text(), st.text(), st.text())
def test_hostile_words_stay_words(headline: str, place: str, url: str) -> None:
    hostile = replace(MEETING, headline=headline, place=place, url=url, summary=(SummarySentence(text=headline, url=""),))
    (event,) = events(calendar_of([hostile], Atlas(), NOON).content)
    # icalendar reads a backslash and an N as a line's end wherever they stand
    assert str(event["SUMMARY"]).split() == plain(headline).replace("\\N", "\n").replace("\\n", "\n").split()
    assert set(event) <= {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "TRANSP", "LOCATION", "URL"}


def test_an_address_cannot_add_lines() -> None:
    hostile = replace(MEETING, url="https://quay.example/\r\nATTENDEE:mailto:x@example.com")
    made = calendar_of([hostile], Atlas(), NOON)
    assert b"ATTENDEE" not in made.content
