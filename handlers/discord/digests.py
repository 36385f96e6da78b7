"""Digests: many alerts in one message, an embed for each dossier. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.domain.alerts import Alert
from bot.ports import Gazetteer
from handlers.discord.embeds import DESCRIPTION_LIMIT, EMBEDS_LIMIT, MESSAGE_LIMIT, TITLE_LIMIT, colour_of, weight
from handlers.discord.markdown import fitted, size
from handlers.discord.render import dossier_name
from handlers.discord.replies import BODIES, item_text
from handlers.showing import digest_of, item_of

_FOOTER = 120  # of MESSAGE_LIMIT, kept free for the last line


def digest_content(alerts: Sequence[Alert], gazetteer: Gazetteer) -> str:
    """Return the line above the embeds: how many developments, in how many dossiers. It holds no words from outside."""
    return f"**{digest_of(alerts, gazetteer).title}**"


def digest_embeds(alerts: Sequence[Alert], gazetteer: Gazetteer, key: str) -> list[discord.Embed]:
    """Return the alerts, in their order, gathered by dossier within the limits of one message; what does not fit is counted.

    `key` stands small below the last one, so that a second attempt can tell the message of the first.
    """
    for body in BODIES:
        pages = _Pages(gazetteer, body)
        left = [alert for alert in alerts if not pages.takes(alert)]
        if not left:
            break
    more = f"… and {len(left)} more: /attache latest · " if left else ""
    pages.embeds[-1].set_footer(text=f"{more}{footer_mark(key)}")
    return pages.embeds


def footer_mark(key: str) -> str:
    """Return how a digest's key is written below it."""
    return f"digest {key[:12]}"


class _Pages:
    """Fills embeds with alerts, a dossier's side by side; once one did not fit, the rest does not either: it is less important."""

    def __init__(self, gazetteer: Gazetteer, body: int) -> None:
        self._gazetteer = gazetteer
        self._body = body
        self._dossier = ""
        self._full = False
        self.embeds: list[discord.Embed] = []

    def takes(self, alert: Alert) -> bool:
        """Add an alert; False when there is no room."""
        development = alert.development
        text = item_text(item_of(development, self._gazetteer), self._body)
        goes_on = bool(self.embeds) and development.dossier_id == self._dossier
        page = self.embeds[-1].copy() if goes_on else self._page(alert)
        page.description = f"{page.description}\n\n{text}" if page.description else text
        rest = self.embeds[:-1] if goes_on else self.embeds
        together = sum(map(weight, [*rest, page]))
        over = together > MESSAGE_LIMIT - _FOOTER or len(rest) >= EMBEDS_LIMIT or size(page.description) > DESCRIPTION_LIMIT
        self._full = self._full or over
        if not self._full:
            self.embeds, self._dossier = [*rest, page], development.dossier_id
        return not self._full

    def _page(self, alert: Alert) -> discord.Embed:
        title = fitted(dossier_name(alert.development, self._gazetteer), TITLE_LIMIT)
        return discord.Embed(title=title or None, colour=colour_of(alert.development.topics))
