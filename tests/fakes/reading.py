"""What a reader of the fake channels finds there: the headlines of each message, and whether each came once, and in order. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.fakes.discord_server import FakeDiscord
from tests.fakes.slack_server import FakeSlack


def on_slack(slack: FakeSlack, channel: str) -> list[list[str]]:
    """Return the headlines of each message in a channel, oldest message first, those in digests too."""
    return [_bold_links(m.payload["blocks"]) for m in slack.messages if m.channel == channel]


def on_discord(discord: FakeDiscord, channel: str, known: Sequence[str]) -> list[list[str]]:
    """The same for Discord, where a digest has its headlines within a text: those of `known` are looked for, each named as often as it is there."""
    found = []
    for message in discord.messages:
        if message["channel_id"] == channel:
            shown = [f"{embed.get('title') or ''}\n{embed.get('description') or ''}" for embed in message["embeds"]]
            found.append(_in_order("\n".join(shown), known))
    return found


def _in_order(text: str, known: Sequence[str]) -> list[str]:
    places = [(start, title) for title in known for start in _places(text, title)]
    return [title for _, title in sorted(places)]


def _places(text: str, title: str) -> list[int]:
    found, start = [], text.find(title)
    while start >= 0:
        found.append(start)
        start = text.find(title, start + len(title))
    return found


def _bold_links(node: object) -> list[str]:
    if isinstance(node, list):
        return [title for one in node for title in _bold_links(one)]
    if not isinstance(node, dict):
        return []
    if node.get("type") == "link" and node.get("style", {}).get("bold"):
        return [str(node["text"])]
    return [title for value in node.values() for title in _bold_links(value)]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One channel against what it should hold. `late` are the developments that come in a message after one that tells of a later one."""

    messages: int
    alone: int  # messages that tell of one development
    lost: tuple[str, ...]
    twice: tuple[str, ...]
    late: tuple[str, ...]

    @property
    def fine(self) -> bool:
        """Each is there once, and in order."""
        return not (self.lost or self.twice or self.late)


def verdict(messages: Sequence[Sequence[str]], filed: Sequence[str]) -> Verdict:
    """Compare a channel's messages with the headlines in the order in which they were filed for it.

    A message may tell of several (a digest), most important first; so the order is judged between messages, not within one: no message may
    tell of something that was filed before anything in a message above it.
    """
    places = {title: place for place, title in enumerate(filed)}
    told = Counter(title for message in messages for title in message)
    late, furthest = [], -1
    for message in messages:
        own = [places[title] for title in message if title in places]
        late += [filed[place] for place in own if place < furthest]
        furthest = max([furthest, *own])
    return Verdict(
        messages=len(messages),
        alone=sum(len(message) == 1 for message in messages),
        lost=tuple(title for title in filed if not told[title]),
        twice=tuple(title for title, times in told.items() if times > 1),
        late=tuple(late),
    )
