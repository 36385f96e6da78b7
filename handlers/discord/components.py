"""Buttons under messages. What they mean is in their ids, so that they are answered after a restart too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import discord

from handlers.replies import Button, Offer

PREFIX = "attache"
# https://discord.com/developers/docs/components/reference#button
CUSTOM_ID_LIMIT = 100
_CUSTOM_ID = re.compile(rf"{PREFIX}:({'|'.join(Button)}):([!-~]+)")
_STYLES = {Button.USEFUL: discord.ButtonStyle.success, Button.MUTE: discord.ButtonStyle.danger}


def custom_id(button: Button, development_id: str) -> str:
    """Return the id of a button, from which alone it is answered."""
    return f"{PREFIX}:{button}:{development_id}"


def buttons_of(development_id: str) -> discord.ui.View:
    """Return the row of buttons under an alert."""
    return offers_of([Offer(button=button, development_id=development_id) for button in Button])


def pointer_buttons(development_id: str) -> discord.ui.View:
    """Return the buttons under the message in the channel that points to an alert in a thread: those that only read."""
    return offers_of([Offer(button=button, development_id=development_id) for button in (Button.TIMELINE, Button.WHY)])


def offers_of(offers: Sequence[Offer]) -> discord.ui.View:
    """Return a row of buttons under a reply."""
    view = discord.ui.View(timeout=None)
    for offer in offers:
        style = _STYLES.get(offer.button, discord.ButtonStyle.secondary)
        made = custom_id(offer.button, offer.development_id)
        view.add_item(discord.ui.Button(label=offer.button.label, style=style, custom_id=made))
    view.stop()  # discord.py would keep every view that is not finished in memory, for ever
    return view


def pressed(interaction: discord.Interaction) -> tuple[Button, str] | None:
    """Return which of our buttons an interaction pressed, and on what; None when it is not one of ours."""
    if interaction.type is not discord.InteractionType.component or not interaction.data:
        return None
    return _read(str(interaction.data.get("custom_id", "")))


def development_of(message: discord.Message) -> str | None:
    """Return the id of the development that an alert of ours tells of: its buttons say it. None for any other message."""
    for found in map(_read, _ids(message)):
        if found and found[0] is Button.WHY:
            return found[1]
    return None


def _ids(message: discord.Message) -> Iterator[str]:
    for row in message.components:
        if isinstance(row, discord.ActionRow):
            yield from (child.custom_id for child in row.children if isinstance(child, discord.Button) and child.custom_id)


def _read(text: str) -> tuple[Button, str] | None:
    found = _CUSTOM_ID.fullmatch(text)
    return (Button(found[1]), found[2]) if found else None
