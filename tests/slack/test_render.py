"""What a reader sees of alerts and replies, and that it keeps Slack's limits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.developments import Coverage, SummarySentence
from bot.domain.errors import UsageError
from handlers.commands import failure
from handlers.replies import Item, Reply
from handlers.slack import elements as e
from handlers.slack.digests import digest_message
from handlers.slack.render import MAX_SOURCES, alert_message, reply_message
from tests.fakes.slack_server import text_of
from tests.slack.kit import NOON, Atlas, alert

STAMP = int(NOON.timestamp())


def test_an_alert_says_all_there_is() -> None:
    message = alert_message(alert(follow_up="India and United States open tariff talks"), Atlas())
    earlier, facts, summary, sources, time, buttons = message["blocks"]
    assert earlier["elements"] == [
        {"type": "plain_text", "text": "↪ Follow-up to: India and United States open tariff talks", "emoji": False}
    ]
    headline, *_ = facts["elements"][0]["elements"]
    assert headline == {
        "type": "link",
        "url": "https://harbour.example/pact?id=7",
        "text": "India and United States move closer to a tariff pact & settle farm goods",
        "style": {"bold": True},
    }
    seen = text_of({"blocks": [facts]}).replace("\n\n\n", "\n")
    assert "🇮🇳 India – 🇺🇸 United States" in seen
    assert "Asha Rao (Commerce Minister, India), Dana Cole" in seen
    assert "Kuala Lumpur, 1 March 2026" in seen
    assert text_of({"blocks": [summary]}) == "The two sides met for three hours on Sunday. Both named a date for the next round."
    assert text_of({"blocks": [sources]}).replace("\n", "") == "2 sources: Harbour Post, Quay Gazette"
    assert time["elements"][0]["text"] == (
        f"First reported <!date^{STAMP}^{{date_short_pretty}} at {{time}}|02 Mar 2026, 12:00 UTC> · d0123456789"
    )
    assert [b["text"]["text"] for b in buttons["elements"]] == ["Timeline", "Why", "Useful", "Not relevant", "Mute dossier"]
    assert {b["value"] for b in buttons["elements"]} == {"d0123456789"}
    assert ["confirm" in b for b in buttons["elements"]] == [False, False, False, False, True]
    assert (message["unfurl_links"], message["unfurl_media"]) == (False, False)


def test_a_digest_lists_its_alerts_in_their_order_by_dossier() -> None:
    pact, round_, other = (
        alert(headline="Pact signed"),
        alert(headline="A round"),
        alert(headline="Talks", dossier_id="trade_deal:ASEAN-IND"),
    )
    message = digest_message([pact, round_, other], Atlas())
    head, first, second = message["blocks"]
    assert head["text"]["text"] == "Digest: 3 developments in 2 matters"
    assert [row["elements"][0]["elements"][0]["text"] for row in (first, second)] == [
        "Trade deal, India – United States",
        "Trade deal, ASEAN – India",
    ]
    items = [[x["elements"][0]["text"] for x in row["elements"][1]["elements"]] for row in (first, second)]
    assert items == [["Pact signed", "A round"], ["Talks"]]
    assert message["text"] == "Digest: 3 developments in 2 matters. Pact signed; A round; Talks"


@pytest.mark.parametrize("dossiers", [1, 7, 60])
def test_a_digest_that_is_too_long_says_how_much_is_left_out(dossiers: int) -> None:
    headline = "of the talks " + "on tariffs " * 20
    alerts = [alert(headline=f"Round {n} {headline}", dossier_id=f"trade_deal:X{n * dossiers // 60}-IND") for n in range(60)]
    message = digest_message(alerts, Atlas())
    assert e.size(message["blocks"]) <= e.MAX_SIZE
    shown = text_of(message).count("Round ")
    assert 10 < shown < 60
    assert f"… and {60 - shown} more: /attache latest" in text_of(message)


def test_a_digest_of_many_short_alerts_keeps_to_fifty_blocks() -> None:
    alerts = [
        alert(headline="Talks", url="", summary=(), topics=(), parties=(), coverage=(), dossier_id=f"d{n}", development_id=f"d{n}")
        for n in range(80)
    ]
    message = digest_message(alerts, Atlas())
    assert len(message["blocks"]) <= e.MAX_BLOCKS
    shown = text_of(message).count("Talks")
    assert f"… and {80 - shown} more" in text_of(message)


def test_chips_look_like_chips() -> None:
    facts = alert_message(alert(), Atlas())["blocks"][0]["elements"][0]["elements"]
    assert [x["text"] for x in facts if x.get("style") == {"code": True}] == ["Trade deal", "Ministerial meeting", "negotiating"]


def test_the_notification_is_plain_and_escaped() -> None:
    text = alert_message(alert(headline="*Tariffs* <!channel> & `more`"), Atlas())["text"]
    assert text.startswith("∗Tariffs∗ ‹!channel› &amp; ʹmoreʹ (Trade deal · Ministerial meeting · negotiating · India · United States).")


def test_an_alert_with_nothing_but_a_headline() -> None:
    bare = alert(
        topics=(), stage=None, status=None, parties=(), people=(), place=None, when=None, summary=(), coverage=(), url="javascript:x"
    )
    message = alert_message(bare, Atlas())
    assert [b["type"] for b in message["blocks"]] == ["rich_text", "context", "actions"]
    assert message["blocks"][0]["elements"][0]["elements"][0]["type"] == "text"


def test_many_sources_and_parties_are_counted() -> None:
    coverage = tuple(Coverage(outlet=f"Outlet {i}", url=f"https://o{i}.example/", title="t", published=NOON) for i in range(30))
    blocks = alert_message(alert(coverage=coverage, parties=("IND",) * 11), Atlas())["blocks"]
    seen = text_of({"blocks": blocks})
    assert "30 sources: " in seen
    assert f" and {30 - MAX_SOURCES} more" in seen
    assert "India and 3 more" in seen


def test_long_sources_leave_room_for_the_rest() -> None:
    coverage = tuple(Coverage(outlet=f"Outlet {i}", url=f"https://o.example/{i}/{'x' * 2900}", title="t", published=NOON) for i in range(9))
    blocks = alert_message(alert(coverage=coverage), Atlas())["blocks"]
    assert e.size(blocks) <= e.MAX_SIZE
    assert " and 6 more" in text_of({"blocks": blocks})
    assert "<!date^" in blocks[-2]["elements"][0]["text"]


def test_a_long_summary_ends_with_a_sentence() -> None:
    summary = tuple(SummarySentence(text=f"Sentence {i} says something of the {'long ' * 12}talks.", url="") for i in range(40))
    seen = text_of({"blocks": alert_message(alert(summary=summary), Atlas())["blocks"][1:2]})
    assert 700 < len(seen) <= 900
    assert seen.endswith("talks.")


def test_a_reply_lists_items_with_chips_and_dates() -> None:
    item = Item(title="A pact is near", url="https://a.example/", when=NOON, chips=("Trade deal", "India"), body="They met. They spoke.")
    message = reply_message(Reply(title="Latest developments", items=(item,), facts=(("Entries", "12"),), note="That is all."))
    head, items, rest = message["blocks"]
    assert head["text"] == {"type": "plain_text", "text": "Latest developments", "emoji": False}
    assert items["elements"][0]["elements"][0]["elements"] == [
        {"type": "link", "url": "https://a.example/", "text": "A pact is near", "style": {"bold": True}},
        {"type": "text", "text": "\n"},
        {"type": "text", "text": "Trade deal · India"},
        {"type": "text", "text": " · "},
        {
            "type": "date",
            "timestamp": STAMP,
            "format": "{date_short_pretty} at {time}",
            "fallback": "02 Mar 2026, 12:00 UTC",
        },
        {"type": "text", "text": "\n"},
        {"type": "text", "text": "They met. They spoke."},
    ]
    assert text_of({"blocks": [rest]}) == "Entries: \n12\nThat is all."
    assert message["text"] == "Latest developments. That is all."


def test_an_error_looks_like_one() -> None:
    message = reply_message(failure(UsageError("Usage: search WORDS")))
    head, note = message["blocks"]
    assert head["text"]["text"] == "⚠️ That did not work"
    assert note["elements"][0]["type"] == "rich_text_quote"
    assert message["text"] == "⚠️ That did not work. Usage: search WORDS"


def test_an_empty_reply_is_still_a_message() -> None:
    assert reply_message(Reply(title="\u200b"))["blocks"] == [e.header("Attaché")]


def test_twenty_items_fit_and_two_hundred_are_counted() -> None:
    item = Item(
        title="Ministers of both sides meet again over tariffs on steel and farm goods",
        url="https://paper.example/world/2026/03/02/ministers-meet-again-over-tariffs",
        when=NOON - timedelta(days=3),
        chips=("Trade deal", "negotiating", "India", "United States", "3 sources", "d0123456789"),
        body="The ministers spoke for an hour. They will meet again in May. Neither side named a figure.",
    )
    twenty = reply_message(Reply(title="Latest", items=(item,) * 20))["blocks"]
    assert len(twenty[1]["elements"][0]["elements"]) == 20
    many = reply_message(Reply(title="Latest", items=(item,) * 200))["blocks"]
    shown = len(many[1]["elements"][0]["elements"])
    assert many[2]["elements"][0]["text"].startswith(f"{200 - shown} more")
    assert e.size(many) <= e.MAX_SIZE
    five = reply_message(Reply(title="Latest", items=(item,) * 5))["blocks"]
    assert text_of({"blocks": five}).count("Neither side named a figure.") == 5
