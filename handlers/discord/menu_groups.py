"""The groups of `/attache`: watch, sources, mute, digest."""

from __future__ import annotations

import discord
from discord import app_commands

from handlers.discord.host import EXPRESSION, Address, Expression, Text, answerer_of, completes, shareable
from handlers.grammar import Name
from handlers.suggesting import Hint


class WatchMenu(app_commands.Group):
    """`/attache watch …`."""

    def __init__(self) -> None:
        super().__init__(name=str(Name.WATCH), description="the watch keywords; changing them is for admins")

    @app_commands.command(name="list", description="the watch keywords")
    @shareable
    async def list_(self, interaction: discord.Interaction, share: bool = False) -> None:
        """Show the watch keywords."""
        await answerer_of(interaction).answer(interaction, f"{Name.WATCH} list", share=share)

    @app_commands.command(description="look closer at what matches; for admins")
    @app_commands.describe(term=EXPRESSION)
    async def add(self, interaction: discord.Interaction, term: Expression) -> None:
        """Add a watch keyword."""
        await answerer_of(interaction).answer(interaction, f"{Name.WATCH} add {term}")

    @app_commands.command(description="only what matches comes to this channel; for admins")
    @app_commands.describe(term=EXPRESSION)
    async def only(self, interaction: discord.Interaction, term: Expression) -> None:
        """Narrow this channel."""
        await answerer_of(interaction).answer(interaction, f"{Name.WATCH} only {term}")

    @app_commands.command(description="never alert what matches; for admins")
    @app_commands.describe(term=EXPRESSION)
    async def mute(self, interaction: discord.Interaction, term: Expression) -> None:
        """Look away from what matches."""
        await answerer_of(interaction).answer(interaction, f"{Name.WATCH} mute {term}")

    @app_commands.command(description="remove a watch keyword; for admins")
    @app_commands.describe(term="The keyword as it is listed")
    @app_commands.autocomplete(term=completes(Hint.KEYWORD))
    async def remove(self, interaction: discord.Interaction, term: Expression) -> None:
        """Remove a watch keyword."""
        await answerer_of(interaction).answer(interaction, f"{Name.WATCH} remove {term}")

    @app_commands.command(description="what an expression would have alerted and spared lately; changes nothing")
    @app_commands.describe(term=EXPRESSION)
    @shareable
    async def test(self, interaction: discord.Interaction, term: Expression, share: bool = False) -> None:
        """Try an expression."""
        await answerer_of(interaction).answer(interaction, f"{Name.WATCH} test {term}", share=share)

    @app_commands.command(description="who changed the watch keywords, and when")
    @shareable
    async def history(self, interaction: discord.Interaction, share: bool = False) -> None:
        """Show the changes."""
        await answerer_of(interaction).answer(interaction, f"{Name.WATCH} history", share=share)

    @app_commands.command(description="take the last change back; for admins")
    async def undo(self, interaction: discord.Interaction) -> None:
        """Take the last change back."""
        await answerer_of(interaction).answer(interaction, f"{Name.WATCH} undo")


class SourcesMenu(app_commands.Group):
    """`/attache sources …`."""

    def __init__(self) -> None:
        super().__init__(name=str(Name.SOURCES), description="how the sources are; changing them is for admins")

    @app_commands.command(name="list", description="how the sources are")
    @shareable
    async def list_(self, interaction: discord.Interaction, share: bool = False) -> None:
        """Show the sources."""
        await answerer_of(interaction).answer(interaction, f"{Name.SOURCES} list", share=share)

    @app_commands.command(description="read a source now; for admins")
    @app_commands.describe(name="Its name, or a part of it")
    @app_commands.autocomplete(name=completes(Hint.SOURCE))
    async def check(self, interaction: discord.Interaction, name: Text) -> None:
        """Check a source."""
        await answerer_of(interaction).answer(interaction, f"{Name.SOURCES} check {name}")

    @app_commands.command(description="add a source; for admins")
    @app_commands.describe(url="A feed, or a page that has one", confirm="Add it at once; else you see first what it gives")
    async def add(self, interaction: discord.Interaction, url: Address, confirm: bool = False) -> None:
        """Add a source."""
        await answerer_of(interaction).answer(interaction, f"{Name.SOURCES} add {url}{' yes' if confirm else ''}")

    @app_commands.command(description="take a source off the list; for admins")
    @app_commands.describe(name="Its name, or a part of it")
    @app_commands.autocomplete(name=completes(Hint.SOURCE))
    async def remove(self, interaction: discord.Interaction, name: Text) -> None:
        """Remove a source."""
        await answerer_of(interaction).answer(interaction, f"{Name.SOURCES} remove {name}")

    @app_commands.command(description="stop polling a source for a while; for admins")
    @app_commands.describe(name="Its name, or a part of it")
    @app_commands.autocomplete(name=completes(Hint.SOURCE))
    async def pause(self, interaction: discord.Interaction, name: Text) -> None:
        """Pause a source."""
        await answerer_of(interaction).answer(interaction, f"{Name.SOURCES} pause {name}")

    @app_commands.command(description="poll a paused or retired source again; for admins")
    @app_commands.describe(name="Its name, or a part of it")
    @app_commands.autocomplete(name=completes(Hint.SOURCE))
    async def resume(self, interaction: discord.Interaction, name: Text) -> None:
        """Resume a source."""
        await answerer_of(interaction).answer(interaction, f"{Name.SOURCES} resume {name}")


class MuteMenu(app_commands.Group):
    """`/attache mute …`."""

    def __init__(self) -> None:
        super().__init__(name=str(Name.MUTE), description="the dossiers that this channel hears no more of; changing them is for admins")

    @app_commands.command(description="no more alerts on a dossier in this channel; for admins")
    @app_commands.describe(name="A dossier, or the id of a development in it", span="For how long, such as 12h, 7d or 2w; else for good")
    @app_commands.rename(span="for")
    @app_commands.autocomplete(name=completes(Hint.DOSSIER))
    async def dossier(self, interaction: discord.Interaction, name: Text, span: app_commands.Range[str, 1, 10] = "") -> None:
        """Mute a dossier."""
        await answerer_of(interaction).answer(interaction, f"{Name.MUTE} {name}{f' for {span}' if span else ''}")

    @app_commands.command(name="list", description="the muted dossiers of this channel")
    @shareable
    async def list_(self, interaction: discord.Interaction, share: bool = False) -> None:
        """Show the muted dossiers."""
        await answerer_of(interaction).answer(interaction, f"{Name.MUTE} list", share=share)

    @app_commands.command(description="hear of a dossier again; for admins")
    @app_commands.describe(name="The dossier as it is listed")
    @app_commands.autocomplete(name=completes(Hint.MUTED))
    async def off(self, interaction: discord.Interaction, name: Text) -> None:
        """Hear of a dossier again."""
        await answerer_of(interaction).answer(interaction, f"{Name.MUTE} off {name}")


class DigestMenu(app_commands.Group):
    """`/attache digest now`."""

    def __init__(self) -> None:
        super().__init__(name=str(Name.DIGEST), description="this channel's digest; for admins")

    @app_commands.command(description="what waits for this channel's next digest, at once; for admins")
    async def now(self, interaction: discord.Interaction) -> None:
        """Send what waits."""
        await answerer_of(interaction).answer(interaction, f"{Name.DIGEST} now")
