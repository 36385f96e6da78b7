"""A web socket that Slack asks to leave, closes, or loses: the real Socket Mode client comes back, and what is sent across the change is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from tests.fakes.slack_server import FakeSlack
from tests.slack.kit import Shelf, development, running, surface
from tests.trouble import until

Change = Callable[[FakeSlack], Awaitable[None]]


async def _cut(fake: FakeSlack) -> None:
    fake.cut()


CHANGES: dict[str, Change] = {
    "refresh_requested": lambda fake: fake.disconnect("refresh_requested"),
    "refresh_requested, then closed": lambda fake: fake.disconnect("refresh_requested", closes=True),
    "warning": lambda fake: fake.disconnect("warning"),
    "too_many_websockets": lambda fake: fake.disconnect("too_many_websockets", closes=True),
    "closed without a word": lambda fake: fake.drop(),
    "cut": _cut,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_what_is_sent_across_a_change_is_acknowledged_and_done_once(fake: FakeSlack, change: Change) -> None:
    shelf = Shelf(development())
    command = fake.command("latest")
    async with running(surface(fake, shelf)):
        await fake.connected()
        await fake.deliver(command, envelope="across")  # nobody waits for its acknowledgement…
        await change(fake)
        await fake.connected(count=2, timeout=15.0)
        again = await fake.deliver(command, envelope="across", retry=1)  # …which Slack missed, so that it sends it again
        await asyncio.wait_for(again, 5.0)
        retried = await fake.deliver(command, envelope="across-2", retry=2)  # and as another envelope
        await asyncio.wait_for(retried, 5.0)
        await fake.type("latest 2")
        await fake.answered(2)
    assert shelf.asked == 2
    assert len(fake.answers) == 2


async def test_it_comes_back_though_slack_gives_no_new_address_at_first_and_says_so(fake: FakeSlack) -> None:
    with capture_logs() as logs:
        async with running(surface(fake, Shelf(development()))):
            await fake.connected()
            fake.errors["apps.connections.open"] = "internal_error"
            await fake.disconnect("refresh_requested", closes=True)
            await until(lambda: [log["event"] for log in logs] == ["slack_signed_in", "slack_socket_lost"])
            del fake.errors["apps.connections.open"]
            await fake.connected(count=2, timeout=20.0)
            assert "Status" in (await fake.type("status")).text
            await until(lambda: logs[-1]["event"] == "slack_socket_renewed")


async def test_what_the_old_socket_took_with_it_is_done_when_it_comes_again(fake: FakeSlack) -> None:
    shelf = Shelf(development())
    command = fake.command("latest")
    async with running(surface(fake, shelf)):
        await fake.connected()
        await fake.disconnect("refresh_requested", closes=True)
        await fake.connected(count=2)
        await asyncio.wait_for(await fake.deliver(command, envelope="lost", retry=1), 5.0)
        await fake.answered(1)
    assert shelf.asked == 1
