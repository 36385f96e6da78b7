"""The Discord surface: one gateway connection that answers app commands, and the sender that posts alerts over the same client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import aiohttp
import discord
import structlog
import yarl
from discord.gateway import DiscordWebSocket, KeepAliveHandler
from discord.http import Route
from pydantic import SecretStr

from bot.domain.alerts import Surface
from bot.domain.errors import SettingsError, StoreError
from bot.domain.text import cut
from bot.ports import Gazetteer
from handlers.commands import Commands
from handlers.discord.answerer import Answerer, traced
from handlers.discord.components import pressed
from handlers.discord.errors import BAD_TOKEN, UNKNOWN_GUILD, RateLimits
from handlers.discord.host import Host
from handlers.discord.menu import Tree
from handlers.discord.notices import DiscordNotifier
from handlers.discord.rights import Rights
from handlers.discord.sender import SEND_SECONDS, DiscordSender

CLOSE_SECONDS, ORPHAN_SECONDS = 1.5, 0.3
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0

_log = structlog.get_logger()


class DiscordSurface:
    """Discord as a place to read and type. `run` it as a task; `ready` is set once the gateway has said READY; `sender` waits for it.

    `api_url` points discord.py to another server that speaks version 10 of the API; None or Discord's own address leave it alone.
    discord.py keeps that address in its classes, so one process can talk to one such server at a time. `guild` is the home server, whose
    managers administer what is everybody's; None: every server's do. `admin_role` is the name or id of a role that makes a manager.
    """

    def __init__(
        self,
        *,
        token: SecretStr,
        commands: Commands,
        gazetteer: Gazetteer,
        guild: int | None = None,
        admin_role: str | None = None,
        api_url: str | None = None,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        self._token = token
        self._guild = guild
        self._api_url = (api_url or Route.BASE).rstrip("/")
        self._commands = commands
        self._answerer = Answerer(commands=commands, rights=Rights(home=guild, role=admin_role, narrows_only=commands.narrows_only))
        self._limits = RateLimits()
        self._client: _Client | None = None
        self.ready = asyncio.Event()
        self.sender = DiscordSender(connected=self._connected, gazetteer=gazetteer, limits=self._limits, seconds=send_seconds)

    def notifier(self, channel: int) -> DiscordNotifier:
        """Return what posts notices into a channel."""
        return DiscordNotifier(self._connected, channel)

    async def run(self) -> None:
        """Stay connected until cancelled, whatever the network does. Raises SettingsError when the token or the guild is wrong."""
        pause = FIRST_PAUSE
        with _pointed_at(self._api_url) as elsewhere:
            while True:
                began = asyncio.get_running_loop().time()
                try:
                    await self._connect(elsewhere)
                except SettingsError:
                    raise
                except Exception as error:  # besides its own errors discord.py lets an AttributeError out when the first connection fails
                    _log.warning("discord_disconnected", pause=pause, **_problem(error))
                if asyncio.get_running_loop().time() - began > LONGEST_PAUSE:
                    pause = FIRST_PAUSE
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _connect(self, elsewhere: bool) -> None:
        """Log in, synchronise the commands and serve until the connection is lost for good."""
        client = self._client = _Client(
            ready=self.ready,
            answerer=self._answerer,
            commands=self._commands,
            guild=self._guild,
            elsewhere=elsewhere,
            limits=self._limits,
        )
        # In a task of its own: inside, discord.py waits with wait_for, which in Python 3.11 may swallow a cancellation
        serving = asyncio.create_task(client.start(self._token.get_secret_value()), name="discord gateway")
        try:
            await asyncio.wait([serving])
            serving.result()
        except discord.LoginFailure as error:
            raise _wrong_token() from error
        except discord.ConnectionClosed as error:
            if error.code == BAD_TOKEN:
                raise _wrong_token() from error
            raise
        finally:
            self.ready.clear()
            self._client = None
            await _close(client, serving)

    async def _connected(self) -> discord.Client:
        while self._client is None or not self.ready.is_set():
            await self.ready.wait()
        return self._client


def _problem(error: Exception) -> dict[str, str]:
    """Return what the log says of a lost connection: one line, and where it came from if it is not of the kind that networks cause."""
    known = isinstance(error, (OSError, aiohttp.ClientError, discord.DiscordException))
    return {"problem": f"{type(error).__name__}: {cut(str(error), 200)}"} | ({} if known else {"trace": traced(error)})


def _wrong_token() -> SettingsError:
    return SettingsError(
        "DISCORD_BOT_TOKEN", "Discord refuses this token; copy the bot's token from https://discord.com/developers/applications, page Bot"
    )


class _Client(Host):
    """discord.py's client with our commands; asks for no events beyond guilds' and interactions', caches no members or messages."""

    def __init__(
        self,
        *,
        ready: asyncio.Event,
        answerer: Answerer,
        commands: Commands,
        guild: int | None,
        elsewhere: bool,
        limits: RateLimits,
    ) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            guild_ready_timeout=0,  # nothing here waits for the guilds, and the waiting task would outlive a quick close
            allowed_mentions=discord.AllowedMentions.none(),
            http_trace=limits.trace(),
        )
        self._attache_ready = ready
        self._attache_guild = guild
        self._elsewhere = elsewhere
        self.answerer = answerer
        self._commands = commands
        self._tree = Tree(self, answerer)

    async def setup_hook(self) -> None:
        """After the login, before the gateway."""
        if self._elsewhere:
            # A plain Client never asks for the gateway's address: it has Discord's own built in
            DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(await self._gateway())
        await self._sync()

    async def _gateway(self) -> str:
        """Return the gateway's address as the server says it; https://discord.com/developers/docs/events/gateway#get-gateway."""
        try:
            return str((await self.http.request(Route("GET", "/gateway")))["url"])
        except discord.NotFound:  # a server that is not Discord may know only the other one
            return str((await self.http.request(Route("GET", "/gateway/bot")))["url"])

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """A button of ours was pressed, under a message of this run or of an earlier one; commands come by the tree."""
        if (found := pressed(interaction)) is None:
            return
        try:
            await self.answerer.press(interaction, *found)
        except Exception as error:  # the user gets an id instead of silence
            await self.answerer.apologise(interaction, error)

    async def on_connect(self) -> None:
        """READY came: commands can be answered from here on."""
        self._attache_ready.set()
        _log.info("discord_connected")

    async def on_disconnect(self) -> None:
        """The gateway broke; discord.py connects again by itself, and alerts go out meanwhile."""
        if not self.is_closed():
            _log.warning("discord_gateway_lost")

    async def on_resumed(self) -> None:
        """The session goes on after a broken connection."""
        self._attache_ready.set()
        _log.info("discord_resumed")

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot was taken out of a server (an outage is not one): its channels are not told of anything until it is back."""
        count = await self._commands.removed(Surface.DISCORD, str(guild.id), _channels(guild))
        _log.warning("discord_guild_left", guild=guild.id, paused=count)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """The bot was let into a server, perhaps again."""
        _log.info("discord_guild_joined", guild=guild.id)
        await self._returned(guild)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """A server is there, at the start or after an outage: perhaps it took the bot back while nobody was listening."""
        await self._returned(guild)

    async def _returned(self, guild: discord.Guild) -> None:
        try:
            count = await self._commands.returned(Surface.DISCORD, str(guild.id), _channels(guild))
        except StoreError as error:  # a server that is there at the start is seen again at the next one
            _log.warning("discord_guild_not_noted", guild=guild.id, trouble=error.trouble)
            return
        if count:
            _log.info("discord_guild_told_again", guild=guild.id, resumed=count)

    async def _sync(self) -> None:
        """Synchronise the commands with every server at once, and take those back that the home server had for itself."""
        try:
            await self._tree.sync()
            if self._attache_guild:
                await self._tree.sync(guild=discord.Object(self._attache_guild))
        except discord.HTTPException as error:
            if self._attache_guild and (error.status == 403 or error.code == UNKNOWN_GUILD):
                raise SettingsError(
                    "DISCORD_GUILD", "the bot may not add commands there; invite it with the scopes bot and applications.commands"
                ) from error
            # alerts go out all the same, and commands synchronised earlier still work
            _log.error("discord_commands_not_synchronised", status=error.status, code=error.code)


def _channels(guild: discord.Guild) -> frozenset[str]:
    return frozenset(str(channel.id) for channel in guild.channels)


@contextmanager
def _pointed_at(api_url: str) -> Iterator[bool]:
    """Point discord.py's classes at `api_url` for as long as the context lasts; yields whether that is elsewhere than Discord's own."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE = api_url
    try:
        yield api_url != before[0]
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


async def _close(client: discord.Client, serving: asyncio.Task[None]) -> None:
    """Close the connection and end its task; a gateway that does not say goodbye is not waited for."""
    serving.cancel()
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await client.close()
            await asyncio.gather(serving, return_exceptions=True)
    except TimeoutError:
        await client.http.close()
    finally:
        await _close_orphans(client)


async def _close_orphans(client: discord.Client) -> None:
    """Close sockets that discord.py forgot: one that is given up while it is being made keeps its heartbeat thread, which beats on for ever."""
    for thread in threading.enumerate():
        if isinstance(thread, KeepAliveHandler) and thread.ws._connection is client._connection:
            thread.stop()
            with suppress(TimeoutError, aiohttp.ClientError, OSError, RuntimeError):
                await asyncio.wait_for(thread.ws.socket.close(), ORPHAN_SECONDS)
