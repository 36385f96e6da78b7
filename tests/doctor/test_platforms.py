"""What the doctor says of Slack and Discord, through the real clients, against local servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.doctor.discord import NEEDED, examine_discord, permissions
from bot.doctor.findings import Finding, State
from bot.doctor.rounds import examine_all
from bot.doctor.slack import examine_slack, wanted_scopes
from bot.domain.alerts import Destination, Surface
from bot.domain.subscriptions import Subscription
from bot.ports import Installation
from bot.sealing import Seal
from config.settings import Settings
from tests.fakes.clock import START
from tests.fakes.discord_server import TOKEN, FakeDiscord
from tests.fakes.slack_server import FakeSlack
from tests.storage.kit import opened, url_of


def states(findings: Sequence[Finding]) -> dict[str, str]:
    assert all(f.mend for f in findings if f.state is not State.OK)
    return {f.name: f.state.value for f in findings}


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        fake.scopes = sorted(wanted_scopes())
        yield fake


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(others={"501": ("200",)}) as fake:
        yield fake


async def look(fake: FakeSlack, *channels: str, token: str | None = None, app_token: str | None = None) -> tuple[Finding, ...]:
    """Look at Slack, Socket Mode and all."""
    checked = await examine_slack(
        api_url=fake.api_url,
        token=SecretStr(token or fake.bot_token),
        app_token=SecretStr(app_token or fake.app_token),
        channels=dict.fromkeys(channels, "for alerts"),
        socket=True,
    )
    return checked.findings


# Slack


async def test_slack_that_is_well(slack: FakeSlack) -> None:
    found = await look(slack, "C1")
    assert states(found) == {"token": "ok", "scopes": "ok", "app token": "ok", "channel C1": "ok"}
    assert found[-1].said == "#trade, for alerts: a member; may post, thread, embed, attach"
    assert not slack.messages


async def test_tokens_that_slack_refuses(slack: FakeSlack) -> None:
    (finding,) = await look(slack, "C1", token="xoxb-wrong-0")
    assert (finding.name, finding.said) == ("token", "invalid auth")
    assert "xoxb-wrong" not in finding.said + finding.mend
    assert states(await look(slack, app_token="xapp-wrong"))["app token"] == "fail"


async def test_a_slack_that_is_away_is_no_wrong_token(slack: FakeSlack) -> None:
    slack.statuses["auth.test"] = 503
    (finding,) = await look(slack, "C1")
    assert "reaches Slack" in finding.mend


async def test_scopes_that_are_missing_are_named_and_what_they_cost(slack: FakeSlack) -> None:
    slack.scopes = sorted(wanted_scopes() - {"files:write"})
    found = {f.name: f for f in await look(slack, "C1")}
    assert found["scopes"].said == "missing: files:write"
    assert found["channel C1"].said == "#trade, for alerts: may not attach"
    slack.scopes = None
    assert states(await look(slack, "C1"))["scopes"] == "warn"


async def test_channels_in_which_the_bot_cannot_post(slack: FakeSlack) -> None:
    slack.outside.add("C2")
    slack.channels = {"C3": {"is_archived": True}, "C4": {"is_read_only": True}}
    slack.channel_errors["C5"] = "channel_not_found"
    slack.channel_errors["C6"] = "some_new_error"
    found = {f.name: f for f in await look(slack, "C2", "C3", "C4", "C5", "C6")}
    assert {found[f"channel C{n}"].state for n in range(2, 7)} == {State.FAIL}
    assert "/invite @attache" in found["channel C2"].mend
    assert "unarchive" in found["channel C3"].mend
    assert "Posting Permissions" in found["channel C4"].mend
    assert "/invite" in found["channel C5"].mend
    assert found["channel C6"].said == "some new error"


# Discord


async def look_at(fake: FakeDiscord, *channels: int, token: str = TOKEN) -> tuple[Finding, ...]:
    checked = await examine_discord(api_url=fake.api_url, token=SecretStr(token), channels=dict.fromkeys(channels, "for alerts"))
    return checked.findings


async def test_discord_that_is_well(discord: FakeDiscord) -> None:
    found = await look_at(discord, 100, 200)
    assert set(states(found).values()) == {"ok"}
    assert [f.name for f in found] == ["token", "channel 100", "commands in server 500", "channel 200", "commands in server 501"]
    assert found[1].said == "#channel-100, for alerts: may post, embed, attach and thread"
    assert not discord.messages


async def test_a_token_that_discord_refuses(discord: FakeDiscord) -> None:
    (finding,) = await look_at(discord, 100, token="wrong-token-of-somebody")
    assert "Reset Token" in finding.mend
    assert "wrong-token" not in finding.said


async def test_a_discord_that_is_not_there() -> None:
    checked = await examine_discord(api_url="http://127.0.0.1:9/api/v10", token=SecretStr(TOKEN), channels={})
    assert "reaches Discord" in checked.findings[0].mend
    assert checked.date is None


async def test_rights_that_are_missing_are_named_with_an_invitation(discord: FakeDiscord) -> None:
    discord.rights &= ~((1 << 14) | (1 << 35))  # Embed Links, Create Public Threads
    found = {f.name: f for f in await look_at(discord, 100)}
    finding = found["channel 100"]
    assert finding.said.endswith("missing Embed Links, Create Public Threads")
    assert "client_id=700&scope=bot+applications.commands&permissions=" in finding.mend
    discord.scoped = 403
    assert states(await look_at(discord, 100))["commands in server 500"] == "fail"
    discord.scoped = 500
    assert states(await look_at(discord, 100))["commands in server 500"] == "warn"


async def test_channels_that_are_none(discord: FakeDiscord) -> None:
    discord._channels["300"] = {"id": "300", "guild_id": "500", "type": 2, "name": "voices"}
    discord._channels["301"] = {"id": "301", "guild_id": "999", "type": 0, "name": "away"}
    found = {f.name: f for f in await look_at(discord, 1, 300, 301)}
    assert {f.state for name, f in found.items() if name != "token"} == {State.FAIL}
    assert "Copy Channel ID" in found["channel 1"].mend
    assert "not a text channel" in found["channel 300"].said
    assert "not in the server" in found["channel 301"].said


VIEW, SEND, ADMINISTRATOR = 1 << 10, 1 << 11, 1 << 3
GUILD: dict[str, Any] = {
    "id": "500",
    "owner_id": "900",
    "roles": [
        {"id": "500", "permissions": str(VIEW)},
        {"id": "600", "permissions": str(SEND)},
        {"id": "601", "permissions": str(ADMINISTRATOR)},
    ],
}


def overwrite(name: str, kind: int = 0, *, allow: int = 0, deny: int = 0) -> dict[str, Any]:
    return {"id": name, "type": kind, "allow": str(allow), "deny": str(deny)}


@pytest.mark.parametrize(
    ("roles", "user", "overwrites", "held"),
    [
        ([], "701", [], VIEW),
        (["600"], "701", [], VIEW | SEND),
        (["600"], "701", [overwrite("500", deny=VIEW | SEND)], 0),
        (["600"], "701", [overwrite("500", deny=VIEW | SEND), overwrite("600", allow=SEND)], SEND),
        (["600"], "701", [overwrite("600", allow=SEND, deny=VIEW), overwrite("701", 1, allow=VIEW, deny=SEND)], VIEW),
        ([], "701", [overwrite("600", allow=SEND), overwrite("702", 1, deny=VIEW)], VIEW),
    ],
)
def test_rights_are_those_of_roles_then_of_the_channel(roles: list[str], user: str, overwrites: list[dict[str, Any]], held: int) -> None:
    member = {"user": {"id": user}, "roles": roles}
    assert permissions({"permission_overwrites": overwrites}, GUILD, member).value == held


@pytest.mark.parametrize(("roles", "user"), [(["601"], "701"), ([], "900")])
def test_administrators_and_owners_may_everything(roles: list[str], user: str) -> None:
    denied = {"permission_overwrites": [overwrite("500", deny=VIEW | SEND)]}
    held = permissions(denied, GUILD, {"user": {"id": user}, "roles": roles})
    assert all(getattr(held, flag) for flag in NEEDED)


# both, with the store


async def test_the_round_looks_at_the_channels_of_the_settings_and_of_the_store(
    tmp_path: Path, slack: FakeSlack, discord: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    slack.clock = "Mon, 02 Mar 2020 12:00:00 GMT"
    async with opened(tmp_path) as store:
        for surface, address, paused in ((Surface.SLACK, "C7", None), (Surface.SLACK, "C8", "removed"), (Surface.DISCORD, "200", None)):
            await store.subscribe(Subscription(destination=Destination(surface=surface, address=address), paused=paused))
    (tmp_path / "sources.yaml").write_text("[]")
    found = await examine_all(
        Settings(
            attache_database_url=url_of(tmp_path),
            attache_sources=tmp_path / "sources.yaml",
            slack_bot_token=SecretStr(slack.bot_token),
            slack_app_token=SecretStr(slack.app_token),
            slack_alert_channel="C1",
            slack_admin_channel="C2",
            slack_api_url=slack.api_url,
            discord_bot_token=SecretStr(TOKEN),
            discord_alert_channel=100,
            discord_api_url=discord.api_url,
        )
    )
    channels = [(f.name, f.said.split(", ")[1].split(":")[0]) for f in found if f.name.startswith("channel")]
    assert channels == [
        ("channel C2", "for notices to the admins"),
        ("channel C1", "for alerts"),
        ("channel C7", "subscribed"),
        ("channel 100", "for alerts"),
        ("channel 200", "subscribed"),
    ]
    assert {f.name: f.state for f in found}["skew"] is State.FAIL


async def test_each_workspace_that_installed_the_app_is_looked_at_with_its_own_token(tmp_path: Path, slack: FakeSlack) -> None:
    keys = [SecretStr(Fernet.generate_key().decode()) for _ in range(2)]
    settings = Settings(
        attache_database_url=url_of(tmp_path),
        attache_sources=tmp_path / "none.yaml",
        slack_client_id="1.2",
        attache_secret_key=keys[0],
        slack_api_url=slack.api_url,
    )
    slack.tokens["xoxb-of-t9"] = "T9"

    async def found() -> dict[str, str]:
        return states([f for f in await examine_all(settings) if f.area == "slack"])

    async with opened(tmp_path) as store:
        assert await found() == {"workspaces": "ok"}
        for team, channel in (("T8", "C8"), ("T9", "C9"), ("T7", "C7")):
            await store.subscribe(Subscription(destination=Destination(surface=Surface.SLACK, address=channel), team=team))
        for team, key in (("T9", keys[0]), ("T7", keys[1])):
            made = Installation(team=team, name="Nine", token="xoxb-of-t9", bot_user="U9", installed_by="U1", installed_at=START)
            await store.installations(Seal([key])).install(made)
        assert await found() == {"T7": "fail", "T8": "fail", "token": "ok", "scopes": "ok", "channel C9": "ok"}
