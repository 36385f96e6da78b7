"""Who asks, and whether Slack makes them an admin of what they ask for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from handlers.grammar import Actor
from handlers.reach import is_of_the_channel
from handlers.slack.errors import FOREIGN, problem_of

BELIEVED_SECONDS = 60.0  # how long what Slack says of a user or a group is believed
LOOKUP_SECONDS = 2.0  # below the three seconds in which a dialog is to be opened
_GROUP_ID = re.compile(r"S[A-Z0-9]{5,}")
_RANKS = ("is_admin", "is_owner", "is_primary_owner")

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class _Person:
    """What Slack says of a user: `zone` is the time zone that they live in; believed `until` then."""

    admin: bool
    zone: str
    until: float


class Rights:
    """Makes admins of actors: workspace admins and owners, and the members of the user group `group` (its handle or id).

    Of what is everybody's (sources, watch keywords) only those of the workspace `home`, where one is named. `narrows_only` says whether a
    watch keyword is one channel's own business. What cannot be looked up is a no, tried again the next time: ATTACHE_ADMINS is left.
    """

    def __init__(self, *, narrows_only: Callable[[Actor, str], Awaitable[bool]], group: str | None = None, home: str | None = None) -> None:
        self._narrows_only = narrows_only
        self._group = (group or "").strip().removeprefix("@").casefold()
        self._home = home
        self._known: dict[tuple[str, str], _Person] = {}

    async def of(self, client: AsyncWebClient, actor: Actor) -> Actor:
        """Return the actor, as an admin where they are one of the channels of their workspace."""
        return replace(actor, admin=(await self._person(client, actor)).admin)

    async def zone(self, client: AsyncWebClient, actor: Actor) -> str:
        """Return the actor's time zone, such as `Europe/Berlin`; "" where Slack does not say."""
        return (await self._person(client, actor)).zone

    async def _person(self, client: AsyncWebClient, actor: Actor) -> _Person:
        now, name = asyncio.get_running_loop().time(), (actor.team, actor.user)
        self._known = {n: person for n, person in self._known.items() if person.until > now}
        if name not in self._known:
            try:
                async with asyncio.timeout(LOOKUP_SECONDS):
                    self._known[name] = await self._looked_up(client, actor, now + BELIEVED_SECONDS)
            except FOREIGN as error:
                _log.warning("slack_admin_unknown", code=problem_of(error).code)
                return _Person(admin=False, zone="", until=now)
        return self._known[name]

    async def of_line(self, client: AsyncWebClient, actor: Actor, line: str) -> Actor:
        """Return the actor, as an admin where they are one of what a line of the grammar is about."""
        ranked = await self.of(client, actor)
        if not ranked.admin or self._home in (None, actor.team) or await is_of_the_channel(ranked, line, self._narrows_only):
            return ranked
        return actor

    async def _looked_up(self, client: AsyncWebClient, actor: Actor, until: float) -> _Person:
        """Ask who somebody is. https://docs.slack.dev/reference/methods/users.info"""
        found: dict[str, Any] = (await client.users_info(user=actor.user)).get("user") or {}
        admin = _ranks(found, actor.team) or bool(self._group and await self._is_in_group(client, actor.user))
        return _Person(admin=admin, zone=str(found.get("tz") or ""), until=until)

    async def _is_in_group(self, client: AsyncWebClient, user: str) -> bool:
        """Ask for the group's members. https://docs.slack.dev/reference/methods/usergroups.users.list"""
        group = await self._group_id(client)
        return group is not None and user in (await client.usergroups_users_list(usergroup=group)).get("users", [])

    async def _group_id(self, client: AsyncWebClient) -> str | None:
        if _GROUP_ID.fullmatch(self._group.upper()):
            return self._group.upper()
        groups: list[dict[str, Any]] = (await client.usergroups_list()).get("usergroups", [])
        return next((str(g["id"]) for g in groups if str(g.get("handle", "")).casefold() == self._group), None)


def _ranks(user: dict[str, Any], team: str) -> bool:
    """Say whether a user administers the workspace; who comes from another one, by a shared channel, does not. https://docs.slack.dev/reference/objects/user-object"""
    ours = not user.get("is_stranger") and (not team or user.get("team_id", team) == team)
    return ours and not user.get("deleted") and any(user.get(rank) is True for rank in _RANKS)
