"""Alerts as Discord embeds. Pure: values in, embeds out; knows no client and no clock."""

from __future__ import annotations

import discord

from bot.domain.alerts import Alert
from bot.domain.assessment import Person
from bot.domain.developments import Development
from bot.ports import Gazetteer
from handlers.discord.embeds import LONGEST_LINK, NAME, colour_of, embed, sentences
from handlers.discord.markdown import address, clean, fitted, joined, link, stamp
from handlers.showing import chips

# https://discord.com/developers/docs/resources/channel#start-thread-from-message
THREAD_NAME_LIMIT = 100

# How an alert's room is shared out: together below DESCRIPTION_LIMIT, and with title and fields below MESSAGE_LIMIT.
_PARTIES, _SUMMARY, _SOURCES, _EARLIER, _PEOPLE, _PLACE = 300, 900, 1800, 300, 600, 200
_MOST_SOURCES = 40


def alert_embed(alert: Alert, gazetteer: Gazetteer) -> discord.Embed:
    """Return the alert as one embed within the limits: what happened, who, where, when, at which stage, by which sources."""
    development = alert.development
    made = _headed(development)
    made.description = "\n".join(line for line in _lines(alert, gazetteer) if line)
    if people := joined([_person(p, gazetteer) for p in development.people], _PEOPLE, "\n"):
        made.add_field(name="People", value=people)
    if place := _place(development):
        made.add_field(name="Where and when", value=place)
    return made


def pointer_embed(alert: Alert, thread: int) -> discord.Embed:
    """Return what the channel sees of an alert in a thread: the headline, the new step, and the way there."""
    made = _headed(alert.development)
    made.description = f"{_chips(alert.development)} → <#{thread}>".strip()
    return made


def thread_name(alert: Alert, gazetteer: Gazetteer) -> str:
    """Return the name of the dossier's thread: its parties and topic, else the headline; unescaped, as Discord shows it as it is."""
    development = alert.development
    return fitted(dossier_name(development, gazetteer) or development.headline, THREAD_NAME_LIMIT, dress=clean) or "Dossier"


def dossier_name(development: Development, gazetteer: Gazetteer) -> str:
    """Return what a dossier is about, its parties and topic, as plain text; "" where it has no party or no topic."""
    parties = " – ".join(gazetteer.name(p) for p in development.parties)
    return f"{parties}: {chips(development)[0].lower()}" if parties and development.topics else ""


def _headed(development: Development) -> discord.Embed:
    made = embed(development.headline, colour_of(development.topics))
    made.url = address(development.url)
    return made


def _lines(alert: Alert, gazetteer: Gazetteer) -> list[str]:
    development = alert.development
    return [
        _chips(development),
        joined([_party(p, gazetteer) for p in development.parties], _PARTIES),
        sentences(development.text, _SUMMARY),
        _sources(development),
        f"↳ Follow-up to: {fitted(alert.follow_up, _EARLIER)}" if alert.follow_up else "",
    ]


def _chips(development: Development) -> str:
    return " ".join(f"`{chip}`" for chip in chips(development))


def _party(code: str, gazetteer: Gazetteer) -> str:
    return f"{gazetteer.flag(code)} {fitted(gazetteer.name(code), NAME)}".strip()


def _person(person: Person, gazetteer: Gazetteer) -> str:
    flag = gazetteer.flag(person.country) if person.country else ""
    office = f", {fitted(person.office, NAME)}" if person.office else ""
    return f"{flag} {fitted(person.name, NAME)}{office}".strip()


def _place(development: Development) -> str:
    place = [fitted(development.place, _PLACE)] if development.place else []
    day = [f"{development.when.day} {development.when:%B %Y}"] if development.when else []
    return " · ".join([*place, *day])


def _sources(development: Development) -> str:
    """Return "3 sources: A · B · C, 2 hours ago", each outlet once, linked to its first report."""
    first = development.first_reports
    shown = [link(c.outlet, c.url, limit=NAME, longest=LONGEST_LINK) for c in first[:_MOST_SOURCES]]
    names = joined(shown, _SOURCES)
    count = f"{len(first)} source{'' if len(first) == 1 else 's'}: " if names else ""
    return f"{count}{names}{' — ' if names else ''}{stamp(development.first_published)}"
