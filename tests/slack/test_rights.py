"""Who Slack makes an admin: rank, user group, neither; and that a stranger's rank elsewhere is none here."""

from __future__ import annotations

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.alerts import Surface
from handlers.grammar import Actor
from handlers.slack.rights import Rights
from tests.fakes.slack_server import FakeSlack


async def nobodys(_: Actor, __: str) -> bool:
    return False


def client(fake: FakeSlack) -> AsyncWebClient:
    return AsyncWebClient(token=fake.bot_token, base_url=fake.api_url, retry_handlers=[])


async def is_admin(fake: FakeSlack, user: str, group: str | None = None) -> bool:
    rights = Rights(narrows_only=nobodys, group=group)
    return (await rights.of(client(fake), Actor(surface=Surface.SLACK, user=user, team="T1"))).admin


@pytest.mark.parametrize(
    ("user", "admin"),
    [
        ({}, False),
        ({"is_admin": True}, True),
        ({"is_owner": True}, True),
        ({"is_primary_owner": True, "team_id": "T1"}, True),
        ({"is_admin": True, "deleted": True}, False),
        ({"is_admin": "yes"}, False),
        ({"is_admin": True, "team_id": "T9"}, False),
        ({"is_admin": True, "is_stranger": True}, False),
    ],
)
async def test_rank(fake: FakeSlack, user: dict[str, object], admin: bool) -> None:
    fake.users["U5"] = user
    assert await is_admin(fake, "U5") is admin


@pytest.mark.parametrize("group", ["@News-Admins", "news-admins", "S0NEWSROOM"])
async def test_the_members_of_the_named_group_are_admins(fake: FakeSlack, group: str) -> None:
    fake.users["U5"] = {}
    fake.groups["S0NEWSROOM"] = ("news-admins", ["U5"])
    assert await is_admin(fake, "U5", group)
    assert not await is_admin(fake, "U1", group)
    assert not await is_admin(fake, "U5")


async def test_a_group_that_is_not_there_has_no_members(fake: FakeSlack) -> None:
    assert not await is_admin(fake, "U1", "@nobody")
    assert not await is_admin(fake, "U1", "S0NOBODY12")


async def test_what_slack_says_is_believed_for_a_while_and_a_failure_is_not(fake: FakeSlack) -> None:
    rights = Rights(narrows_only=nobodys, group="@news-admins")
    actor = Actor(surface=Surface.SLACK, user="U1", team="T1")
    fake.missing_scopes.add("usergroups.list")
    assert not (await rights.of(client(fake), actor)).admin
    fake.missing_scopes.clear()
    fake.groups["S0NEWSROOM"] = ("news-admins", ["U1"])
    assert (await rights.of(client(fake), actor)).admin
    count = len(fake.calls)
    assert (await rights.of(client(fake), actor)).admin
    assert await rights.zone(client(fake), actor) == "Asia/Kolkata"
    assert len(fake.calls) == count


async def test_a_rank_counts_in_its_own_workspace_only(fake: FakeSlack) -> None:
    rights = Rights(narrows_only=nobodys)
    fake.users["UADMIN"] = {"is_admin": True, "team_id": "T1"}
    assert (await rights.of(client(fake), Actor(surface=Surface.SLACK, user="UADMIN", team="T1"))).admin
    assert not (await rights.of(client(fake), Actor(surface=Surface.SLACK, user="UADMIN", team="T2"))).admin


async def test_words_that_are_no_command_reach_nothing_beyond_a_channel(fake: FakeSlack) -> None:
    rights = Rights(narrows_only=nobodys, home="T2")
    actor = Actor(surface=Surface.SLACK, user="UADMIN", team="T1")
    assert not (await rights.of_line(client(fake), actor, "dance")).admin
    assert (await rights.of_line(client(fake), actor, "mute d1")).admin
