"""Dialogs: a channel's subscription and a watch keyword, opened, filled in, refused field by field."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.domain.alerts import Destination, Surface
from bot.domain.subscriptions import Cadence, Quiet, Subscription
from bot.domain.topics import Topic
from bot.domain.watch import Effect
from bot.storage.store import SqlStore
from handlers.forms import SubscriptionForm
from handlers.slack.inputs import filled
from handlers.slack.modals import subscription_from, subscription_modal
from tests.fakes.slack_server import FakeSlack, text_of
from tests.slack.kit import NOON, signed_in

HERE = Destination(surface=Surface.SLACK, address="C1")
FULL = Subscription(
    destination=HERE,
    topics=(Topic.TRADE_DEAL,),
    parties=("IND", "USA"),
    expression="tariff* NOT golf",
    least=0.4,
    cadence=Cadence.DAILY,
    at=time(7, 30),
    quiet=Quiet(start=time(22), end=time(7)),
    zone="Asia/Kolkata",
    cap=5,
    team="T1",
    made_by="slack:UADMIN",
    made_at=NOON,
)


@pytest.fixture
async def store(fake: FakeSlack, tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with signed_in(fake, tmp_path) as (_, store):
        yield store


async def dialog(fake: FakeSlack, user: str = "UADMIN") -> dict[str, Any]:
    count = len(fake.views)
    await fake.typing("subscribe", user=user)
    await fake.until(lambda: len(fake.views) > count)
    return fake.views[-1]


async def test_a_channel_is_subscribed_by_a_dialog(fake: FakeSlack, store: SqlStore) -> None:
    view = await dialog(fake)
    wanted = {
        "topics": ["trade"],
        "parties": "India, United States",
        "only": "tariff* NOT golf",
        "least": "0.4",
        "cadence": "daily",
        "at": "07:30",
        "quiet": "22:00-07:00",
        "cap": "5",
    }
    answer = await fake.submit(view, wanted, user="UADMIN")
    assert answer["response_action"] == "update"
    assert "This channel is subscribed" in text_of(answer["view"])
    made = await store.subscription(HERE)
    assert made is not None
    assert replace(made, made_at=NOON) == FULL


async def test_the_dialog_shows_what_the_channel_gets_now_and_changes_nothing_by_itself(fake: FakeSlack, store: SqlStore) -> None:
    await store.subscribe(FULL)
    view = await dialog(fake)
    await fake.submit(view, {}, user="UADMIN")
    assert await store.subscription(HERE) == FULL


async def test_a_field_can_be_emptied(fake: FakeSlack, store: SqlStore) -> None:
    await store.subscribe(FULL)
    emptied = {"topics": [], "parties": "", "only": "", "least": "", "cadence": "realtime", "at": "", "quiet": "", "zone": "", "cap": ""}
    await fake.submit(await dialog(fake), emptied, user="UADMIN")
    assert await store.subscription(HERE) == Subscription(destination=HERE, team="T1", made_by="slack:UADMIN", made_at=NOON)


async def test_each_mistake_stands_beside_its_field_and_nothing_is_kept(fake: FakeSlack, store: SqlStore) -> None:
    wrong = {"parties": "Atlantis", "only": "tariff AND (", "quiet": "late", "zone": "Moon/Base"}
    answer = await fake.submit(await dialog(fake), wrong, user="UADMIN")
    assert answer["response_action"] == "errors"
    assert set(answer["errors"]) == set(wrong)
    assert "Atlantis" in answer["errors"]["parties"]
    assert "^" in answer["errors"]["only"]
    assert await store.subscription(HERE) is None


async def test_a_new_dialog_proposes_the_zone_of_the_person(fake: FakeSlack, store: SqlStore) -> None:
    zone = next(b for b in (await dialog(fake))["blocks"] if b.get("block_id") == "zone")
    assert zone["element"]["initial_value"] == "Asia/Kolkata"
    assert await store.subscriptions() == []


async def test_who_is_no_admin_is_told_what_the_channel_gets(fake: FakeSlack, store: SqlStore) -> None:
    await store.subscribe(FULL)
    answer = await fake.type("subscribe", user="U1")
    assert "What this channel gets" in answer.text
    assert "India, United States" in answer.text
    assert fake.views == []


async def test_a_listed_admin_gets_the_dialog_too(fake: FakeSlack, store: SqlStore) -> None:
    await dialog(fake, user="ULISTED")
    assert await store.subscriptions() == []


async def test_where_slack_opens_no_dialog_an_admin_is_told_in_words(fake: FakeSlack, store: SqlStore) -> None:
    fake.errors["views.open"] = "expired_trigger_id"
    assert "An admin subscribes it with" in (await fake.type("subscribe", user="UADMIN")).text
    assert await store.subscriptions() == []


async def test_who_lost_the_rank_meanwhile_is_refused_where_the_use_case_runs(fake: FakeSlack, store: SqlStore) -> None:
    view = await dialog(fake)
    answer = await fake.submit(view, {}, user="U1")
    assert "Only admins may do that" in text_of(answer["view"])
    assert await store.subscriptions() == []


async def test_who_subscribes_a_channel_without_the_app_is_told_to_invite_it(fake: FakeSlack, store: SqlStore) -> None:
    fake.outside.add("C1")
    answer = await fake.submit(await dialog(fake), {}, user="UADMIN")
    assert "/invite @attache" in text_of(answer["view"])
    assert "/invite @attache" in (await fake.type("subscribe daily", user="UADMIN")).text
    fake.outside.clear()
    assert "/invite" not in (await fake.type("subscribe daily", user="UADMIN")).text
    fake.channel_errors["C1"] = "channel_not_found"
    assert "/invite" in (await fake.type("subscribe daily", user="UADMIN")).text
    fake.errors["conversations.info"] = "missing_scope"
    assert "/invite" not in (await fake.type("subscribe daily", user="UADMIN")).text
    assert len(await store.subscriptions()) == 1


async def test_what_breaks_under_a_dialog_is_told_with_an_id_that_is_in_the_log(fake: FakeSlack, store: SqlStore) -> None:
    view = await dialog(fake)
    view["private_metadata"] = "no JSON"
    with capture_logs() as logs:
        answer = await fake.submit(view, {}, user="UADMIN")
    (entry,) = [log for log in logs if log["event"] == "slack_command_failed"]
    assert entry["error_id"] in text_of(answer["view"])
    assert await store.subscriptions() == []


async def test_a_form_survives_the_way_through_the_dialog() -> None:
    form = SubscriptionForm(
        topics=("trade", "meeting"), parties="IND", only='"free trade"', least="0.7", cadence="daily", at="08:00", zone="UTC"
    )
    view = subscription_modal(form, "C9")
    fields = {b["block_id"]: b["element"] for b in view["blocks"] if b["type"] == "input"}
    states = {name: {"value": _untouched(element)} for name, element in fields.items()}
    assert subscription_from({**view, "state": {"values": states}}) == ("C9", form)
    assert filled({}) == {}


def _untouched(element: dict[str, Any]) -> dict[str, Any]:
    names = {"checkboxes": "selected_options", "radio_buttons": "selected_option", "timepicker": "selected_time"}
    initial = next((value for key, value in element.items() if key.startswith("initial_")), None)
    return {"type": element["type"], names.get(element["type"], "value"): initial}


async def keyword_dialog(fake: FakeSlack, value: str = "add") -> dict[str, Any]:
    await fake.event({"type": "app_home_opened", "user": "UADMIN", "tab": "home"})
    await fake.until(lambda: "UADMIN" in fake.homes)
    count = len(fake.views)
    await fake.act("home:add" if value == "add" else "home:change", value, user="UADMIN")
    await fake.until(lambda: len(fake.views) > count)
    return fake.views[-1]


async def test_a_keyword_is_added_changed_and_kept_as_it_was_by_a_dialog(fake: FakeSlack, store: SqlStore) -> None:
    answer = await fake.submit(await keyword_dialog(fake), {"term": "Tariff*  steel", "effect": "watch"}, user="UADMIN")
    assert answer["response_action"] == "update"
    (added,) = await store.keywords()
    assert (added.effect, added.added_by) == (Effect.WATCH, "slack:UADMIN")

    value = f'["watch", "", "{added.term}"]'
    fake.homes.clear()
    view = await keyword_dialog(fake, value)
    assert "Nothing was changed" in text_of((await fake.submit(view, {}, user="UADMIN"))["view"])
    assert await store.keywords() == [added]
    await fake.submit(view, {"effect": "mute"}, user="UADMIN")
    assert [(k.term, k.effect) for k in await store.keywords()] == [(added.term, Effect.MUTE)]


async def test_a_mistake_in_a_keyword_leaves_the_old_one(fake: FakeSlack, store: SqlStore) -> None:
    await store.add_keyword("steel", "slack:UADMIN", NOON, effect=Effect.ONLY, channel="slack:C1")
    await store.subscribe(FULL)
    view = await keyword_dialog(fake, '["only", "slack:C1", "steel"]')
    answer = await fake.submit(view, {"term": "steel OR"}, user="UADMIN")
    assert "^" in answer["errors"]["term"]
    assert [k.term for k in await store.keywords()] == ["steel"]
    await fake.submit(view, {"term": "steel OR iron"}, user="UADMIN")
    assert [(k.term, k.effect, k.channel) for k in await store.keywords()] == [("steel OR iron", Effect.ONLY, "slack:C1")]


async def test_a_keyword_that_is_gone_meanwhile_is_said_to_be(fake: FakeSlack, store: SqlStore) -> None:
    await store.add_keyword("steel", "slack:UADMIN", NOON)
    view = await keyword_dialog(fake, '["watch", "", "steel"]')
    await store.remove_keyword("steel", "slack:UOWNER", NOON)
    answer = await fake.submit(view, {"term": "iron"}, user="UADMIN")
    assert "There is no watch keyword" in text_of(answer["view"])
    assert await store.keywords() == []
