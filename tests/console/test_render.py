"""What a reader sees in the terminal, and that foreign words never become more than words."""

from __future__ import annotations

import re

import pytest

from bot.domain.errors import UsageError
from handlers.commands import failure
from handlers.console.render import alert_card, reply_view
from handlers.replies import Item, Reply
from tests.console.kit import NOON, URL, Atlas, alert, printed

HOSTILE = ":smile: [bold red]Deal[/] [link=https://evil.example]now[/link] \x1b[2J\x1b]8;;https://evil.example\x1b\\here\x07 \u202eesrever"
OURS = re.compile(r"\x1b\[[\d;]*m|\x1b\]8;[^\x1b\x07]*;[^\x1b\x07]*\x1b\\")  # colours and links, as rich writes them


def test_a_card_says_all_there_is() -> None:
    card = printed(alert_card(alert(), Atlas()))
    for words in (
        "Trade deal · negotiating",
        "India and United States move closer to a tariff pact",
        "🇮🇳 India – 🇺🇸 United States",
        "Asha Rao (Commerce Minister",
        "Kuala Lumpur",
        "1 March 2026",
        "The two sides met for three hours.",
        "2 sources: Quay Gazette, Mole Mail",
    ):
        assert words in card


def test_a_follow_up_is_indented_under_what_it_follows() -> None:
    first, *card = printed(alert_card(alert(follow_up="Tariff talks open"), Atlas())).splitlines()
    assert first.strip() == "↳ follow-up to: Tariff talks open"
    assert all(line.startswith("    ") for line in (first, *card) if line)


def test_an_alert_with_nothing_but_a_headline() -> None:
    bare = alert(topics=(), stage=None, parties=(), people=(), place=None, when=None, summary=(), coverage=(), url="")
    card = printed(alert_card(bare, Atlas()))
    assert "India and United States move closer" in card
    assert "source" not in card


@pytest.mark.parametrize("field", ["headline", "place", "follow_up"])
def test_foreign_words_are_neither_markup_nor_orders(field: str) -> None:
    seen = printed(alert_card(alert(**{field: HOSTILE}), Atlas()), terminal=True, width=200)
    assert "\u202e" not in seen
    assert "\x1b" not in OURS.sub("", seen)
    assert "\x07" not in seen
    assert not re.search(r"\x1b\]8;[^\x1b]*evil", seen)
    assert "[bold red]Deal[/]" in OURS.sub("", seen)
    assert ":smile:" in seen


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://[broken", "https://a.example/\x1b\\x", "file:///etc/passwd", ""])
def test_only_plain_web_addresses_become_links(url: str) -> None:
    seen = printed(alert_card(alert(url=url, coverage=()), Atlas()), terminal=True)
    assert "\x1b" not in OURS.sub("", seen)
    assert "javascript" not in seen
    assert "file:" not in seen


def test_the_headline_leads_to_the_article() -> None:
    assert re.search(rf"\x1b\]8;[^;]*;{re.escape(URL)}\x1b", printed(alert_card(alert(), Atlas()), terminal=True))


def test_a_reply_shows_items_facts_and_note() -> None:
    item = Item(title="Ministers meet", url=URL, when=NOON, chips=("Ministerial meeting", "held"), body="They met.")
    seen = printed(reply_view(Reply(title="Latest", items=(item,), facts=(("Entries", "12"),), note="That is all.")))
    for words in ("Latest", "1. Ministers meet", "Ministerial meeting · held", "They met.", "Entries", "12", "That is all."):
        assert words in seen


def test_a_reply_s_words_are_not_orders_either() -> None:
    item = Item(title=HOSTILE, chips=(HOSTILE,), body=HOSTILE)
    seen = printed(reply_view(Reply(title=HOSTILE, items=(item,), facts=((HOSTILE, HOSTILE),), note=HOSTILE)), terminal=True, width=200)
    assert "\x1b" not in OURS.sub("", seen)
    assert not re.search(r"\x1b\]8;[^\x1b]*evil", seen)


def test_an_error_says_what_would_work() -> None:
    assert "Usage: why ID" in printed(reply_view(failure(UsageError("Usage: why ID|URL"))))
