"""How long to wait: for one message, growing and with jitter; for a whole workspace, when its platform asks for it or is ill."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.alerts import Surface
from bot.domain.subscriptions import Subscription

FIRST_RETRY, LONGEST_RETRY = 1.0, 300.0  # seconds
LONGEST_HOLD = 60.0  # seconds; shorter than the waits of its messages, so that they find the workspace open
ILL = 3  # failures of a workspace in a row, after which nothing is sent to any of its channels for a while


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """What one breaker is for: a Slack workspace or a Discord server; all channels whose team is unknown share one.

    A Slack channel that the settings name has no team, and is of the same workspace as those that were subscribed there: so on Slack
    the unknown one waits with each of the others, and they with it. On Discord it does not, for a limit there is a channel's.
    """

    surface: Surface
    team: str

    @classmethod
    def of(cls, subscription: Subscription) -> Workspace:
        """Return the workspace of a subscription's channel."""
        return cls(surface=subscription.destination.surface, team=subscription.team)


class Patience:
    """Remembers which workspaces are to be left alone until when. Sends nothing, stores nothing, and has no clock."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311  (jitter, not a secret)
        self._failures: dict[Workspace, int] = {}
        self._until: dict[Workspace, datetime] = {}

    def until(self, workspace: Workspace, now: datetime) -> datetime | None:
        """Return when a workspace may be called again; None when it may be now."""
        asked = (self._until[one] for one in self._together(workspace) if one in self._until)
        return max((until for until in asked if until > now), default=None)

    def _together(self, workspace: Workspace) -> Iterable[Workspace]:
        if workspace.surface is not Surface.SLACK:
            return (workspace,)
        if workspace.team:
            return (workspace, replace(workspace, team=""))
        return (one for one in self._until if one.surface is workspace.surface)

    def well(self, workspace: Workspace) -> None:
        """A call succeeded."""
        self._failures.pop(workspace, None)

    def hold(self, workspace: Workspace, asked: float | None, now: datetime) -> datetime | None:
        """A call failed, and the platform asked for so many seconds; return until when the whole workspace is left alone, if it is."""
        failures = self._failures[workspace] = self._failures.get(workspace, 0) + 1
        if asked is None and failures < ILL:
            return None
        seconds = asked if asked is not None else min(self._grown(failures - ILL + 1), LONGEST_HOLD)
        held = self._until.get(workspace)
        self._until[workspace] = max(now + timedelta(seconds=seconds), held or now)
        return self._until[workspace]

    def again(self, attempts: int, asked: float | None, now: datetime) -> datetime:
        """Return when a message that was tried so often is tried again: not before the platform allows it."""
        return now + timedelta(seconds=max(asked or 0.0, self._grown(attempts)))

    def _grown(self, attempts: int) -> float:
        return min(FIRST_RETRY * 2.0 ** min(attempts - 1, 30), LONGEST_RETRY) * self._random.uniform(0.5, 1.0)
