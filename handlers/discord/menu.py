"""The app commands under `/attache`: what Discord shows, and the line of the common grammar that each stands for."""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Awaitable, Callable

import aiohttp
import discord
import structlog
from discord import app_commands

from bot.domain.alerts import Surface
from bot.domain.topics import Topic
from handlers.commands import Commands
from handlers.discord.render import reply_embeds
from handlers.grammar import USAGE, Actor, Name
from handlers.reading import DEFAULT_COUNT, MAX_COUNT
from handlers.replies import Reply

# https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-structure
TEXT = 150  # characters; the grammar takes 200 for the whole line

Text = app_commands.Range[str, 1, TEXT]
Address = app_commands.Range[str, 1, 900]
Answer = Callable[[discord.Interaction, str], Awaitable[None]]

_log = structlog.get_logger()


class Answerer:
    """Acknowledges, asks the use cases and shows the reply to its author only. Decides nothing.

    `guild`: where it is given, only that guild's managers count as admins; elsewhere the bot's watch keywords are not theirs.
    """

    def __init__(self, *, commands: Commands, guild: int | None) -> None:
        self._commands = commands
        self._guild = guild

    async def answer(self, interaction: discord.Interaction, line: str) -> None:
        """Answer `line` as the interaction's user typed it. Raises discord.py's errors when Discord cannot be told."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._show(interaction, await self._reply(self._actor(interaction), line))

    async def apologise(self, interaction: discord.Interaction, error: Exception) -> None:
        """Log an error that came from outside the use cases and tell the user its id, if Discord still lets us."""
        reply = _apology(error, "discord_interaction_failed")
        try:
            if not interaction.response.is_done():
                await interaction.response.defer(ephemeral=True, thinking=True)
            await self._show(interaction, reply)
        except (discord.DiscordException, aiohttp.ClientError, OSError, RuntimeError) as refused:  # RuntimeError: the session is closed
            _log.warning("discord_answer_refused", problem=type(refused).__name__)

    async def _show(self, interaction: discord.Interaction, reply: Reply) -> None:
        await interaction.followup.send(embeds=reply_embeds(reply), ephemeral=True, allowed_mentions=discord.AllowedMentions.none())

    async def _reply(self, actor: Actor, line: str) -> Reply:
        try:
            return await self._commands.answer_line(actor, line)
        except Exception as error:  # the user gets an id instead of silence; the log has the rest under it
            return _apology(error, "command_failed")

    def _actor(self, interaction: discord.Interaction) -> Actor:
        here = self._guild is None or interaction.guild_id == self._guild
        admin = here and interaction.permissions.manage_guild
        return Actor(surface=Surface.DISCORD, user=str(interaction.user.id), admin=admin)


def _apology(error: Exception, event: str) -> Reply:
    ident = secrets.token_hex(4)
    _log.error(event, id=ident, trace=traced(error))
    return Reply(title="That did not work", note=f"Something went wrong on the bot's side. Tell an admin this id: {ident}", error=True)


def traced(error: BaseException) -> str:
    """Return the traceback as plain text: exc_info would let a pretty renderer print local variables, and discord.py's hold the token."""
    return "".join(traceback.format_exception(error))


class Tree(app_commands.CommandTree[discord.Client]):
    """The command tree, with errors answered: by default discord.py logs them and leaves the user waiting."""

    def __init__(self, client: discord.Client, answerer: Answerer) -> None:
        super().__init__(client)
        self._answerer = answerer
        self.add_command(Menu(answerer.answer))

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """Answer with an id that is in the log."""
        await self._answerer.apologise(interaction, error)


class Menu(app_commands.Group):
    """`/attache` and its subcommands."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(name="attache", description="Trade deals and ministerial meetings: what is new, and what was said before")
        self._answer = answer

    watch = app_commands.Group(name="watch", description=USAGE[Name.WATCH][1])
    sources = app_commands.Group(name="sources", description=USAGE[Name.SOURCES][1])

    @app_commands.command(description=USAGE[Name.LATEST][1])
    @app_commands.describe(count=f"How many, 1 to {MAX_COUNT}", topic="Only this topic", country="Only with these countries or blocs")
    @app_commands.choices(
        topic=[
            app_commands.Choice(name="Trade deals", value=str(Topic.TRADE_DEAL)),
            app_commands.Choice(name="Ministerial meetings", value=str(Topic.MINISTERIAL_MEETING)),
        ]
    )
    async def latest(
        self,
        interaction: discord.Interaction,
        count: app_commands.Range[int, 1, MAX_COUNT] = DEFAULT_COUNT,
        topic: str = "",
        country: Text = "",
    ) -> None:
        """Show the newest developments."""
        await self._answer(interaction, f"{Name.LATEST} {count} {topic} {country}")

    @app_commands.command(description=USAGE[Name.SEARCH][1])
    @app_commands.describe(words="Words that must all occur")
    async def search(self, interaction: discord.Interaction, words: Text) -> None:
        """Search the developments."""
        await self._answer(interaction, f"{Name.SEARCH} {words}")

    @app_commands.command(description=USAGE[Name.TIMELINE][1])
    @app_commands.describe(countries="Countries or blocs that all took part, such as India United States")
    async def timeline(self, interaction: discord.Interaction, countries: Text) -> None:
        """Show how a matter went."""
        await self._answer(interaction, f"{Name.TIMELINE} {countries}")

    @app_commands.command(description=USAGE[Name.WHY][1])
    @app_commands.describe(name="The id of a development, the key of an entry, or an address")
    async def why(self, interaction: discord.Interaction, name: str) -> None:
        """Explain a decision."""
        await self._answer(interaction, f"{Name.WHY} {name}")

    @watch.command(name="list", description="the watch keywords")
    async def watch_list(self, interaction: discord.Interaction) -> None:
        """Show the watch keywords."""
        await self._answer(interaction, f"{Name.WATCH} list")

    @watch.command(name="add", description="add a watch keyword; for admins")
    @app_commands.describe(term="A word or a phrase")
    async def watch_add(self, interaction: discord.Interaction, term: Text) -> None:
        """Add a watch keyword."""
        await self._answer(interaction, f"{Name.WATCH} add {term}")

    @watch.command(name="remove", description="remove a watch keyword; for admins")
    @app_commands.describe(term="The keyword as it is listed")
    async def watch_remove(self, interaction: discord.Interaction, term: Text) -> None:
        """Remove a watch keyword."""
        await self._answer(interaction, f"{Name.WATCH} remove {term}")

    @sources.command(name="list", description="how the sources are")
    async def sources_list(self, interaction: discord.Interaction) -> None:
        """Show the sources."""
        await self._answer(interaction, f"{Name.SOURCES} list")

    @sources.command(name="check", description="read a source now; for admins")
    @app_commands.describe(name="Its name, or a part of it")
    async def sources_check(self, interaction: discord.Interaction, name: Text) -> None:
        """Check a source."""
        await self._answer(interaction, f"{Name.SOURCES} check {name}")

    @sources.command(name="add", description="add a source; for admins")
    @app_commands.describe(url="A feed, or a page that has one", confirm="Add it at once; else you see first what it gives")
    async def sources_add(self, interaction: discord.Interaction, url: Address, confirm: bool = False) -> None:
        """Add a source."""
        await self._answer(interaction, f"{Name.SOURCES} add {url}{' yes' if confirm else ''}")

    @sources.command(name="remove", description="take a source off the list; for admins")
    @app_commands.describe(name="Its name, or a part of it")
    async def sources_remove(self, interaction: discord.Interaction, name: Text) -> None:
        """Remove a source."""
        await self._answer(interaction, f"{Name.SOURCES} remove {name}")

    @sources.command(name="pause", description="stop polling a source for a while; for admins")
    @app_commands.describe(name="Its name, or a part of it")
    async def sources_pause(self, interaction: discord.Interaction, name: Text) -> None:
        """Pause a source."""
        await self._answer(interaction, f"{Name.SOURCES} pause {name}")

    @sources.command(name="resume", description="poll a paused or retired source again; for admins")
    @app_commands.describe(name="Its name, or a part of it")
    async def sources_resume(self, interaction: discord.Interaction, name: Text) -> None:
        """Resume a source."""
        await self._answer(interaction, f"{Name.SOURCES} resume {name}")

    @app_commands.command(description=USAGE[Name.STATUS][1])
    async def status(self, interaction: discord.Interaction) -> None:
        """Show the store in figures."""
        await self._answer(interaction, str(Name.STATUS))

    @app_commands.command(description=USAGE[Name.HELP][1])
    async def help(self, interaction: discord.Interaction) -> None:
        """List the commands."""
        await self._answer(interaction, str(Name.HELP))
