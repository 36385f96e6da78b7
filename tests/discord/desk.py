"""The surface over a real store, for tests of what commands change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from bot.domain.developments import Development
from bot.judge.watching import Watching
from bot.storage.store import SqlStore
from handlers.commands import Desk as Answers
from handlers.desks import make_commands
from handlers.discord.client import DiscordSurface
from tests.discord.kit import Atlas, Fixed, development, running
from tests.fakes.discord_server import TOKEN, FakeDiscord
from tests.storage.kit import opened


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A running surface, the server that it talks to, and the store behind it."""

    fake: FakeDiscord
    store: SqlStore
    surface: DiscordSurface


@asynccontextmanager
async def desk(
    fake: FakeDiscord,
    *developments: Development,
    home: int | None = 500,
    role: str | None = None,
    store: SqlStore | None = None,
    sources: Answers | None = None,
) -> AsyncIterator[Desk]:
    """Run the surface over a store with these developments, by default one; over `store` where it is given. `sources` answers `sources …`."""
    if store is not None:
        async with _up(fake, store, home, role, sources) as it:
            yield it
        return
    with TemporaryDirectory() as folder:
        async with opened(Path(folder)) as made:
            async with made.begin() as writing:
                for one in developments or (development(),):
                    await writing.save(one, ())
            async with _up(fake, made, home, role, sources) as it:
                yield it


@asynccontextmanager
async def _up(fake: FakeDiscord, store: SqlStore, home: int | None, role: str | None, sources: Answers | None) -> AsyncIterator[Desk]:
    admins = frozenset({"discord:77"})
    commands = make_commands(store=store, gazetteer=Atlas(), language=Watching(Atlas()), clock=Fixed(), admins=admins, sources=sources)
    made = DiscordSurface(
        token=SecretStr(TOKEN), commands=commands, gazetteer=Atlas(), guild=home, admin_role=role, api_url=fake.api_url, send_seconds=3.0
    )
    async with running(made):
        await fake.until_commands()
        yield Desk(fake=fake, store=store, surface=made)
