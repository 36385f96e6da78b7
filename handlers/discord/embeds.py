"""What all embeds of ours share: Discord's limits and the colours. Pure."""

from __future__ import annotations

from functools import partial

import discord

from bot.domain.text import cut_at_sentence
from bot.domain.topics import Topic
from handlers.discord.markdown import fitted, size

# https://discord.com/developers/docs/resources/message#embed-object-embed-limits
TITLE_LIMIT = 256
DESCRIPTION_LIMIT = 4096
FOOTER_LIMIT = 2048
FIELDS_LIMIT = 25
FIELD_NAME_LIMIT = 256
FIELD_VALUE_LIMIT = 1024
MESSAGE_LIMIT = 6000  # title, description, fields, footer and author of all embeds of a message together
# https://discord.com/developers/docs/resources/message#create-message
EMBEDS_LIMIT = 10

NAME = 80  # characters of a name, be it of an outlet, a person or a country
LONGEST_LINK = 1000  # a longer address in a list is left unlinked: it would push the others out
PLAIN, ERROR = 0x546E7A, 0xC62828
_COLOURS = {Topic.TRADE_DEAL: 0x2E7D32, Topic.MINISTERIAL_MEETING: 0x1565C0}

sentences = partial(fitted, shorten=cut_at_sentence)


def embed(title: str, colour: int) -> discord.Embed:
    """Return an embed with nothing but a title that fits, escaped."""
    return discord.Embed(title=fitted(title, TITLE_LIMIT) or "Untitled", colour=colour)


def colour_of(topics: tuple[Topic, ...]) -> int:
    """Return the colour of the first topic."""
    return _COLOURS[topics[0]] if topics else PLAIN


def weight(made: discord.Embed) -> int:
    """Return how much of MESSAGE_LIMIT an embed takes."""
    texts = [made.title, made.description, made.footer.text, *(t for f in made.fields for t in (f.name, f.value))]
    return sum(size(text) for text in texts if text)
