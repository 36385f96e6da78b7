"""Discord over REST: the token, the installation, and what the bot may do in each channel. Posts nothing.

https://discord.com/developers/docs/resources/channel#get-channel, https://discord.com/developers/docs/topics/permissions
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import discord
import httpx
from pydantic import SecretStr

from bot.doctor.findings import Area, Finding

SECONDS = 10.0
DISCORD = Area("discord")
AGENT = "DiscordBot (https://example.com/attache, 0.1)"  # its form: https://discord.com/developers/docs/reference#user-agent
NEEDED = {  # by the names that Discord's own settings show
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "embed_links": "Embed Links",
    "attach_files": "Attach Files",
    "read_message_history": "Read Message History",
    "create_public_threads": "Create Public Threads",
    "send_messages_in_threads": "Send Messages in Threads",
}
_TEXT, _NEWS = 0, 5  # https://discord.com/developers/docs/resources/channel#channel-object-channel-types
_EVERYBODY, _MEMBER = 0, 1  # kinds of overwrites: https://discord.com/developers/docs/resources/channel#overwrite-object
_TOKEN = "copy the token anew (developer portal > Bot > Reset Token) into DISCORD_BOT_TOKEN"  # noqa: S105  (it is a sentence)
_NETWORK = "see that this machine reaches Discord (DISCORD_API_URL), and https://discordstatus.com"
_ID = "see the channel's id (Developer Mode on, right-click the channel > Copy Channel ID), and let the bot's role View Channel there"

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What became of it, and what Discord's clock shows."""

    findings: tuple[Finding, ...]
    date: str | None = None


class _NoError(Exception):
    """An answer that is none of what was asked for. `status` is 0 where nothing came."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


async def examine_discord(*, api_url: str, token: SecretStr, channels: Mapping[int, str]) -> Checked:
    """Look at the token, the application, and `channels` (what each is for, by id)."""
    headers = {"Authorization": f"Bot {token.get_secret_value()}", "User-Agent": AGENT}
    async with httpx.AsyncClient(headers=headers, timeout=SECONDS) as client:
        return await _Round(client, api_url.rstrip("/")).examine(channels)


class _Round:
    """One look at Discord. Keeps what it was told of servers: many channels are in one."""

    def __init__(self, client: httpx.AsyncClient, base: str) -> None:
        self._client = client
        self._base = base
        self._date: str | None = None
        self._asked: dict[str, asyncio.Task[Json]] = {}

    async def examine(self, channels: Mapping[int, str]) -> Checked:
        try:
            me, app = await self._get("/users/@me"), await self._get("/oauth2/applications/@me")
        except _NoError as error:
            return Checked(
                findings=(DISCORD.fail("token", str(error), _TOKEN if error.status in (401, 403) else _NETWORK),), date=self._date
            )
        found = await asyncio.gather(*(self._channel(channel, why, str(me["id"]), str(app["id"])) for channel, why in channels.items()))
        token = DISCORD.ok("token", f"{me.get('username')}, the bot of the application {app.get('name')}")
        return Checked(findings=(token, *(finding for findings in found for finding in findings)), date=self._date)

    async def _channel(self, channel: int, why: str, bot: str, app: str) -> tuple[Finding, ...]:
        name = f"channel {channel}"
        try:
            where = await self._get(f"/channels/{channel}")
        except _NoError as error:
            return (DISCORD.fail(name, f"{why}: {error}", _ID if error.status in (403, 404) else _NETWORK),)
        shown = f"#{where.get('name')}, {why}"
        if where.get("type") not in (_TEXT, _NEWS) or "guild_id" not in where:
            return (DISCORD.fail(name, f"{shown}: not a text channel of a server", "name a text or an announcement channel"),)
        guild = str(where["guild_id"])
        try:
            server, member = await self._once(f"/guilds/{guild}"), await self._once(f"/guilds/{guild}/members/{bot}")
        except _NoError as error:
            return (DISCORD.fail(name, f"{shown}: the bot is not in the server ({error})", f"invite it: {_invitation(app, guild)}"),)
        return _may(name, shown, permissions(where, server, member), _invitation(app, guild)), await self._commands(app, guild)

    async def _commands(self, app: str, guild: str) -> Finding:
        """Without the scope `applications.commands` Discord does not let us see a server's commands."""
        name = f"commands in server {guild}"
        try:
            await self._once(f"/applications/{app}/guilds/{guild}/commands")
        except _NoError as error:
            if error.status == 403:
                said = "the scope applications.commands was not granted"
                return DISCORD.fail(name, said, f"invite the bot again: {_invitation(app, guild)}")
            return DISCORD.warn(name, f"not known ({error})", "see that /attache is offered there")
        return DISCORD.ok(name, "the scope applications.commands is granted")

    async def _once(self, path: str) -> Json:
        if path not in self._asked:
            self._asked[path] = asyncio.create_task(self._get(path))
        return await self._asked[path]

    async def _get(self, path: str) -> Json:
        try:
            answer = await self._client.get(self._base + path)
        except httpx.HTTPError as error:
            raise _NoError(0, f"no answer ({type(error).__name__})") from error
        self._date = answer.headers.get("Date", self._date)
        try:
            said = answer.json()
        except ValueError:
            said = {}
        if answer.status_code != 200:
            raise _NoError(answer.status_code, f"{answer.status_code} {said.get('message', '') if isinstance(said, dict) else ''}".strip())
        return said if isinstance(said, dict) else {}


def permissions(channel: Json, guild: Json, member: Json) -> discord.Permissions:
    """Return what a member may do in a channel: https://discord.com/developers/docs/topics/permissions#permission-overwrites."""
    own = {str(guild["id"]), *map(str, member.get("roles", []))}
    held = 0
    for role in guild.get("roles", []):
        held |= int(role["permissions"]) if str(role["id"]) in own else 0
    if str(guild.get("owner_id")) == str(member.get("user", {}).get("id")) or discord.Permissions(held).administrator:
        return discord.Permissions.all()
    overwrites = {(int(o["type"]), str(o["id"])): o for o in channel.get("permission_overwrites", [])}
    everybody = overwrites.get((_EVERYBODY, str(guild["id"])))
    roles = [o for (kind, name), o in overwrites.items() if kind == _EVERYBODY and name in own and name != str(guild["id"])]
    person = overwrites.get((_MEMBER, str(member.get("user", {}).get("id"))))
    for group in ([everybody] if everybody else [], roles, [person] if person else []):
        denied, allowed = _sum(group, "deny"), _sum(group, "allow")
        held = held & ~denied | allowed
    return discord.Permissions(held)


def _sum(overwrites: list[Json], which: str) -> int:
    total = 0
    for overwrite in overwrites:
        total |= int(overwrite[which])
    return total


def _may(name: str, shown: str, held: discord.Permissions, invitation: str) -> Finding:
    missing = [label for flag, label in NEEDED.items() if not getattr(held, flag)]
    if not missing:
        return DISCORD.ok(name, f"{shown}: may post, embed, attach and thread")
    mend = f"grant the bot's role these in the channel's settings > Permissions, or invite it again: {invitation}"
    return DISCORD.fail(name, f"{shown}: missing {', '.join(missing)}", mend)


def _invitation(app: str, guild: str) -> str:
    """https://discord.com/developers/docs/topics/oauth2#bot-authorization-flow"""
    wanted = discord.Permissions(**dict.fromkeys(NEEDED, True)).value
    query = {"client_id": app, "scope": "bot applications.commands", "permissions": wanted, "guild_id": guild}
    return f"https://discord.com/oauth2/authorize?{urlencode(query)}"
