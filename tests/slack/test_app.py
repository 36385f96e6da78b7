"""The real slack-bolt on a local Slack: commands typed and answered, by Socket Mode and over HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from icalendar import Calendar
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient
from structlog.testing import capture_logs

from bot.domain.errors import SettingsError, TemporaryDeliveryError
from bot.domain.topics import Status
from bot.storage.store import SqlStore
from handlers.grammar import Name
from handlers.slack.app import SlackSurface
from handlers.slack.once import Once, Recent
from handlers.slack.payloads import typed
from handlers.slack.sender import SlackSender
from handlers.slack.transport import Scrubber
from handlers.slack.workspaces import OneWorkspace
from tests.fakes.slack_server import FakeSlack, text_of
from tests.slack.kit import Atlas, Shelf, announce, delivery, development, running, surface
from tests.storage.kit import opened

ACK = 0.3  # seconds
LINES = [
    ("latest 3 trade india", "Latest developments: Trade deal · India"),
    ("search tariff", "India and United States move closer to a tariff pact & settle farm goods"),
    ("timeline India, United States", "Timeline: India – United States"),
    ("why d77", "There is no such entry"),
    ("watch list", "No watch keywords yet"),
    ("sources", "is not answered here"),
    ("status", "Harbour Post"),
    ("subscribe daily", "Only admins may do that"),
    ("unsubscribe", "Only admins may do that"),
    ("mute d1", "Only admins may do that"),
    ("digest now", "Only admins may do that"),
    ("story d1", "There is no such development"),
    ("upcoming", "No planned meeting"),
    ("help", "latest [n] [trade|meeting] [country…]"),
    ("", "Commands"),
    ("latst", "There is no command “latst”"),
    ("latest 99", "n is 1 to 20"),
]


def sender_to(fake: FakeSlack) -> SlackSender:
    return SlackSender(OneWorkspace(AsyncWebClient(token=fake.bot_token, base_url=fake.api_url, retry_handlers=[])), Atlas())


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(development())


@pytest.fixture
async def socket(fake: FakeSlack, shelf: Shelf) -> AsyncIterator[None]:
    async with running(surface(fake, shelf)):
        yield


@pytest.mark.parametrize(("line", "expected"), LINES)
@pytest.mark.usefixtures("socket")
async def test_each_command_is_answered(fake: FakeSlack, line: str, expected: str) -> None:
    command = await fake.type(line)
    assert command.ack_seconds < ACK
    assert expected in command.text
    assert (command.answer["response_type"], command.answer["replace_original"]) == ("ephemeral", False)


def test_every_command_is_tried_above() -> None:
    assert {line.split()[0] for line, _ in LINES if line} >= set(Name)


@pytest.mark.usefixtures("socket")
async def test_only_admins_change_the_watch_keywords(fake: FakeSlack, shelf: Shelf) -> None:
    refused = await fake.type("watch add rare earths", user="U1")
    assert "Only admins may do that" in refused.text
    assert refused.text.startswith("⚠️")
    assert shelf.terms == []
    for user, term in (("UADMIN", "rare-earths"), ("UOWNER", "steel"), ("ULISTED", "ports")):
        assert f"Added “{term}”" in (await fake.type(f"watch add {term}", user=user)).text
    assert [k.added_by for k in shelf.terms] == ["slack:UADMIN", "slack:UOWNER", "slack:ULISTED"]
    await fake.type("watch remove steel", user="UADMIN")
    assert [k.term for k in shelf.terms] == ["rare-earths", "ports"]
    asked = [arguments["user"] for method, arguments, _ in fake.calls if method == "users.info"]
    assert asked == ["U1", "UADMIN", "UOWNER", "ULISTED"]


@pytest.mark.usefixtures("socket")
async def test_without_the_scope_nobody_is_an_admin_but_the_listed(fake: FakeSlack) -> None:
    fake.missing_scopes.add("users.info")
    assert "Only admins" in (await fake.type("watch add steel", user="UADMIN")).text
    assert "Added" in (await fake.type("watch add steel", user="ULISTED")).text
    fake.missing_scopes.clear()
    assert "Added" in (await fake.type("watch add ports", user="UADMIN")).text


@pytest.mark.usefixtures("socket")
async def test_reading_asks_slack_nothing(fake: FakeSlack) -> None:
    before = len(fake.calls)
    await fake.type("watch list")
    await fake.type("latest")
    assert len(fake.calls) == before


@pytest.mark.usefixtures("socket")
async def test_a_slow_answer_is_acknowledged_first(fake: FakeSlack, shelf: Shelf) -> None:
    shelf.slow = 0.6
    command = await fake.type("latest")
    assert command.ack_seconds < ACK
    assert command.answer_seconds >= shelf.slow


@pytest.mark.usefixtures("socket")
async def test_what_breaks_is_answered_with_an_id_that_is_in_the_log(fake: FakeSlack, shelf: Shelf) -> None:
    shelf.broken = RuntimeError("xoxb-secret-of-the-store")
    with capture_logs() as logs:
        command = await fake.type("latest")
    (entry,) = [log for log in logs if log["event"] == "slack_command_failed"]
    assert entry["error_id"] in command.text
    assert command.text.startswith("⚠️")
    assert "xoxb" not in command.text


@pytest.mark.usefixtures("socket")
async def test_the_same_event_is_handled_once(fake: FakeSlack, shelf: Shelf) -> None:
    command = fake.command("latest")
    for envelope, retry in (("e1", None), ("e1", None), ("e2", 1)):
        await asyncio.wait_for(await fake.deliver(command, envelope=envelope, retry=retry), 2.0)
    await fake.type("latest 2")
    assert fake.acks[:3] == ["e1", "e1", "e2"]
    assert shelf.asked == 2


@pytest.mark.usefixtures("socket")
async def test_the_same_words_typed_twice_are_two_commands(fake: FakeSlack, shelf: Shelf) -> None:
    await fake.type("latest")
    await fake.type("latest")
    assert shelf.asked == 2


@pytest.mark.usefixtures("socket")
async def test_it_comes_back_when_slack_asks_for_it(fake: FakeSlack) -> None:
    await fake.disconnect("refresh_requested")
    await fake.connected(count=2)
    assert "Status" in (await fake.type("status")).text


@pytest.mark.usefixtures("socket")
async def test_it_comes_back_when_the_socket_breaks(fake: FakeSlack) -> None:
    await fake.drop()
    await fake.connected(count=2)
    assert "Status" in (await fake.type("status")).text


async def test_it_stops_in_time_though_slack_does_not_answer_the_close(fake: FakeSlack, shelf: Shelf) -> None:
    fake.deaf = True
    async with running(surface(fake, shelf)):
        started = time.perf_counter()
    assert time.perf_counter() - started < 2.0


async def test_it_waits_for_a_slack_that_is_away(fake: FakeSlack, shelf: Shelf) -> None:
    fake.away = 1
    async with running(surface(fake, shelf)):
        assert [method for method, _, _ in fake.calls] == ["auth.test", "auth.test", "apps.connections.open"]


async def test_its_sender_calls_once_and_leaves_retries_to_the_outbox(fake: FakeSlack, shelf: Shelf) -> None:
    fake.fail(received=True)
    with pytest.raises(TemporaryDeliveryError):
        await surface(fake, shelf).sender.send(delivery())
    assert len(fake.messages) == 1


async def test_it_stops_within_two_seconds_with_an_answer_under_way(fake: FakeSlack, shelf: Shelf) -> None:
    shelf.slow = 30.0
    slack = surface(fake, shelf)
    async with running(slack):
        await asyncio.wait_for(await fake.deliver(fake.command("latest")), 2.0)
        started = time.perf_counter()
    assert time.perf_counter() - started < 2.0
    assert not slack.ready.is_set()
    left = [t.get_coro() for t in asyncio.all_tasks() if "slack_sdk" in repr(t.get_coro()) or "handlers" in repr(t.get_coro())]
    assert left == []


@pytest.mark.parametrize(
    ("argument", "variable"),
    [
        ({"bot_token": SecretStr("xoxb-wrong")}, "SLACK_BOT_TOKEN"),
        ({"app_token": SecretStr("xapp-wrong")}, "SLACK_APP_TOKEN"),
        ({"app_token": None}, "SLACK_APP_TOKEN"),
    ],
)
async def test_a_wrong_token_names_its_variable(fake: FakeSlack, shelf: Shelf, argument: dict[str, object], variable: str) -> None:
    with pytest.raises(SettingsError) as raised:
        async with running(surface(fake, shelf, **argument)):
            pytest.fail("it must not start")
    assert raised.value.variable == variable
    assert "wrong" not in str(raised.value)


async def test_a_wrong_address_names_its_variable(fake: FakeSlack, shelf: Shelf) -> None:
    fake.statuses["auth.test"] = 404
    with pytest.raises(SettingsError, match="SLACK_API_URL: "):
        await surface(fake, shelf).run()


async def test_http_mode_answers_what_slack_signed(fake: FakeSlack, shelf: Shelf) -> None:
    async with running(http(fake, shelf)) as slack:
        command = await fake.type_http(f"http://127.0.0.1:{slack.port}/slack/events", "latest 3 trade")
    assert command.status == 200
    assert command.ack_seconds < ACK
    assert "tariff pact" in command.text
    assert "apps.connections.open" not in [method for method, _, _ in fake.calls]


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"secret": "another"}, 401),
        ({"age": 600.0}, 401),
        ({"age": -600.0}, 401),
        ({"headers": {"X-Slack-Request-Timestamp": "noon"}}, 401),
        ({"headers": {"X-Slack-Signature": "v0=é"}}, 401),
        ({"headers": {"X-Slack-Signature": ""}}, 401),
    ],
)
async def test_http_mode_refuses_what_slack_did_not_sign_lately(
    fake: FakeSlack, shelf: Shelf, how: dict[str, str | float | dict[str, str]], status: int
) -> None:
    async with running(http(fake, shelf)) as slack:
        command = await fake.type_http(f"http://127.0.0.1:{slack.port}/slack/events", "latest", **how)  # type: ignore[arg-type]  # one of several
    assert command.status == status
    assert shelf.asked == 0


async def test_http_mode_bounds_bodies_and_says_it_lives(fake: FakeSlack, shelf: Shelf) -> None:
    async with running(http(fake, shelf)) as slack, aiohttp.ClientSession(f"http://127.0.0.1:{slack.port}") as session:
        async with session.get("/healthz") as response:
            assert (response.status, await response.json()) == (200, {"ok": True})
        async with session.post("/slack/events", data=b"x" * 300_000) as response:
            assert response.status == 413
        binary = b"\xff\xfe"
        async with session.post("/slack/events", data=binary, headers=fake.signed("")) as response:
            assert response.status == 401
    assert shelf.asked == 0


async def test_a_replayed_request_is_handled_once(fake: FakeSlack, shelf: Shelf) -> None:
    body = urlencode(fake.command("latest"))
    headers = fake.signed(body)
    async with running(http(fake, shelf)) as slack, aiohttp.ClientSession(f"http://127.0.0.1:{slack.port}") as session:
        for _ in range(3):
            async with session.post("/slack/events", data=body, headers=headers) as response:
                assert response.status == 200
        await fake.type_http(f"http://127.0.0.1:{slack.port}/slack/events", "latest 2")
    assert shelf.asked == 2


async def test_a_port_that_is_taken_names_its_variable(fake: FakeSlack, shelf: Shelf) -> None:
    async with running(http(fake, shelf)) as slack:
        with pytest.raises(SettingsError, match="PORT: "):
            await surface(fake, shelf, signing_secret=SecretStr(fake.signing_secret), port=slack.port).run()


def http(fake: FakeSlack, shelf: Shelf | SqlStore) -> SlackSurface:
    return surface(fake, shelf, app_token=None, signing_secret=SecretStr(fake.signing_secret), port=0)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("why <https://a.example/x?a=1&amp;b=2|a.example>", "why https://a.example/x?a=1&b=2"),
        ("search <#C1|trade> <@U1|asha> <!here> <mailto:a@b.example|a@b.example>", "search #trade @asha @here a@b.example"),
        (" search a &lt;b&gt; &amp;lt; ", "search a <b> &lt;"),
    ],
)
def test_a_command_is_read_as_typed(words: str, line: str) -> None:
    assert typed(words) == line


def test_once_forgets_the_oldest() -> None:
    once = Once()
    assert once.first("a")
    assert not once.first("a")
    assert all(once.first(str(n)) for n in range(2_000))
    assert once.first("a")


def test_who_is_seen_again_is_remembered_longer() -> None:
    recent = Recent(2)
    assert [recent.see(name) for name in "abac"] == [True, True, False, True]
    assert list(recent) == ["a", "c"]


def test_the_libraries_log_no_secret() -> None:
    try:
        raise ValueError("xoxb-1-secret")
    except ValueError as error:
        record = logging.LogRecord("slack", logging.ERROR, "", 0, "failed: %s at wss://x/?ticket=abc-1&n=1", (error,), None)
    assert Scrubber().filter(record)
    assert record.getMessage() == "failed: *** at wss://x/?ticket=***&n=1"


@pytest.mark.usefixtures("socket")
async def test_the_buttons_of_an_alert_answer_whoever_presses_them(fake: FakeSlack, shelf: Shelf) -> None:
    await sender_to(fake).send(delivery())
    (message,) = fake.messages
    noted = await fake.press(message, "attache:useful", user="U2")
    assert noted.ack_seconds < ACK
    assert "Noted, thank you" in noted.text
    assert [(f.development_id, f.actor, str(f.destination), f.useful) for f in shelf.said] == [
        ("d0123456789", "slack:U2", "slack:C1", True)
    ]
    assert "There is no such entry" in (await fake.press(message, "attache:why")).text
    assert "Only admins may do that" in (await fake.press(message, "attache:mute", user="U1")).text
    assert "Muted in this channel" in (await fake.press(message, "attache:mute", user="UADMIN")).text
    assert [(str(m.destination), m.dossier_id) for m in shelf.muted] == [("slack:C1", "trade_deal:IND-USA")]


@pytest.mark.usefixtures("socket")
async def test_after_three_times_not_relevant_the_bot_offers_to_mute(fake: FakeSlack) -> None:
    await sender_to(fake).send(delivery())
    (message,) = fake.messages
    answers = [await fake.press(message, "attache:not_relevant", user=f"U{n}") for n in range(3)]
    assert ["Mute it?" in a.text for a in answers] == [False, False, True]
    offered = [b for b in answers[-1].answer["blocks"] if b["type"] == "actions"]
    assert [(x["action_id"], x["value"]) for x in offered[0]["elements"]] == [("attache:mute", "d0123456789")]


@pytest.mark.usefixtures("socket")
async def test_an_answer_is_shared_when_asked(fake: FakeSlack) -> None:
    assert (await fake.type("latest --share")).answer["response_type"] == "in_channel"


@pytest.mark.usefixtures("socket")
async def test_the_picture_goes_where_the_answer_goes(fake: FakeSlack, shelf: Shelf) -> None:
    shelf.held.append(development(development_id="d2"))
    alone = await fake.type("timeline India, United States", user="U7")
    assert "timeline.png: in your messages with this app." in alone.text
    assert "timeline.png: in this channel." in (await fake.type("timeline India, United States --share", user="U7")).text
    assert [(channel, title, content[:4]) for channel, title, content in fake.files] == [
        ("DU7", "timeline.png", b"\x89PNG"),
        ("C1", "timeline.png", b"\x89PNG"),
    ]
    fake.missing_scopes.add("conversations.open")
    assert "could not be uploaded" in (await fake.type("timeline India, United States")).text


@pytest.mark.usefixtures("socket")
async def test_planned_meetings_come_as_a_calendar_too(fake: FakeSlack, shelf: Shelf) -> None:
    shelf.planned.append(development(status=Status.PLANNED))
    assert "upcoming.ics" in (await fake.type("upcoming")).text
    ((_, _, content),) = fake.files
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    assert (event["UID"], event["LOCATION"], event.decoded("DTSTART")) == ("d0123456789@attache", "Kuala Lumpur", date(2026, 3, 1))


async def test_a_button_answers_after_a_restart_from_its_payload_alone(fake: FakeSlack, tmp_path: Path) -> None:
    async with opened(tmp_path) as store, running(surface(fake, store)) as slack:
        await announce(store, development())
        await slack.sender.send(delivery())
    (message,) = fake.messages
    async with opened(tmp_path) as store, running(surface(fake, store)):
        assert "Noted, thank you" in (await fake.press(message, "attache:useful")).text
        assert [f.actor for f in await store.feedback()] == ["slack:U1"]
        assert "Muted in this channel" in (await fake.press(message, "attache:mute", user="UADMIN")).text
        assert [m.dossier_id for m in await store.mutes()] == [development().dossier_id]


async def test_http_mode_takes_buttons_dialogs_and_events_and_each_retry_once(fake: FakeSlack, tmp_path: Path) -> None:
    async with opened(tmp_path) as store, running(http(fake, store)) as slack:
        url = f"http://127.0.0.1:{slack.port}/slack/events"
        await announce(store, development())
        await slack.sender.send(delivery())
        press = fake.pressed(fake.messages[0], "attache:useful")
        for _ in range(2):
            assert (await fake.post_http(url, press))[0] == 200
        await fake.answered(1)
        await fake.post_http(url, fake.command("subscribe", user="UADMIN"))
        await fake.until(lambda: fake.views)
        status, body = await fake.post_http(url, fake.submitted(fake.views[0], {"zone": "Moon/Base"}, user="UADMIN"))
        assert (status, json.loads(body)["response_action"], list(json.loads(body)["errors"])) == (200, "errors", ["zone"])
        status, body = await fake.post_http(url, fake.submitted(fake.views[0], {"cap": "7"}, user="UADMIN"))
        assert (status, json.loads(body)["response_action"]) == (200, "update")
        await fake.post_http(url, fake.told({"type": "app_home_opened", "user": "U1", "tab": "home"}))
        await fake.until(lambda: "U1" in fake.homes)
        assert [s.cap for s in await store.subscriptions()] == [7]
    assert len(fake.answers) == 1


async def test_an_event_address_is_confirmed(fake: FakeSlack, shelf: Shelf) -> None:
    """https://docs.slack.dev/reference/events/url_verification"""
    body = json.dumps({"type": "url_verification", "challenge": "quay"})
    headers = fake.signed(body) | {"Content-Type": "application/json"}
    async with (
        running(http(fake, shelf)) as slack,
        aiohttp.ClientSession(f"http://127.0.0.1:{slack.port}") as session,
        session.post("/slack/events", data=body, headers=headers) as response,
    ):
        assert (response.status, json.loads(await response.text())) == (200, {"challenge": "quay"})


@pytest.mark.usefixtures("socket")
async def test_a_button_that_nobody_knows_is_told_with_an_id(fake: FakeSlack) -> None:
    await sender_to(fake).send(delivery())
    (message,) = fake.messages
    payload = fake.pressed(message, "attache:useful")
    payload["actions"][0]["action_id"] = "attache:dance"
    with capture_logs() as logs:
        await asyncio.wait_for(await fake.deliver(payload, kind="interactive"), 2.0)
        await fake.answered(1)
    (entry,) = [log for log in logs if log["event"] == "slack_command_failed"]
    assert entry["error_id"] in text_of(fake.answers[0])


@pytest.mark.usefixtures("socket")
async def test_a_mistake_is_never_shared(fake: FakeSlack) -> None:
    assert (await fake.type("latest 99 --share")).answer["response_type"] == "ephemeral"


@pytest.mark.parametrize(("lost", "event"), [(404, "slack_answer_refused"), ("drop", "slack_answer_lost")])
@pytest.mark.usefixtures("socket")
async def test_an_answer_that_slack_does_not_take_is_in_the_log(fake: FakeSlack, lost: int | str, event: str) -> None:
    fake.lost = lost
    with capture_logs() as logs:
        await fake.typing("status")
        await fake.answered(1)
        async with asyncio.timeout(5.0):
            while event not in [log["event"] for log in logs]:  # noqa: ASYNC110  (slack_sdk tries once more, and tells nobody)
                await asyncio.sleep(0.01)
    assert [log["event"] for log in logs] == [event]


async def test_notices_go_into_the_channel_that_is_named(fake: FakeSlack, shelf: Shelf) -> None:
    await surface(fake, shelf).notifier("C9").notify("Wire is quiet.")
    assert [m.channel for m in fake.messages] == ["C9"]


@pytest.mark.usefixtures("socket")
async def test_a_press_that_comes_again_is_handled_once(fake: FakeSlack, shelf: Shelf) -> None:
    await sender_to(fake).send(delivery())
    payload = fake.pressed(fake.messages[0], "attache:useful")
    for envelope, retry in (("e1", None), ("e1", None), ("e2", 1)):
        await asyncio.wait_for(await fake.deliver(payload, envelope=envelope, retry=retry, kind="interactive"), 2.0)
    await fake.answered(1)
    await fake.type("status")
    assert len(shelf.said) == 1
    assert len(fake.answers) == 2
