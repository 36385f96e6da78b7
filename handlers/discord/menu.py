"""The app commands under `/attache`: what Discord shows, and the line of the common grammar that each stands for."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.domain.subscriptions import Cadence
from bot.domain.topics import Topic
from handlers.discord.answerer import Answerer
from handlers.discord.context import why_menu
from handlers.discord.host import EXPRESSION, Expression, Text, answerer_of, completes, shareable
from handlers.discord.menu_groups import DigestMenu, MuteMenu, SourcesMenu, WatchMenu
from handlers.forms import SubscriptionForm
from handlers.grammar import USAGE, Name
from handlers.reading import DEFAULT_COUNT, MAX_COUNT
from handlers.subscribing import MAX_CAP
from handlers.suggesting import Hint

_TOPICS = (("Trade deals", Topic.TRADE_DEAL), ("Ministerial meetings", Topic.MINISTERIAL_MEETING))
_WANTED = (("Everything", "all"), ("Trade deals", "trade"), ("Ministerial meetings", "meeting"))
_CADENCES = (("At once", Cadence.REALTIME), ("A digest every hour", Cadence.HOURLY), ("A digest every day", Cadence.DAILY))
Short = app_commands.Range[str, 1, 40]


def _choices(pairs: tuple[tuple[str, str], ...]) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=name, value=str(value)) for name, value in pairs]


class Tree(app_commands.CommandTree[discord.Client]):
    """The command tree, with errors answered: by default discord.py logs them and leaves the user waiting."""

    def __init__(self, client: discord.Client, answerer: Answerer) -> None:
        super().__init__(client)
        self._answerer = answerer
        self.add_command(Menu())
        self.add_command(why_menu())

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """Answer with an id that is in the log."""
        await self._answerer.apologise(interaction, error)


class Menu(app_commands.Group):
    """`/attache` and its subcommands. Discord lets only a whole command be hidden from members, so who may is said in the descriptions."""

    def __init__(self) -> None:
        super().__init__(name="attache", description="Trade deals and ministerial meetings: what is new, and what was said before")
        for group in (WatchMenu(), SourcesMenu(), MuteMenu(), DigestMenu()):
            self.add_command(group)

    @app_commands.command(description=USAGE[Name.LATEST][1])
    @app_commands.describe(count=f"How many, 1 to {MAX_COUNT}", topic="Only this topic", country="Only with these countries or blocs")
    @app_commands.choices(topic=_choices(_TOPICS))
    @app_commands.autocomplete(country=completes(Hint.COUNTRIES))
    @shareable
    async def latest(
        self,
        interaction: discord.Interaction,
        count: app_commands.Range[int, 1, MAX_COUNT] = DEFAULT_COUNT,
        topic: str = "",
        country: Text = "",
        share: bool = False,
    ) -> None:
        """Show the newest developments."""
        await answerer_of(interaction).answer(interaction, f"{Name.LATEST} {count} {topic} {country}", share=share)

    @app_commands.command(description=USAGE[Name.SEARCH][1])
    @app_commands.describe(words='Words that must all occur; "a phrase" as it stands, -word not at all')
    @shareable
    async def search(self, interaction: discord.Interaction, words: Text, share: bool = False) -> None:
        """Search the developments."""
        await answerer_of(interaction).answer(interaction, f"{Name.SEARCH} {words}", share=share)

    @app_commands.command(description=USAGE[Name.TIMELINE][1])
    @app_commands.describe(countries="Countries or blocs that all took part, such as India United States; or a dossier")
    @app_commands.autocomplete(countries=completes(Hint.MATTER))
    @shareable
    async def timeline(self, interaction: discord.Interaction, countries: Text, share: bool = False) -> None:
        """Show how a matter went."""
        await answerer_of(interaction).answer(interaction, f"{Name.TIMELINE} {countries}", share=share)

    @app_commands.command(description=USAGE[Name.UPCOMING][1])
    @shareable
    async def upcoming(self, interaction: discord.Interaction, share: bool = False) -> None:
        """Show planned meetings."""
        await answerer_of(interaction).answer(interaction, str(Name.UPCOMING), share=share)

    @app_commands.command(description=USAGE[Name.STORY][1])
    @app_commands.describe(name="The id of a development")
    @app_commands.autocomplete(name=completes(Hint.DEVELOPMENT))
    @shareable
    async def story(self, interaction: discord.Interaction, name: Text, share: bool = False) -> None:
        """Show one development."""
        await answerer_of(interaction).answer(interaction, f"{Name.STORY} {name}", share=share)

    @app_commands.command(description=USAGE[Name.WHY][1])
    @app_commands.describe(name="The id of a development, the key of an entry, or an address")
    @app_commands.autocomplete(name=completes(Hint.DEVELOPMENT))
    @shareable
    async def why(self, interaction: discord.Interaction, name: app_commands.Range[str, 1, 900], share: bool = False) -> None:
        """Explain a decision."""
        await answerer_of(interaction).answer(interaction, f"{Name.WHY} {name}", share=share)

    @app_commands.command(description=USAGE[Name.SUBSCRIBE][1])
    @app_commands.describe(
        topics="Which topics",
        countries="Only with one of these countries or blocs",
        cadence="At once, or gathered",
        time="The hour of a daily digest, such as 08:00",
        quiet="Hours without a message, such as 22:00-07:00",
        zone="The time zone of these hours, such as Europe/Berlin",
        least="The lowest importance, 0 to 1",
        cap="Alerts an hour at most; the rest is gathered",
        expression=f"Only what matches: {EXPRESSION}",
    )
    @app_commands.choices(topics=_choices(_WANTED), cadence=_choices(_CADENCES))
    @app_commands.autocomplete(countries=completes(Hint.COUNTRIES), zone=completes(Hint.ZONE))
    async def subscribe(
        self,
        interaction: discord.Interaction,
        topics: str = "",
        countries: Text = "",
        cadence: str = "",
        time: Short = "",
        quiet: Short = "",
        zone: Short = "",
        least: app_commands.Range[float, 0.0, 1.0] | None = None,
        cap: app_commands.Range[int, 1, MAX_CAP] | None = None,
        expression: Expression = "",
    ) -> None:
        """Subscribe this channel; without an option, show what it gets."""
        form = SubscriptionForm(
            topics=(topics,) if topics not in ("", "all") else (),
            parties=countries,
            only=expression,
            least="" if least is None else f"{least:.3f}".rstrip("0").rstrip("."),
            cadence=cadence,
            at=time,
            quiet=quiet,
            zone=zone,
            cap="" if cap is None else str(cap),
        )
        if form == SubscriptionForm() and not topics:
            await answerer_of(interaction).answer(interaction, str(Name.SUBSCRIBE))
        else:
            await answerer_of(interaction).submit(interaction, form)

    @app_commands.command(description=USAGE[Name.UNSUBSCRIBE][1])
    async def unsubscribe(self, interaction: discord.Interaction) -> None:
        """Forget this channel's subscription."""
        await answerer_of(interaction).answer(interaction, str(Name.UNSUBSCRIBE))

    @app_commands.command(description=USAGE[Name.STATUS][1])
    @shareable
    async def status(self, interaction: discord.Interaction, share: bool = False) -> None:
        """Show the store in figures."""
        await answerer_of(interaction).answer(interaction, str(Name.STATUS), share=share)

    @app_commands.command(description=USAGE[Name.HELP][1])
    @app_commands.describe(command="Only this command")
    @app_commands.choices(command=_choices(tuple((str(name), str(name)) for name in Name)))
    @shareable
    async def help(self, interaction: discord.Interaction, command: str = "", share: bool = False) -> None:
        """List the commands."""
        await answerer_of(interaction).answer(interaction, f"{Name.HELP} {command}", share=share)
