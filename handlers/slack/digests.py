"""Digests: many alerts in one message, gathered by dossier. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from bot.domain.alerts import Alert
from bot.ports import Gazetteer
from handlers.replies import Item
from handlers.showing import digest_of, dossier_name, item_of
from handlers.slack import elements as e
from handlers.slack.elements import Brick
from handlers.slack.render import BODIES, FALLBACK, MAX_HEADLINE, RESERVE, item_section, message_of

MAX_MATTER = 300
TOLD = 3  # headlines in the text that notifications show
_ROWS = e.MAX_BLOCKS - 2  # the header and the last line stand besides

Told = Sequence[tuple[str, Item]]


def digest_message(alerts: Sequence[Alert], gazetteer: Gazetteer) -> Brick:
    """Return the arguments of chat.postMessage for a digest: in the alerts' order, a dossier's side by side; what does not fit is counted."""
    title = digest_of(alerts, gazetteer).title
    told = [(a.development.dossier_id, _item(a, gazetteer)) for a in alerts]
    for body in (*BODIES, 0):
        rows, left = _gathered(told, gazetteer, body)
        if not left:
            break
    more = [e.context_plain(f"… and {left} more: /attache latest")] if left else []
    return message_of(_fallback(title, alerts), [e.header(title), *rows, *more])


def _item(alert: Alert, gazetteer: Gazetteer) -> Item:
    """The countries stand above already."""
    item, names = item_of(alert.development, gazetteer), {gazetteer.name(p) for p in alert.development.parties}
    return replace(item, chips=tuple(chip for chip in item.chips if chip not in names))


def _gathered(told: Told, gazetteer: Gazetteer, body: int) -> tuple[list[Brick], int]:
    """Return a block for each dossier and how many items are left: once one did not fit, the rest does not either, for it matters less."""
    rows, taken, room = list[Brick](), 0, e.MAX_SIZE - RESERVE
    for dossier, group in groupby(told, key=lambda pair: pair[0]):
        sections = [item_section(item, body) for _, item in group]
        fitting = _fitting(dossier_name(dossier, gazetteer), sections, room)
        if not fitting or len(rows) == _ROWS:
            break
        rows.append(fitting[-1])
        taken, room = taken + len(fitting), room - e.size(fitting[-1:])
        if len(fitting) < len(sections):
            break
    return rows, len(told) - taken


def _fitting(name: str, sections: Sequence[Brick], room: int) -> list[Brick]:
    """Return a dossier's block with its first item, with its first two, and so on, as far as `room` goes."""
    heading = e.section(e.text(name, MAX_MATTER, style="bold"))
    grown = [e.rich([*heading, *e.bullets(sections[:count])])[0] for count in range(1, len(sections) + 1)]
    return [block for block in grown if e.size([block]) <= room]


def _fallback(title: str, alerts: Sequence[Alert]) -> str:
    headlines = "; ".join(e.harmless(a.development.headline, MAX_HEADLINE) for a in alerts[:TOLD])
    return e.mrkdwn(f"{title}. {headlines}", FALLBACK * 6)
