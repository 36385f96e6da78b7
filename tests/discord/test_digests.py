"""Digests: gathered by dossier, within the limits, the rest counted."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.alerts import Alert
from bot.domain.developments import SummarySentence
from handlers.discord.digests import digest_content, digest_embeds
from handlers.discord.embeds import weight
from tests.discord.kit import NOW, Atlas, development
from tests.discord.limits import EMBEDS_TOGETHER, problem_with
from tests.discord.test_markdown import HOSTILE, STEADY
from tests.discord.test_render import OURS

KEY = "0123456789abcdef01234567"


def alert(number: int, dossier: str = "trade_deal:ARL-BOR", **changes: object) -> Alert:
    return Alert(development=development(number, dossier_id=dossier, **changes), raised=NOW)


def shown(alerts: list[Alert]) -> list[dict[str, Any]]:
    return [dict(embed.to_dict()) for embed in digest_embeds(alerts, Atlas(), KEY)]


def test_a_dossier_is_an_embed_with_its_developments_in_their_order() -> None:
    alerts = [alert(1, headline="First step"), alert(2, headline="Second step"), alert(3, "x:1", parties=(), headline="Another matter")]
    embeds = shown(alerts)
    assert [e.get("title") for e in embeds] == ["Arlandia – Borduria: trade deal", None]
    assert embeds[0]["description"].index("First step") < embeds[0]["description"].index("Second step")
    assert "d1" in embeds[0]["description"]  # by its id one can ask why
    assert "**[Another matter](https://gazette.example/timber)**" in embeds[1]["description"]
    assert [e.get("footer") for e in embeds] == [None, {"text": f"digest {KEY[:12]}"}]
    assert digest_content(alerts, Atlas()) == "**Digest: 3 developments in 2 matters**"


def test_what_does_not_fit_is_counted_and_is_the_least_important() -> None:
    embeds = shown([alert(n, f"x:{n}", headline=f"Matter {n}") for n in range(1, 14)])
    assert len(embeds) == 10
    assert "Matter 10" in embeds[-1]["description"]
    assert embeds[-1]["footer"]["text"].startswith("… and 3 more: /attache latest")


def test_bodies_are_shortened_before_a_development_is_left_out() -> None:
    long = (SummarySentence(text="A sentence of many words that goes on. " * 9, url="https://a.example/"),)
    embeds = shown([alert(n, headline=f"Step {n}", summary=long) for n in range(1, 13)])
    text = "\n".join(e["description"] for e in embeds)
    assert all(f"Step {n}]" in text for n in range(1, 13))
    assert "more" not in embeds[-1]["footer"]["text"]


@settings(STEADY, max_examples=40)
@given(st.lists(st.tuples(HOSTILE, HOSTILE.map(lambda t: t * 20), st.integers(1, 15)), min_size=2, max_size=30))
def test_any_digest_is_one_that_discord_takes_and_hostile_words_leave_only_our_own_marks(words: list[tuple[str, str, int]]) -> None:
    alerts = [
        alert(n, f"x:{dossier}", headline=headline, summary=(SummarySentence(text=text, url="https://a.example/"),), parties=(headline,))
        for n, (headline, text, dossier) in enumerate(words)
    ]
    embeds = digest_embeds(alerts, Atlas(), KEY)
    payloads = [dict(e.to_dict()) for e in embeds]
    assert problem_with({"content": digest_content(alerts, Atlas()), "embeds": payloads}) is None
    assert sum(map(weight, embeds)) <= EMBEDS_TOGETHER
    for text in [t for p in payloads for t in (p.get("title"), p["description"]) if t]:
        foreign = OURS.sub("¤", re.sub(r"\\[^0-9A-Za-z\s]", "¤", text))
        assert not re.search(r"[<>`\[\]*_~|]|://|@everyone|@here", foreign, re.IGNORECASE)
