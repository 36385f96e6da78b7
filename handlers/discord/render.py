"""Alerts and replies as Discord embeds. Pure: values in, embeds out; knows no client and no clock."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import discord

from bot.domain.alerts import Alert
from bot.domain.assessment import Person
from bot.domain.developments import Development
from bot.domain.text import cut_at_sentence
from bot.domain.topics import Topic
from bot.ports import Gazetteer
from handlers.discord.markdown import address, clean, fitted, joined, link, size, stamp
from handlers.reading import chips
from handlers.replies import Item, Reply

# https://discord.com/developers/docs/resources/message#embed-object-embed-limits
TITLE_LIMIT = 256
DESCRIPTION_LIMIT = 4096
FIELDS_LIMIT = 25
FIELD_NAME_LIMIT = 256
FIELD_VALUE_LIMIT = 1024
MESSAGE_LIMIT = 6000  # title, description, fields, footer and author of all embeds of a message together
# https://discord.com/developers/docs/resources/message#create-message
EMBEDS_LIMIT = 10
# https://discord.com/developers/docs/resources/channel#start-thread-from-message
THREAD_NAME_LIMIT = 100

# How an alert's room is shared out: together below DESCRIPTION_LIMIT, and with title and fields below MESSAGE_LIMIT.
_PARTIES, _SUMMARY, _SOURCES, _EARLIER, _PEOPLE, _PLACE, _NAME = 300, 900, 1800, 300, 600, 200, 80
_LONGEST_LINK = 1000  # a longer address in a list is left unlinked: it would push the others out
_MOST_SOURCES = 40

# How a reply's room is shared out; items get what is left.
_NOTE, _FACTS, _FACT, _ITEM_TITLE, _CHIPS = 800, 2600, 500, 200, 200
_BODIES = (400, 200, 100, 0)  # bodies are shortened before items are left out

_COLOURS = {Topic.TRADE_DEAL: 0x2E7D32, Topic.MINISTERIAL_MEETING: 0x1565C0}
_PLAIN, _ERROR = 0x546E7A, 0xC62828

_sentences = partial(fitted, shorten=cut_at_sentence)


def alert_embed(alert: Alert, gazetteer: Gazetteer) -> discord.Embed:
    """Return the alert as one embed within the limits: what happened, who, where, when, at which stage, by which sources."""
    development = alert.development
    embed = _embed(development.headline, _colour(development))
    embed.url = address(development.url)
    embed.description = "\n".join(line for line in _lines(alert, gazetteer) if line)
    if people := joined([_person(p, gazetteer) for p in development.people], _PEOPLE, "\n"):
        embed.add_field(name="People", value=people)
    if place := _place(development):
        embed.add_field(name="Where and when", value=place)
    return embed


def thread_name(alert: Alert, gazetteer: Gazetteer) -> str:
    """Return the name of the dossier's thread: its parties and topic, else the headline; unescaped, as Discord shows it as it is."""
    development = alert.development
    parties = " – ".join(gazetteer.name(p) for p in development.parties)
    name = f"{parties}: {chips(development)[0].lower()}" if parties and development.topics else development.headline
    return fitted(name, THREAD_NAME_LIMIT, dress=clean) or "Dossier"


def reply_embeds(reply: Reply) -> list[discord.Embed]:
    """Return the reply as embeds of one message within the limits; what does not fit is left out at an item's end, and counted."""
    title = f"⚠️ {reply.title}" if reply.error else reply.title
    first = _embed(title, _ERROR if reply.error else _PLAIN)
    note, facts = _sentences(reply.note, _NOTE), _facts(reply.facts)
    used = size(first.title or "") + size(note) + sum(size(n) + size(v) for n, v in facts)
    embeds = _pages(first, [*_items(reply.items, MESSAGE_LIMIT - used - 8 * len(reply.items) - 64), *([note] if note else [])])
    for name, value in facts:
        embeds[-1].add_field(name=name, value=value, inline=False)
    return embeds


def _embed(title: str, colour: int) -> discord.Embed:
    return discord.Embed(title=fitted(title, TITLE_LIMIT) or "Untitled", colour=colour)


def _colour(development: Development) -> int:
    return _COLOURS[development.topics[0]] if development.topics else _PLAIN


def _lines(alert: Alert, gazetteer: Gazetteer) -> list[str]:
    development = alert.development
    return [
        " ".join(f"`{chip}`" for chip in chips(development)),
        joined([_party(p, gazetteer) for p in development.parties], _PARTIES),
        _sentences(development.text, _SUMMARY),
        _sources(development),
        f"↳ Follow-up to: {fitted(alert.follow_up, _EARLIER)}" if alert.follow_up else "",
    ]


def _party(code: str, gazetteer: Gazetteer) -> str:
    return f"{gazetteer.flag(code)} {fitted(gazetteer.name(code), _NAME)}".strip()


def _person(person: Person, gazetteer: Gazetteer) -> str:
    flag = gazetteer.flag(person.country) if person.country else ""
    office = f", {fitted(person.office, _NAME)}" if person.office else ""
    return f"{flag} {fitted(person.name, _NAME)}{office}".strip()


def _place(development: Development) -> str:
    place = [fitted(development.place, _PLACE)] if development.place else []
    day = [f"{development.when.day} {development.when:%B %Y}"] if development.when else []
    return " · ".join([*place, *day])


def _sources(development: Development) -> str:
    """Return "3 sources: A · B · C, 2 hours ago", each outlet once, linked to its first report."""
    first = development.first_reports
    shown = [link(c.outlet, c.url, limit=_NAME, longest=_LONGEST_LINK) for c in first[:_MOST_SOURCES]]
    names = joined(shown, _SOURCES)
    count = f"{len(first)} source{'' if len(first) == 1 else 's'}: " if names else ""
    return f"{count}{names}{' — ' if names else ''}{stamp(development.first_published)}"


def _facts(facts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the facts as names and values of fields, as many as there is room for."""
    shown: list[tuple[str, str]] = []
    room = _FACTS
    for name, value in facts[:FIELDS_LIMIT]:
        fact = fitted(name, FIELD_NAME_LIMIT) or "–", _sentences(value, min(_FACT, FIELD_VALUE_LIMIT)) or "–"
        room -= size(fact[0]) + size(fact[1])
        if room < 0:
            break
        shown.append(fact)
    return shown


def _items(items: Sequence[Item], room: int) -> list[str]:
    """Return the items as text, with the longest bodies with which all of them fit into `room`, else as many as fit."""
    for body in _BODIES:
        texts = [_item(item, body) for item in items]
        if sum(map(size, texts)) <= room:
            return texts
    kept: list[str] = []
    for text in texts:
        if sum(map(size, kept)) + size(text) > room - 32:
            break
        kept.append(text)
    return [*kept, f"… and {len(texts) - len(kept)} more"]


def _item(item: Item, body: int) -> str:
    title = link(item.title, item.url, limit=_ITEM_TITLE, longest=_LONGEST_LINK) or "–"
    about = [joined([fitted(c, _NAME) for c in item.chips if c], _CHIPS), stamp(item.when) if item.when else ""]
    lines = [f"**{title}**", " · ".join(a for a in about if a), _sentences(item.body, body) if body and item.body else ""]
    return "\n".join(line for line in lines if line)


def _pages(first: discord.Embed, texts: Sequence[str]) -> list[discord.Embed]:
    """Return `first` with the texts in its description, and further embeds where they do not fit."""
    embeds = [first]
    for text in texts:
        longer = f"{embeds[-1].description}\n\n{text}" if embeds[-1].description else text
        if size(longer) > DESCRIPTION_LIMIT:
            embeds.append(discord.Embed(colour=first.colour))
            longer = text
        embeds[-1].description = longer
    return embeds[:EMBEDS_LIMIT]
