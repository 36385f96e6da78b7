"""One golden file for each kind of message and view: what Slack is given, to read as a reader would. Written anew by `python -m tests.slack.test_golden`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.alerts import Destination, Surface
from bot.domain.developments import Coverage
from bot.domain.entries import SourceState
from bot.domain.errors import UsageError
from bot.domain.subscriptions import Cadence, Quiet, Subscription
from bot.domain.topics import Stage, Topic
from bot.domain.watch import Effect, WatchKeyword
from bot.ports import StatusReport
from handlers.commands import failure
from handlers.forms import form_of
from handlers.overview import Overview
from handlers.replies import Button, Item, Offer, Reply
from handlers.slack.digests import digest_message
from handlers.slack.home import home_view
from handlers.slack.modals import keyword_modal, subscription_modal, told
from handlers.slack.render import alert_message, reply_message
from tests.slack.blockkit import message_problems, view_problems
from tests.slack.kit import NOON, Atlas, alert

GOLDEN = Path(__file__).parent / "golden"
SIGNED: dict[str, Any] = {
    "development_id": "d0123456790",
    "headline": "India and United States sign the tariff pact",
    "url": "https://gazette.example/signed",
    "topics": (Topic.TRADE_DEAL,),
    "stage": Stage.SIGNED,
    "status": None,
    "when": date(2026, 4, 9),
    "first_published": NOON + timedelta(days=38),
    "importance": 0.9,
}
STEEL: dict[str, Any] = {
    "development_id": "d0123456791",
    "dossier_id": "trade_deal:ASEAN-IND",
    "headline": "ASEAN and India open talks on steel quotas",
    "url": "https://strait.example/steel",
    "topics": (Topic.TRADE_DEAL,),
    "stage": Stage.PROPOSED,
    "status": None,
    "parties": ("ASEAN", "IND"),
    "people": (),
    "place": None,
    "importance": 0.4,
}
MORE = tuple(
    Coverage(outlet=f"{name} Herald", url=f"https://{name.casefold()}.example/pact", title="A pact", published=NOON)
    for name in ("Delta", "Cape", "Fjord", "Mesa", "Lagoon")
)
CHANNEL = Subscription(
    destination=Destination(surface=Surface.SLACK, address="C0TRADE"),
    topics=(Topic.TRADE_DEAL,),
    parties=("IND",),
    expression="tariff* NOT golf",
    least=0.4,
    cadence=Cadence.DAILY,
    at=time(7, 30),
    quiet=Quiet(start=time(22), end=time(7)),
    zone="Asia/Kolkata",
    cap=5,
    team="T1",
)
FACTS = (("Topics", "trade deals"), ("Countries", "India"), ("When", "a digest every day at 07:30"), ("Time zone", "Asia/Kolkata"))
KEYWORD = WatchKeyword(term='tariff* AND "free trade"', added_by="slack:U0ADMIN", added_at=NOON)
WELL = SourceState(name="Harbour Post", polled=NOON)
ILL = SourceState(name="Quay Gazette", failures=4, problem="timeout: no answer in 20 s", health="failing")
STATUS = StatusReport(entries=120, developments=7, alerts=5, pending=1, failed=0, sources=(WELL, ILL))
ITEM = Item(
    title="India and United States sign the tariff pact", url="https://gazette.example/signed", when=NOON, chips=("Trade deal", "signed")
)


def edited() -> dict[str, Any]:
    first = alert()
    coverage = (*first.development.coverage, *MORE)
    return alert_message(replace(first, development=replace(first.development, coverage=coverage)), Atlas())


def home(admin: bool) -> dict[str, Any]:
    only = replace(KEYWORD, term="steel", effect=Effect.ONLY, channel="slack:C0TRADE")
    overview = Overview(subscriptions=((CHANNEL, FACTS),), keywords=(KEYWORD, only), status=STATUS)
    return home_view(overview, admin=admin, admin_of_all=admin)


MESSAGES: dict[str, Callable[[], dict[str, Any]]] = {
    "alert": lambda: alert_message(alert(), Atlas()),
    "alert_edited": edited,
    "alert_in_thread": lambda: alert_message(alert(follow_up="India and United States move closer to a tariff pact", **SIGNED), Atlas()),
    "digest": lambda: digest_message([alert(**SIGNED), alert(), alert(**STEEL)], Atlas()),
    "reply": lambda: reply_message(Reply(title="Latest developments", items=(ITEM,), note="One of seven.")),
    "reply_error": lambda: reply_message(failure(UsageError("Usage: search WORDS"))),
    "reply_offer": lambda: reply_message(
        Reply(title="Noted, thank you", note="Mute it?", offers=(Offer(button=Button.MUTE, development_id="d0123456789"),))
    ),
}
VIEWS: dict[str, Callable[[], dict[str, Any]]] = {
    "home": lambda: home(False),
    "home_admin": lambda: home(True),
    "modal_subscription": lambda: subscription_modal(form_of(CHANNEL), "C0TRADE"),
    "modal_keyword": lambda: keyword_modal(KEYWORD),
    "modal_done": lambda: told(Reply(title="This channel is subscribed", facts=FACTS)),
}


def written(payload: dict[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=False, indent=2) + "\n"


@pytest.mark.parametrize("name", [*MESSAGES, *VIEWS])
def test_each_kind_is_as_it_was_read_and_approved(name: str) -> None:
    made = (MESSAGES | VIEWS)[name]()
    assert written(made) == (GOLDEN / f"{name}.json").read_text(encoding="utf-8")


def test_no_golden_file_is_left_over_and_all_keep_the_limits() -> None:
    assert {file.stem for file in GOLDEN.glob("*.json")} == {*MESSAGES, *VIEWS}
    assert [problem for make in MESSAGES.values() for problem in message_problems(make())] == []
    assert [problem for make in VIEWS.values() for problem in view_problems(make())] == []


def test_the_checker_finds_what_is_wrong() -> None:
    message = alert_message(alert(), Atlas())
    spoiled = json.loads(written(message))
    spoiled["blocks"][-1]["elements"][0]["text"]["text"] = "x" * 76
    spoiled["blocks"][0]["elements"][0]["elements"] = []
    spoiled["blocks"].append({"type": "header", "text": {"type": "mrkdwn", "text": "x"}})
    assert len(message_problems(spoiled)) == 3
    assert message_problems({"text": "x", "blocks": [message["blocks"][0]] * 51})
    view = subscription_modal(form_of(CHANNEL), "C0TRADE")
    assert view_problems({**view, "title": {"type": "plain_text", "text": "x" * 25}})
    assert view_problems({key: value for key, value in view.items() if key != "submit"})


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, make in (MESSAGES | VIEWS).items():
        (GOLDEN / f"{name}.json").write_text(written(make()), encoding="utf-8")
