"""Replies as Discord embeds and files. Pure."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import discord

from handlers.discord.embeds import (
    DESCRIPTION_LIMIT,
    EMBEDS_LIMIT,
    ERROR,
    FIELD_NAME_LIMIT,
    FIELD_VALUE_LIMIT,
    FIELDS_LIMIT,
    LONGEST_LINK,
    MESSAGE_LIMIT,
    NAME,
    PLAIN,
    embed,
    sentences,
)
from handlers.discord.markdown import clean, fitted, joined, link, size, stamp
from handlers.replies import Attachment, Item, Reply

FILES_LIMIT = 10  # https://discord.com/developers/docs/resources/message#create-message
FILE_TEXT_LIMIT = 1024  # https://discord.com/developers/docs/resources/message#attachment-object
BODIES = (400, 200, 100, 0)  # bodies are shortened before items are left out

# How a reply's room is shared out; items get what is left.
_NOTE, _FACTS, _FACT, _ITEM_TITLE, _CHIPS = 800, 2600, 500, 200, 200


def reply_embeds(reply: Reply) -> list[discord.Embed]:
    """Return the reply as embeds of one message within the limits; what does not fit is left out at an item's end, and counted."""
    title = f"⚠️ {reply.title}" if reply.error else reply.title
    first = embed(title, ERROR if reply.error else PLAIN)
    note, facts = sentences(reply.note, _NOTE), _facts(reply.facts)
    used = size(first.title or "") + size(note) + sum(size(n) + size(v) for n, v in facts)
    embeds = _pages(first, [*_items(reply.items, MESSAGE_LIMIT - used - 8 * len(reply.items) - 64), *([note] if note else [])])
    for name, value in facts:
        embeds[-1].add_field(name=name, value=value, inline=False)
    if picture := next((a for a in reply.attachments if a.media.startswith("image/")), None):
        embeds[-1].set_image(url=f"attachment://{file_name(picture)}")
    return embeds


def reply_files(reply: Reply) -> list[discord.File]:
    """Return the reply's attachments as files, each once to be sent."""
    return [
        discord.File(io.BytesIO(a.content), file_name(a), description=fitted(a.description, FILE_TEXT_LIMIT, dress=clean) or None)
        for a in reply.attachments[:FILES_LIMIT]
    ]


def file_name(attachment: Attachment) -> str:
    """Return the name as Discord keeps it, so that an embed finds its picture; https://discord.com/developers/docs/reference#uploading-files."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", attachment.name)[:NAME].strip(".") or "file"


def item_text(item: Item, body: int) -> str:
    """Return one thing as text: its linked title, its chips, and at most `body` characters of its body."""
    title = link(item.title, item.url, limit=_ITEM_TITLE, longest=LONGEST_LINK) or "–"
    about = [joined([fitted(c, NAME) for c in item.chips if c], _CHIPS), stamp(item.when) if item.when else ""]
    lines = [f"**{title}**", " · ".join(a for a in about if a), sentences(item.body, body) if body and item.body else ""]
    return "\n".join(line for line in lines if line)


def _facts(facts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the facts as names and values of fields, as many as there is room for."""
    shown: list[tuple[str, str]] = []
    room = _FACTS
    for name, value in facts[:FIELDS_LIMIT]:
        fact = fitted(name, FIELD_NAME_LIMIT) or "–", sentences(value, min(_FACT, FIELD_VALUE_LIMIT)) or "–"
        room -= size(fact[0]) + size(fact[1])
        if room < 0:
            break
        shown.append(fact)
    return shown


def _items(items: Sequence[Item], room: int) -> list[str]:
    """Return the items as text, with the longest bodies with which all of them fit into `room`, else as many as fit."""
    for body in BODIES:
        texts = [item_text(item, body) for item in items]
        if sum(map(size, texts)) <= room:
            return texts
    kept: list[str] = []
    for text in texts:
        if sum(map(size, kept)) + size(text) > room - 32:
            break
        kept.append(text)
    return [*kept, f"… and {len(texts) - len(kept)} more"]


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
