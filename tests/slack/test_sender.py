"""The sender against a server that fails on demand: what it posts, what it raises, and that a second attempt posts no second message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import FinalDeliveryError, TemporaryDeliveryError
from handlers.slack.looking import EVENT_TYPE
from handlers.slack.sender import SlackSender
from handlers.slack.workspaces import OneWorkspace
from tests.fakes.slack_server import FakeSlack
from tests.slack.kit import Atlas, delivery


def sender_to(url: str, token: str = FakeSlack.bot_token, seconds: float = 20.0) -> SlackSender:
    return SlackSender(OneWorkspace(AsyncWebClient(token=token, base_url=url, retry_handlers=[])), Atlas(), seconds)


async def test_an_alert_is_posted_with_its_key(fake: FakeSlack) -> None:
    receipt = await sender_to(fake.api_url).send(delivery())
    (message,) = fake.messages
    assert (message.channel, message.ts, message.thread_ts) == ("C1", receipt.message_id, None)
    assert message.metadata == {"event_type": EVENT_TYPE, "event_payload": {"key": delivery().key, "development": "d0123456789"}}
    assert (message.payload["unfurl_links"], message.payload["unfurl_media"]) == (False, False)
    assert [method for method, _, _ in fake.calls] == ["chat.postMessage"]


async def test_a_follow_up_goes_into_the_thread(fake: FakeSlack) -> None:
    first = await sender_to(fake.api_url).send(delivery())
    await sender_to(fake.api_url).send(delivery(thread=first.message_id, development_id="d2"))
    assert [m.thread_ts for m in fake.messages] == [None, first.message_id]


async def test_a_follow_up_whose_thread_is_gone_goes_into_the_channel(fake: FakeSlack) -> None:
    fake.fail(error="thread_not_found")
    await sender_to(fake.api_url).send(delivery(thread="1.1"))
    assert [m.thread_ts for m in fake.messages] == [None]
    again = await sender_to(fake.api_url).send(delivery(attempts=2, thread="1.1"))
    assert [m.ts for m in fake.messages] == [again.message_id]


async def test_a_message_that_arrived_unanswered_is_not_sent_again(fake: FakeSlack) -> None:
    fake.fail(received=True)
    with pytest.raises(TemporaryDeliveryError, match="connection"):
        await sender_to(fake.api_url).send(delivery())
    receipt = await sender_to(fake.api_url).send(delivery(attempts=2))
    assert [m.ts for m in fake.messages] == [receipt.message_id]


async def test_it_is_found_on_a_later_page_and_in_a_thread(fake: FakeSlack) -> None:
    fake.page_size = 2
    sender = sender_to(fake.api_url)
    root = await sender.send(delivery())
    for number in range(3):
        await sender.send(delivery(development_id=f"d{number}"))
        await sender.send(delivery(development_id=f"t{number}", thread=root.message_id))
    fake.fail(received=True)
    with pytest.raises(TemporaryDeliveryError):
        await sender.send(delivery(development_id="t9", thread=root.message_id))
    count = len(fake.messages)
    assert (await sender.send(delivery(attempts=2))).message_id == root.message_id
    assert (await sender.send(delivery(attempts=2, development_id="t9", thread=root.message_id))).message_id == fake.messages[-1].ts
    assert len(fake.messages) == count


async def test_a_message_that_never_arrived_is_sent_again(fake: FakeSlack) -> None:
    fake.fail(drop=True)
    with pytest.raises(TemporaryDeliveryError):
        await sender_to(fake.api_url).send(delivery())
    assert fake.messages == []
    await sender_to(fake.api_url).send(delivery(attempts=2))
    assert len(fake.messages) == 1


async def test_without_the_scope_to_look_it_sends(fake: FakeSlack) -> None:
    fake.missing_scopes.add("conversations.history")
    await sender_to(fake.api_url).send(delivery(attempts=2))
    assert len(fake.messages) == 1


@pytest.mark.parametrize(
    ("how", "wait"),
    [
        ({"status": 429, "retry_after": 7}, 7.0),
        ({"status": 429}, 30.0),
        ({"status": 429, "retry_after": "soon"}, 30.0),
        ({"status": 429, "asks": 45}, 45.0),
        ({"status": 429, "asks": 2.5, "retry_after": 4}, 4.0),
        ({"status": 429, "asks": "soon", "retry_after": "nan"}, 30.0),
        ({"status": 503, "retry_after": 9}, 9.0),
        ({"error": "ratelimited", "retry_after": 3}, 3.0),
        ({"status": 500}, None),
        ({"status": 503, "error": "service_unavailable"}, None),
        ({"error": "internal_error"}, None),
        ({"drop": True}, None),
        ({"body": "Service for you soon", "kind": "text/plain"}, None),
        ({"body": "<html>Sign in</html>", "kind": "text/html"}, None),
        ({"body": "{cut", "kind": "application/json"}, None),
    ],
)
async def test_what_passes_is_temporary(fake: FakeSlack, how: dict[str, Any], wait: float | None) -> None:
    fake.fail(**how)
    with pytest.raises(TemporaryDeliveryError) as raised:
        await sender_to(fake.api_url).send(delivery())
    assert raised.value.retry_after == wait
    assert fake.messages == []
    assert len(fake.calls) == 1


@pytest.mark.parametrize(
    "code",
    ["channel_not_found", "not_in_channel", "is_archived", "account_inactive", "msg_too_long", "restricted_action", "a_word_of_next_year"],
)
async def test_what_does_not_pass_is_final(fake: FakeSlack, code: str) -> None:
    fake.channel_errors["C1"] = code
    with pytest.raises(FinalDeliveryError) as raised:
        await sender_to(fake.api_url).send(delivery())
    assert raised.value.code == code


async def test_a_wrong_token_is_final_and_not_repeated(fake: FakeSlack) -> None:
    with pytest.raises(FinalDeliveryError) as raised:
        await sender_to(fake.api_url, token="xoxb-secret").send(delivery())
    assert raised.value.code == "invalid_auth"
    assert "xoxb" not in f"{raised.value} {raised.value.__cause__}"


async def test_nobody_there_and_nobody_answering_are_temporary(fake: FakeSlack) -> None:
    with pytest.raises(TemporaryDeliveryError, match="connection"):
        await sender_to("http://127.0.0.1:1/api/").send(delivery())
    fake.fail(seconds=0.5)
    with pytest.raises(TemporaryDeliveryError, match="timeout"):
        await sender_to(fake.api_url, seconds=0.1).send(delivery())


async def test_a_look_that_fails_for_now_sends_nothing(fake: FakeSlack) -> None:
    fake.statuses["conversations.history"] = 503
    with pytest.raises(TemporaryDeliveryError):
        await sender_to(fake.api_url).send(delivery(attempts=2))
    assert fake.messages == []


@pytest.mark.parametrize(("status", "attempts"), [(404, 2), (503, 6)])
async def test_a_look_that_keeps_failing_holds_nothing_up(fake: FakeSlack, status: int, attempts: int) -> None:
    fake.statuses["conversations.history"] = status
    await sender_to(fake.api_url).send(delivery(attempts=attempts))
    assert len(fake.messages) == 1


async def test_a_look_waits_as_long_as_slack_asks(fake: FakeSlack) -> None:
    fake.statuses["conversations.history"] = 429
    with pytest.raises(TemporaryDeliveryError) as raised:
        await sender_to(fake.api_url).send(delivery(attempts=9))
    assert raised.value.retry_after == 30.0
    assert fake.messages == []


async def test_an_edit_shows_the_alert_as_it_is_now_in_the_same_message(fake: FakeSlack) -> None:
    sender = sender_to(fake.api_url)
    receipt = await sender.send(delivery())
    await sender.edit(replace(delivery(headline="Pact signed"), message_id=receipt.message_id))
    (message,) = fake.messages
    assert "Pact signed" in message.text
    assert message.metadata == {"event_type": EVENT_TYPE, "event_payload": {"key": delivery().key, "development": "d0123456789"}}


async def test_a_message_that_is_gone_is_not_edited(fake: FakeSlack) -> None:
    await sender_to(fake.api_url).edit(replace(delivery(), message_id="1.000001"))
    assert fake.messages == []


async def test_an_edit_that_slack_refuses_is_told(fake: FakeSlack) -> None:
    fake.missing_scopes.add("chat.update")
    with pytest.raises(FinalDeliveryError, match="scope"):
        await sender_to(fake.api_url).edit(replace(delivery(), message_id="1.000001"))


async def test_a_step_in_a_thread_is_shown_to_the_channel_too(fake: FakeSlack) -> None:
    sender = sender_to(fake.api_url)
    first = await sender.send(delivery())
    moved = delivery(thread=first.message_id, follow_up="Talks open", development_id="d2")
    await sender.send(moved)
    await sender.send(replace(moved, alert=replace(moved.alert, step_changed=True)))
    assert [m.payload.get("reply_broadcast") for m in fake.messages] == [None, None, True]


async def test_a_digest_is_one_message_under_its_key(fake: FakeSlack) -> None:
    one, other = delivery(), delivery(development_id="d2", headline="Talks planned")
    together = replace(one, digest=(one.alert, other.alert))
    await sender_to(fake.api_url).send(together)
    (message,) = fake.messages
    assert message.text.startswith("Digest: 2 developments in 1 matter")
    assert message.metadata["event_payload"]["key"] == together.key


async def test_a_digest_that_arrived_unanswered_is_not_sent_again(fake: FakeSlack) -> None:
    one, other = delivery(), delivery(development_id="d2", headline="Talks planned")
    together = replace(one, digest=(one.alert, other.alert))
    fake.fail(received=True)
    with pytest.raises(TemporaryDeliveryError):
        await sender_to(fake.api_url).send(together)
    receipt = await sender_to(fake.api_url).send(replace(together, attempts=2))
    assert [m.ts for m in fake.messages] == [receipt.message_id]


async def test_a_step_shown_to_the_channel_is_found_in_its_thread(fake: FakeSlack) -> None:
    sender = sender_to(fake.api_url)
    first = await sender.send(delivery())
    moved = delivery(thread=first.message_id, follow_up="Talks open", development_id="d2")
    moved = replace(moved, alert=replace(moved.alert, step_changed=True))
    fake.fail(received=True)
    with pytest.raises(TemporaryDeliveryError):
        await sender.send(moved)
    receipt = await sender.send(replace(moved, attempts=2))
    assert [m.ts for m in fake.messages] == [first.message_id, receipt.message_id]


async def test_a_look_reads_nothing_older_than_the_first_attempt(fake: FakeSlack) -> None:
    begun = datetime.now(UTC)
    fake.fail(received=True)
    with pytest.raises(TemporaryDeliveryError):
        await sender_to(fake.api_url).send(delivery())
    await sender_to(fake.api_url).send(replace(delivery(attempts=2), begun=begun))
    assert len(fake.messages) == 1
    (asked,) = [arguments for method, arguments, _ in fake.calls if method == "conversations.history"]
    assert 0 < begun.timestamp() - float(asked["oldest"]) <= 600.001
    await sender_to(fake.api_url).send(replace(delivery(attempts=2), begun=begun + timedelta(hours=1)))
    assert len(fake.messages) == 2


@pytest.mark.parametrize("code", ["cant_update_message", "edit_window_closed", "message_not_found"])
async def test_a_message_that_cannot_be_edited_any_more_stays_as_it_is(fake: FakeSlack, code: str) -> None:
    receipt = await sender_to(fake.api_url).send(delivery())
    fake.errors["chat.update"] = code
    await sender_to(fake.api_url).edit(replace(delivery(headline="Pact signed"), message_id=receipt.message_id))
    assert "Pact signed" not in fake.messages[0].text


async def test_a_look_has_an_end(fake: FakeSlack) -> None:
    fake.page_size = 1
    await sender_to(fake.api_url).send(delivery())
    for number in range(6):
        await sender_to(fake.api_url).send(delivery(development_id=f"d{number}"))
    await sender_to(fake.api_url).send(delivery(attempts=2))
    assert [method for method, _, _ in fake.calls].count("conversations.history") == 5
    assert len(fake.messages) == 8
