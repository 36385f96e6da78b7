"""The doctor's round: every look, at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from bot.app import make_reader, open_store
from bot.doctor.discord import Checked as DiscordChecked
from bot.doctor.discord import examine_discord
from bot.doctor.findings import Area, Finding, State
from bot.doctor.machine import examine_clock, examine_database, examine_model, examine_sources
from bot.doctor.slack import Checked as SlackChecked
from bot.doctor.slack import examine_installation, examine_slack
from bot.domain.alerts import Surface
from bot.domain.errors import SettingsError
from bot.domain.subscriptions import Subscription
from bot.sealing import Seal
from bot.storage.store import SqlStore
from config.settings import Settings, read_settings
from config.sources_file import read_sources

SETTINGS, SOURCES, SLACK, DISCORD = Area("settings"), Area("sources"), Area("slack"), Area("discord")
ALERTS, ADMINS, SUBSCRIBED = "for alerts", "for notices to the admins", "subscribed"


async def examine() -> tuple[Finding, ...]:
    """Look at everything that the settings of the environment and `.env` name. Changes nothing. Raises nothing of what it may find."""
    try:
        settings = read_settings()
        first = SETTINGS.ok("variables", "make sense together")
    except SettingsError as error:
        first = SETTINGS.fail(error.variable, str(error).partition(": ")[2], "see Settings in the README, and .env.example")
        try:
            settings = Settings()
        except ValidationError:
            return (first,)
    return (first, *await examine_all(settings))


async def examine_all(settings: Settings) -> tuple[Finding, ...]:
    """Look at everything that `settings` name, in the order of their lines."""
    database = await examine_database(settings.attache_database_url)
    store_is_well = {f.name: f.state for f in database}.get("schema") is State.OK
    slack, discord, model, sources = await asyncio.gather(
        _slack(settings, store_is_well), _discord(settings, store_is_well), examine_model(settings.attache_model), _sources(settings)
    )
    dates: dict[str, str | None] = {"Slack": slack.date, "Discord": discord.date}
    clock = examine_clock(dates, datetime.now(UTC))
    return (*clock, *database, *model, *slack.findings, *discord.findings, *sources)


async def _slack(settings: Settings, store_is_well: bool) -> SlackChecked:
    subscribed = await _subscribed(settings, Surface.SLACK, store_is_well)
    if settings.slack_client_id is not None:
        return await _workspaces(settings, subscribed)
    if settings.slack_bot_token is None:
        return SlackChecked(findings=(SLACK.ok("token", "not set up"),))
    return await examine_slack(
        api_url=settings.slack_api_url,
        token=settings.slack_bot_token,
        app_token=settings.slack_app_token,
        channels=_channels([s.destination.address for s in subscribed], settings.slack_alert_channel, settings.slack_admin_channel),
        socket=not settings.slack_http,
    )


async def _workspaces(settings: Settings, subscribed: Sequence[Subscription]) -> SlackChecked:
    if not subscribed:
        return SlackChecked(findings=(SLACK.ok("workspaces", "none has a channel that is subscribed yet"),))
    async with open_store(settings.attache_database_url, migrating=False) as store:
        installations = store.installations(Seal(settings.secret_keys))
        teams = dict.fromkeys(s.team for s in subscribed)
        looks = [
            examine_installation(
                api_url=settings.slack_api_url,
                team=team,
                installations=installations,
                channels=[s.destination.address for s in subscribed if s.team == team],
            )
            for team in teams
        ]
        checked = await asyncio.gather(*looks)
    return SlackChecked(findings=tuple(f for c in checked for f in c.findings), date=next((c.date for c in checked if c.date), None))


async def _discord(settings: Settings, store_is_well: bool) -> DiscordChecked:
    if settings.discord_bot_token is None:
        return DiscordChecked(findings=(DISCORD.ok("token", "not set up"),))
    subscribed = await _subscribed(settings, Surface.DISCORD, store_is_well)
    named = (str(c) if c else None for c in (settings.discord_alert_channel, settings.discord_admin_channel))
    channels = _channels([s.destination.address for s in subscribed], *named)
    wanted = {int(channel): why for channel, why in channels.items() if channel.isdecimal()}
    return await examine_discord(api_url=settings.discord_api_url, token=settings.discord_bot_token, channels=wanted)


def _channels(subscribed: Sequence[str], alerts: str | None, admins: str | None) -> Mapping[str, str]:
    """What each channel is for, those of the settings first."""
    named = {channel: why for channel, why in ((admins, ADMINS), (alerts, ALERTS)) if channel}
    return {**named, **{channel: SUBSCRIBED for channel in subscribed if channel not in named}}


async def _subscribed(settings: Settings, surface: Surface, store_is_well: bool) -> list[Subscription]:
    """The channels that want alerts, where there is a store that can say; not those on pause."""
    if not store_is_well:
        return []
    async with open_store(settings.attache_database_url, migrating=False) as store:
        return [s for s in await _all(store) if s.destination.surface is surface and s.paused is None]


async def _all(store: SqlStore) -> list[Subscription]:
    return await store.subscriptions()


async def _sources(settings: Settings) -> tuple[Finding, ...]:
    path = Path(settings.attache_sources)
    try:
        listed = read_sources(path)
    except (SettingsError, OSError) as error:
        return (SOURCES.fail("list", str(error), "name a readable list in ATTACHE_SOURCES; config/sources.yaml is an example"),)
    async with make_reader(settings) as reader:
        return await examine_sources(listed, reader, datetime.now(UTC))
