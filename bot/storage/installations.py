"""Slack workspaces that installed the app (port `Installations`): their tokens are sealed at rest."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.errors import SettingsError
from bot.ports import Installation
from bot.sealing import VARIABLE, Seal
from bot.storage import tables
from bot.storage.channels import upsert
from bot.storage.database import Writer


class SqlInstallations:
    """Keeps one installation a workspace. Talks to no platform."""

    def __init__(self, engine: AsyncEngine, seal: Seal) -> None:
        self._engine = engine
        self._writer = Writer(engine)
        self._seal = seal

    async def installation(self, team: str) -> Installation | None:
        """See `Installations.installation`."""
        t = tables.installations
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(t).where(t.c.team == team))).one_or_none()
        return self._opened(row._mapping) if row else None

    async def install(self, installation: Installation) -> None:
        """See `Installations.install`."""
        async with self._writer.begin() as connection:
            await upsert(connection, tables.installations, self._values(installation))

    async def uninstall(self, team: str) -> bool:
        """See `Installations.uninstall`."""
        t = tables.installations
        async with self._writer.begin() as connection:
            return (await connection.execute(delete(t).where(t.c.team == team))).rowcount > 0

    def _values(self, installation: Installation) -> dict[str, Any]:
        kept = {name: getattr(installation, name) for name in ("team", "name", "bot_user", "installed_by", "installed_at")}
        return {**kept, "token": self._seal.close(installation.token), "scopes": ",".join(installation.scopes)}

    def _opened(self, row: RowMapping) -> Installation:
        token = self._seal.open(row["token"])
        if token is None:
            raise SettingsError(
                VARIABLE, f"none of its keys opens the token of the Slack workspace {row['team']}; give the key back that did"
            )
        kept = {name: row[name] for name in ("team", "name", "bot_user", "installed_by", "installed_at")}
        return Installation(**kept, token=token, scopes=tuple(filter(None, row["scopes"].split(","))))
