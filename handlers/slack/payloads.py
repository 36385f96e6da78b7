"""What Slack sends, read: who asks and where, and what was typed. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.domain.alerts import Surface
from handlers.grammar import Actor

Payload = Mapping[str, Any]

_LINK = re.compile(r"<(?P<kind>[@#!]?)(?P<target>[^<>|]*)(?:\|(?P<label>[^<>]*))?>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


def typed(words: str) -> str:
    """Return a command's text as its author typed it: Slack's links and escapes undone.

    https://docs.slack.dev/interactivity/implementing-slash-commands#creating_commands
    """
    return re.sub("|".join(_ENTITIES), lambda m: _ENTITIES[m[0]], _LINK.sub(_unlinked, words)).strip()


def _unlinked(match: re.Match[str]) -> str:
    if not match["kind"]:
        return match["target"].removeprefix("mailto:")
    mark = "#" if match["kind"] == "#" else "@"
    return mark + (match["label"] or match["target"]).lstrip("@#")


def commander(command: Payload) -> Actor:
    """Return who typed a command, not yet looked up. https://docs.slack.dev/interactivity/implementing-slash-commands#app_command_handling"""
    user, channel, team = (str(command.get(name) or "") for name in ("user_id", "channel_id", "team_id"))
    return Actor(surface=Surface.SLACK, user=user, channel=channel, team=team)


def presser(body: Payload) -> Actor:
    """Return who pressed a button or sent a form, not yet looked up. https://docs.slack.dev/reference/interaction-payloads"""
    user: Payload = body.get("user") or {}
    team = (body.get("team") or {}).get("id") or user.get("team_id") or ""
    channel = (body.get("channel") or {}).get("id") or ""
    return Actor(surface=Surface.SLACK, user=str(user.get("id") or ""), channel=str(channel), team=str(team))


def name_of(body: Payload) -> str:
    """Return a name that is the same when Slack delivers a command, a press or a form again, and another for the next one."""
    action: Payload = (body.get("actions") or [{}])[0]
    user = body.get("user_id") or (body.get("user") or {}).get("id")
    known = (body.get("trigger_id"), body.get("response_url"), user, body.get("text"), action.get("action_id"), action.get("action_ts"))
    return "\x1f".join(map(str, known))
