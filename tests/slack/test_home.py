"""The home tab: what it shows to whom, its buttons, and that it shows a change without being opened again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.domain.alerts import Destination, Surface
from bot.domain.entries import SourceState
from bot.domain.subscriptions import Subscription
from bot.domain.watch import Effect, WatchKeyword
from bot.ports import StatusReport
from bot.storage.store import SqlStore
from handlers.overview import Overview
from handlers.slack.home import MAX_KEYWORDS, MAX_SOURCES, MAX_SUBSCRIPTIONS, MAX_VIEW_BLOCKS, home_view
from tests.fakes.slack_server import FakeSlack, text_of
from tests.slack.blockkit import view_problems
from tests.slack.kit import NOON, running, signed_in, surface
from tests.storage.kit import opened

HERE = Subscription(destination=Destination(surface=Surface.SLACK, address="C1"), team="T1", made_by="slack:UADMIN", made_at=NOON)
ELSEWHERE = replace(HERE, destination=Destination(surface=Surface.SLACK, address="C9"), team="T9")
DISCORD = replace(HERE, destination=Destination(surface=Surface.DISCORD, address="42"), team="7")
EMPTY = StatusReport(entries=0, developments=0, alerts=0, pending=0, failed=0)


@pytest.fixture
async def store(fake: FakeSlack, tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with signed_in(fake, tmp_path) as (_, store):
        yield store


async def shown(fake: FakeSlack, user: str) -> dict[str, Any]:
    fake.homes.pop(user, None)
    await fake.event({"type": "app_home_opened", "user": user, "tab": "home"})
    await fake.until(lambda: user in fake.homes)
    return fake.homes[user]


def channels(view: dict[str, Any]) -> list[str]:
    rows = [x for b in view["blocks"] if b["type"] == "rich_text" for part in b["elements"] for x in part["elements"]]
    return [x["channel_id"] for x in rows if x["type"] == "channel"]


def actions(view: dict[str, Any]) -> list[str]:
    return [x["action_id"] for b in view["blocks"] if b["type"] == "actions" for x in b["elements"]]


async def test_everybody_sees_the_channels_of_their_workspace_and_the_keywords(fake: FakeSlack, store: SqlStore) -> None:
    for subscription in (HERE, ELSEWHERE, DISCORD):
        await store.subscribe(subscription)
    await store.add_keyword("tariff*", "slack:UADMIN", NOON)
    await store.add_keyword("golf", "discord:1", NOON, effect=Effect.ONLY, channel="slack:C9")
    view = await shown(fake, "U1")
    assert channels(view) == ["C1"]
    assert "tariff*" in text_of(view)
    assert "golf" not in text_of(view)
    assert "When: at once" in text_of(view)
    assert actions(view) == []


async def test_an_admin_sees_buttons(fake: FakeSlack, store: SqlStore) -> None:
    await store.subscribe(HERE)
    await store.add_keyword("tariff*", "slack:UADMIN", NOON)
    view = await shown(fake, "UADMIN")
    assert actions(view) == ["home:edit", "home:unsubscribe", "home:subscribe", "home:change", "home:remove", "home:add"]


async def test_only_the_admins_of_the_home_workspace_see_buttons_at_what_is_everybodys(fake: FakeSlack, tmp_path: Path) -> None:
    async with opened(tmp_path) as store, running(surface(fake, store, home="T2")):
        await store.add_keyword("tariff*", "slack:UADMIN", NOON)
        assert actions(await shown(fake, "UADMIN")) == ["home:subscribe"]
        assert "Only admins" in (await fake.type("watch add steel", user="UADMIN")).text
        assert "Added" in (await fake.type("watch only steel", user="UADMIN")).text
        assert "Removed" in (await fake.type("watch remove steel", user="UADMIN")).text
        assert "subscribed" in (await fake.type("subscribe daily", user="UADMIN")).text
        assert "Only admins" in (await fake.type("watch remove tariff*", user="UADMIN")).text


async def test_another_tab_is_none_of_ours(fake: FakeSlack, store: SqlStore) -> None:
    await fake.event({"type": "app_home_opened", "user": "U1", "tab": "messages"})
    await shown(fake, "UADMIN")
    assert "U1" not in fake.homes
    assert await store.subscriptions() == []


async def test_a_change_from_the_chat_is_seen_at_once(fake: FakeSlack, store: SqlStore) -> None:
    await shown(fake, "U1")
    await fake.type("watch add steel", user="UADMIN")
    await fake.until(lambda: "steel" in text_of(fake.homes["U1"]))
    await fake.type("subscribe daily", user="UADMIN", channel="C5")
    await fake.until(lambda: channels(fake.homes["U1"]) == ["C5"])
    assert len(await store.subscriptions()) == 1


async def test_a_channel_is_edited_and_unsubscribed_from_the_tab(fake: FakeSlack, store: SqlStore) -> None:
    await store.subscribe(HERE)
    await shown(fake, "UADMIN")
    await fake.act("home:edit", "C1", user="UADMIN")
    await fake.until(lambda: fake.views)
    answer = await fake.submit(fake.views[0], {"cap": "3"}, user="UADMIN")
    assert "At most: \n3 an hour" in text_of(answer["view"])
    await fake.until(lambda: "At most: 3 an hour" in text_of(fake.homes["UADMIN"]))
    await fake.act("home:unsubscribe", "C1", user="UADMIN")
    await fake.until(lambda: "No channel is subscribed yet" in text_of(fake.homes["UADMIN"]))
    assert await store.subscriptions() == []


async def test_a_channel_is_chosen_and_subscribed_from_the_tab(fake: FakeSlack, store: SqlStore) -> None:
    await shown(fake, "UADMIN")
    await fake.act("home:subscribe", "subscribe", user="UADMIN")
    await fake.until(lambda: fake.views)
    await fake.submit(fake.views[0], {"channel": "C7"}, user="UADMIN")
    await fake.until(lambda: channels(fake.homes["UADMIN"]) == ["C7"])
    assert [str(s.destination) for s in await store.subscriptions()] == ["slack:C7"]


async def test_a_keyword_is_removed_from_the_tab(fake: FakeSlack, store: SqlStore) -> None:
    await store.add_keyword("tariff*", "slack:UADMIN", NOON)
    await shown(fake, "UADMIN")
    value = '["watch", "", "tariff*"]'
    await fake.act("home:remove", value, user="UADMIN")
    await fake.until(lambda: "None yet." in text_of(fake.homes["UADMIN"]))
    assert await store.keywords() == []
    await fake.deliver_action("home:remove", value, user="UADMIN")  # somebody was faster
    assert fake.views == []


@pytest.mark.parametrize(
    ("action", "value"), [("home:unsubscribe", "C1"), ("home:edit", "C1"), ("home:remove", '["watch", "", "tariff*"]')]
)
async def test_a_button_that_was_there_before_the_rank_was_lost_is_refused(
    fake: FakeSlack, store: SqlStore, action: str, value: str
) -> None:
    await store.subscribe(HERE)
    await store.add_keyword("tariff*", "slack:UADMIN", NOON)
    await fake.deliver_action(action, value, user="U1")
    await fake.until(lambda: fake.views)
    assert "Only admins may do that" in text_of(fake.views[0])
    assert (len(await store.subscriptions()), len(await store.keywords())) == (1, 1)


async def test_a_button_that_nobody_knows_is_told_with_an_id(fake: FakeSlack, store: SqlStore) -> None:
    with capture_logs() as logs:
        await fake.deliver_action("home:dance", "x", user="U1")
        await fake.until(lambda: fake.views)
    (entry,) = [log for log in logs if log["event"] == "slack_command_failed"]
    assert entry["error_id"] in text_of(fake.views[0])
    assert await store.subscriptions() == []


async def test_a_tab_that_slack_does_not_take_is_in_the_log(fake: FakeSlack, store: SqlStore) -> None:
    fake.errors["views.publish"] = "not_enabled"
    with capture_logs() as logs:
        await fake.event({"type": "app_home_opened", "user": "U1", "tab": "home"})
        await fake.until(lambda: "views.publish" in [method for method, _ in fake.spoken])
        await fake.type("status")
    assert [log["code"] for log in logs if log["event"] == "slack_home_not_published"] == ["not_enabled"]
    assert await store.subscriptions() == []


def test_what_does_not_fit_is_counted() -> None:
    places = [replace(HERE, destination=Destination(surface=Surface.SLACK, address=f"C{n}")) for n in range(40)]
    keywords = [WatchKeyword(term="word " * 79 + str(n), added_by="discord:1", added_at=NOON) for n in range(200)]
    sources = [SourceState(name=f"Paper {n}", failures=9, problem="timeout: " + "no answer " * 90, health="failing") for n in range(300)]
    overview = Overview(
        subscriptions=tuple((s, (("Topics", "all"), ("Only what matches", "tariff " * 57))) for s in places),
        keywords=tuple(keywords),
        status=replace(EMPTY, sources=tuple(sources)),
    )
    view = home_view(overview, admin=True, admin_of_all=True)
    assert view_problems(view) == []
    assert len(view["blocks"]) <= MAX_VIEW_BLOCKS
    for left in (40 - MAX_SUBSCRIPTIONS, 200 - MAX_KEYWORDS, 300 - MAX_SOURCES):
        assert f"{left} more are not shown here." in text_of(view)


def test_a_fresh_installation_has_a_home_too() -> None:
    view = home_view(Overview(subscriptions=(), keywords=(), status=EMPTY), admin=False, admin_of_all=False)
    assert view_problems(view) == []
    assert "none was read yet" in text_of(view)
