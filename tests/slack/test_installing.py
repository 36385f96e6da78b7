"""Many workspaces: installed by OAuth over HTTP, each told with its own token, forgotten when they leave. Real slack-bolt, real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from rich.console import Console
from slack_bolt.context.ack.async_ack import AsyncAck
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.app import make_surfaces
from bot.domain.alerts import Destination, Surface
from bot.domain.errors import FinalDeliveryError, SettingsError, TemporaryDeliveryError
from bot.domain.subscriptions import Subscription
from bot.ports import Installation
from bot.sealing import Seal
from bot.storage import tables
from bot.storage.store import SqlStore
from config.settings import Settings
from handlers.slack.app import SlackSurface
from handlers.slack.installing import SCOPES, OAuth, SealedStates
from handlers.slack.leaving import Leaving
from handlers.slack.once import Once
from tests.fakes.slack_server import FakeSlack, text_of
from tests.slack.kit import NOON, Atlas, commands, delivery, eventually, running, surface
from tests.storage.kit import opened

KEY = SecretStr(Fernet.generate_key().decode())


def granted(team: str) -> dict[str, Any]:
    """What Slack gives for a code."""
    token = f"xoxb-token-of-{team}"
    who = {"authed_user": {"id": "UADMIN"}, "bot_user_id": f"UBOT{team}", "scope": ",".join(SCOPES)}
    return {"access_token": token, "team": {"id": team, "name": f"Team {team}"}, **who}


def kept(team: str) -> Installation:
    """What is kept of it."""
    token = granted(team)["access_token"]
    return Installation(team=team, name="", token=token, bot_user="UBOT", installed_by="slack:U1", installed_at=NOON)


@dataclass
class House:
    """A surface that listens over HTTP, and its parts."""

    fake: FakeSlack
    store: SqlStore
    slack: SlackSurface

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.slack.port}"

    async def ask(self) -> tuple[str, str]:
        """Begin to install; return where Slack would ask, and the cookie."""
        async with aiohttp.ClientSession() as browser, browser.get(f"{self.url}/slack/install", allow_redirects=False) as response:
            assert response.status == 302
            cookie = SimpleCookie(response.headers["Set-Cookie"])["slack-app-oauth-state"]
            assert (cookie["secure"], cookie["httponly"]) == (True, True)
            return response.headers["Location"], f"slack-app-oauth-state={cookie.value}"

    async def back(self, cookie: str, **query: str) -> tuple[int, str]:
        """Come back from Slack."""
        headers, url = {"Cookie": cookie}, f"{self.url}/slack/oauth_redirect"
        async with aiohttp.ClientSession() as browser, browser.get(url, params=query, headers=headers) as response:
            return response.status, await response.text()

    async def install(self, team: str) -> None:
        self.fake.codes[f"code-{team}"] = granted(team)
        address, cookie = await self.ask()
        status, page = await self.back(cookie, code=f"code-{team}", state=parse_qs(urlsplit(address).query)["state"][0])
        assert status == 200, page

    async def type(self, text: str, team: str, user: str = "UADMIN", channel: str = "C1") -> dict[str, Any]:
        command = self.fake.command(text, user, channel, team)
        count = len(self.fake.answers)
        status, _ = await self.fake.post_http(f"{self.url}/slack/events", command)
        assert status == 200
        await self.fake.answered(count + 1)
        return self.fake.answers[-1]


def oauth(store: SqlStore, *keys: SecretStr) -> OAuth:
    seal = Seal(keys or [KEY])
    credentials = {"client_id": FakeSlack.client_id, "client_secret": SecretStr(FakeSlack.client_secret)}
    return OAuth(installations=store.installations(seal), channels=store, seal=seal, **credentials)


async def paused(store: SqlStore, wanted: list[bool]) -> bool:
    return [s.paused is not None for s in await store.subscriptions()] == wanted


@asynccontextmanager
async def housed(fake: FakeSlack, path: Path, *keys: SecretStr) -> AsyncIterator[House]:
    async with opened(path) as store:
        own = {"bot_token": None, "app_token": None, "signing_secret": SecretStr(fake.signing_secret), "port": 0}
        async with running(surface(fake, store, oauth=oauth(store, *keys), **own)) as slack:
            yield House(fake=fake, store=store, slack=slack)


@pytest.fixture
async def house(fake: FakeSlack, tmp_path: Path) -> AsyncIterator[House]:
    fake.tokens.clear()
    async with housed(fake, tmp_path) as house:
        yield house


async def test_slack_is_asked_for_the_scopes_and_the_token_is_sealed_at_rest(house: House) -> None:
    address, _ = await house.ask()
    assert address.startswith(house.fake.api_url.replace("/api/", "/oauth/v2/authorize?"))
    query = parse_qs(urlsplit(address).query)
    assert (query["client_id"], query["scope"]) == ([FakeSlack.client_id], [",".join(SCOPES)])
    await house.install("T1")
    found = await house.store.installations(Seal([KEY])).installation("T1")
    assert found is not None
    assert (found.token, found.name, found.bot_user, found.installed_by) == ("xoxb-token-of-T1", "Team T1", "UBOTT1", "slack:UADMIN")
    assert "xoxb" not in repr(found)
    async with house.store._engine.connect() as connection:
        (row,) = (await connection.execute(select(tables.installations))).all()
    assert b"xoxb" not in row.token


async def test_each_workspace_is_told_with_its_own_token(house: House) -> None:
    for team, channel in (("T1", "C1"), ("T2", "C2")):
        await house.install(team)
        assert "This channel is subscribed" in text_of(await house.type("subscribe daily", team, channel=channel))
    assert [(str(s.destination), s.team) for s in await house.store.subscriptions()] == [("slack:C1", "T1"), ("slack:C2", "T2")]
    house.fake.spoken.clear()
    await house.slack.sender.send(delivery(channel="C2"))
    await house.slack.sender.send(delivery(channel="C1"))
    assert house.fake.spoken == [("chat.postMessage", "xoxb-token-of-T2"), ("chat.postMessage", "xoxb-token-of-T1")]


async def test_the_home_tab_of_a_workspace_shows_nothing_of_another(house: House) -> None:
    for team, channel in (("T1", "C1"), ("T2", "C2")):
        await house.install(team)
        await house.type("subscribe daily", team, channel=channel)
    await house.fake.post_http(
        f"{house.url}/slack/events", house.fake.told({"type": "app_home_opened", "user": "U7", "tab": "home"}, team="T2")
    )
    await house.fake.until(lambda: "U7" in house.fake.homes)
    rows = str(house.fake.homes["U7"])
    assert ("C2" in rows, "'C1'" in rows) == (True, False)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "app_uninstalled"},
        {"type": "tokens_revoked", "tokens": {"bot": ["UBOTT1"], "oauth": []}},
    ],
)
async def test_a_workspace_that_leaves_is_forgotten_and_goes_on_when_it_is_back(house: House, event: dict[str, Any]) -> None:
    for team, channel in (("T1", "C1"), ("T2", "C2")):
        await house.install(team)
        await house.store.subscribe(
            Subscription(destination=Destination(surface=Surface.SLACK, address=channel), team=team, made_by="slack:UADMIN")
        )
    for _ in range(2):  # Slack may say it twice
        status, _ = await house.fake.post_http(f"{house.url}/slack/events", house.fake.told(event, team="T1"))
        assert status == 200
    installations = house.store.installations(Seal([KEY]))
    await eventually(lambda: paused(house.store, [True, False]))
    assert [await installations.installation(team) is None for team in ("T1", "T2")] == [True, False]
    with pytest.raises(FinalDeliveryError):
        await house.slack.sender.send(delivery(channel="C1"))
    await house.install("T1")
    assert [s.paused for s in await house.store.subscriptions()] == [None, None]


async def test_a_users_token_is_none_of_ours(house: House) -> None:
    await house.install("T1")
    installations = house.store.installations(Seal([KEY]))
    leaving = Leaving(commands=commands(house.store), installations=installations)
    await leaving.revoked(AsyncAck(), {"team_id": "T1"}, {"tokens": {"oauth": ["U1"]}})
    assert await installations.installation("T1") is not None
    await leaving.revoked(AsyncAck(), {"team_id": "T1"}, {"tokens": {"bot": ["UBOT"]}})
    assert await installations.installation("T1") is None


async def test_a_workspace_that_never_installed_is_answered_nothing_of_ours(house: House) -> None:
    command = house.fake.command("latest", team="T9")
    status, _ = await house.fake.post_http(f"{house.url}/slack/events", command)
    assert status == 200
    assert [method for method, _ in house.fake.spoken] == []


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        ({"state": "made-up"}, 400),
        ({"code": "made-up"}, 401),
        ({"error": "access_denied"}, 200),
        ({"error": "<script>alert(1)</script>"}, 200),
    ],
)
async def test_what_is_not_slacks_answer_installs_nothing(house: House, spoil: dict[str, str], status: int) -> None:
    house.fake.codes["code"] = granted("T1")
    address, cookie = await house.ask()
    query = {"code": "code", "state": parse_qs(urlsplit(address).query)["state"][0], **spoil}
    found, page = await house.back(cookie, **query)
    assert found == status
    assert "<script>alert" not in page
    assert await house.store.installations(Seal([KEY])).installation("T1") is None


async def test_a_state_serves_once_and_only_in_the_browser_that_got_it(house: House) -> None:
    house.fake.codes |= {"one": granted("T1"), "two": granted("T2")}
    address, cookie = await house.ask()
    state = parse_qs(urlsplit(address).query)["state"][0]
    assert (await house.back("", code="one", state=state))[0] == 400
    assert (await house.back(cookie, code="one", state=state))[0] == 200
    assert (await house.back(cookie, code="two", state=state))[0] == 401


async def test_a_whole_organization_is_refused(house: House) -> None:
    house.fake.codes["code"] = {**granted("T1"), "is_enterprise_install": True, "enterprise": {"id": "E1"}}
    address, cookie = await house.ask()
    status, _ = await house.back(cookie, code="code", state=parse_qs(urlsplit(address).query)["state"][0])
    assert status == 500
    assert await house.store.installations(Seal([KEY])).installation("T1") is None


@pytest.mark.parametrize(("how", "status"), [("dropping", 502), ("statuses", 401)])
async def test_while_slack_is_away_the_page_says_to_try_again(house: House, how: str, status: int) -> None:
    house.fake.codes["code"] = granted("T1")
    address, cookie = await house.ask()
    if how == "dropping":
        house.fake.dropping.add("oauth.v2.access")
    else:
        house.fake.statuses["oauth.v2.access"] = 503
    found, page = await house.back(cookie, code="code", state=parse_qs(urlsplit(address).query)["state"][0])
    assert (found, "try again" in page) == (status, True)


async def test_a_key_is_changed_by_putting_a_new_one_in_front_and_a_lost_one_is_named(fake: FakeSlack, tmp_path: Path) -> None:
    new = SecretStr(Fernet.generate_key().decode())
    async with housed(fake, tmp_path) as house:
        await house.install("T1")
        await house.type("subscribe daily", "T1")
    async with housed(fake, tmp_path, new, KEY) as house:
        await house.slack.sender.send(delivery())
    async with housed(fake, tmp_path, new) as house:
        with pytest.raises(TemporaryDeliveryError, match="ATTACHE_SECRET_KEY"):
            await house.slack.sender.send(delivery())
        with capture_logs() as logs:
            await fake.post_http(f"{house.url}/slack/events", fake.command("latest"))
        assert [log["team"] for log in logs if log["event"] == "slack_token_unreadable"] == ["T1"]


async def test_oauth_needs_http_mode(fake: FakeSlack, tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        with pytest.raises(SettingsError, match="SLACK_SIGNING_SECRET"):
            await surface(fake, store, bot_token=None, oauth=oauth(store)).run()


@pytest.mark.parametrize("keys", [[], ["hush"], [KEY.get_secret_value(), "hush"]])
def test_a_key_that_is_none_is_named_and_not_repeated(keys: list[str]) -> None:
    with pytest.raises(SettingsError, match="ATTACHE_SECRET_KEY") as raised:
        Seal([SecretStr(key) for key in keys])
    assert "hush" not in str(raised.value)


async def test_an_old_state_is_none() -> None:
    seal = Seal([KEY])
    states = SealedStates(seal, Once())
    assert not await states.async_consume("ä")
    assert not await states.async_consume("")
    assert seal.open(seal.close("state"), seconds=-1) is None


async def test_one_workspace_is_paused_too_when_the_app_is_taken_out(fake: FakeSlack, tmp_path: Path) -> None:
    async with opened(tmp_path) as store, running(surface(fake, store)):
        await fake.type("subscribe daily", user="UADMIN")
        await fake.event({"type": "app_uninstalled"})
        await eventually(lambda: paused(store, [True]))
    async with opened(tmp_path) as store, running(surface(fake, store)):
        assert [s.paused for s in await store.subscriptions()] == [None]


async def test_the_settings_of_oauth_make_a_surface_that_names_no_channel(fake: FakeSlack, tmp_path: Path) -> None:
    values = {"slack_client_id": fake.client_id, "slack_client_secret": fake.client_secret, "slack_signing_secret": fake.signing_secret}
    settings = Settings(_env_file=None, **values, port=3000, attache_secret_key=KEY.get_secret_value(), slack_api_url=fake.api_url)
    async with opened(tmp_path) as store:
        await store.installations(Seal([KEY])).install(kept("T1"))
        await store.subscribe(Subscription(destination=Destination(surface=Surface.SLACK, address="C1"), team="T1"))
        surfaces = make_surfaces(settings, commands(store), Atlas(), Console(), store)
        assert (surfaces.channels, list(surfaces.running)) == ([], ["slack"])
        fake.tokens["xoxb-token-of-T1"] = "T1"
        await surfaces.senders[Surface.SLACK].send(delivery())
        assert fake.spoken == [("chat.postMessage", "xoxb-token-of-T1")]
